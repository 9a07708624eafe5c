import type { Logger } from "pino";
import type { ErrorCode, ServiceError } from "../error.ts";
import { handledRequest } from "../telemetry/request-id.ts";

/** Lines of one code within {@link WINDOW_MS}: a retrying sender, or a stranger, does not fill the disk. */
const LINES = 10;
const WINDOW_MS = 60_000;

interface Window {
  from: number;
  lines: number;
  suppressed: number;
}

export interface Refusal {
  readonly error: ServiceError;
  readonly bytes: number;
  /** The URLs under which a signature was tried, masked. */
  readonly triedUrls?: readonly string[] | undefined;
}

/** Writes why requests were refused, not more than {@link LINES} lines a code and minute. */
export interface RefusalLog {
  /** Says also how many refusals of the same code have gone untold since the line before. */
  write(refusal: Refusal): void;
  /** Tells how many refusals have gone untold, where there are any. */
  close(): void;
}

export function createRefusalLog(logger: Logger, now: () => number): RefusalLog {
  const windows = new Map<ErrorCode, Window>();
  return {
    write({ error, bytes, triedUrls }) {
      const { code, status, message } = error;
      const at = now();
      let window = windows.get(code);
      if (window === undefined || at - window.from >= WINDOW_MS || at < window.from) {
        window = { from: at, lines: 0, suppressed: window?.suppressed ?? 0 };
        windows.set(code, window);
      }
      if (window.lines === LINES) {
        window.suppressed++;
        return;
      }
      const { suppressed } = window;
      window.lines++;
      window.suppressed = 0;
      logger.warn(
        {
          requestId: handledRequest.getStore(),
          code,
          status,
          bytes,
          ...(triedUrls && { triedUrls }),
          ...(suppressed > 0 && { suppressed }),
          ...(error.cause !== undefined && { err: error.cause }),
        },
        `webhook request refused: ${message}`,
      );
    },
    close() {
      for (const [code, { suppressed }] of windows) {
        if (suppressed > 0) logger.warn({ code, suppressed }, "webhook requests refused that were not told one by one");
      }
      windows.clear();
    },
  };
}
