import { logUnavailable, ServiceError } from "../../error.ts";

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) and what they mean for a person. */
const REASONS: Readonly<Record<number, string>> = {
  5: "its file is in use by another process",
  6: "its file is in use by another process",
  7: "there is not enough memory",
  8: "its file or folder may not be written",
  10: "the disk reports an error",
  11: "its file is damaged: move it away, or restore a backup",
  13: "the disk is full; it goes on when there is space again",
  14: "its file cannot be opened or created",
  26: "its file is no SQLite database: move it away, or restore a backup",
};

/** Results after which the connection itself goes on well: the transaction alone is lost. */
const HARMLESS = new Set([5, 6, 13, 18, 19, 20, 25]);

/** The primary result code of an error that node:sqlite threw; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

/** A failure in other words than its own where these would name a path. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "syscall" in error && "code" in error ? `${error.syscall}: ${error.code}` : error.message;
}

/** What a caller is told of a failure of the store; names no file, since it may reach whoever posted. */
export function storeError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const detail = detailOf(error);
  const reason = REASONS[resultCode(error) ?? -1];
  return logUnavailable(
    `The event log is unavailable: ${reason === undefined ? detail : `${reason} (${detail})`}.`,
    error,
  );
}

/** Whether the connection must be opened anew before it is used again. */
export function endsConnection(error: unknown): boolean {
  const code = resultCode(error);
  return code !== undefined && !HARMLESS.has(code);
}
