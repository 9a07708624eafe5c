import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * How long, and how much, is read after an answer that was given before its request was read: closing with unread
 * bytes makes the kernel send a reset, which can take the answer from the client (nginx's "lingering close").
 */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Answers with JSON at once, however much of the request is still to come; resolves when the rest has been dealt with.
 * A connection whose request was not read to its end is closed.
 */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  headers: OutgoingHttpHeaders = {},
): Promise<void> {
  if (response.destroyed) return;
  const payload = Buffer.from(`${JSON.stringify(body)}\n`);
  const isUnread = !request.complete && hasBody(request);
  response.writeHead(status, {
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": payload.length,
    ...(isUnread ? { connection: "close" } : {}),
  });
  if (!isUnread) {
    response.end(payload);
    return;
  }
  response.write(payload);
  await discard(request);
  response.end();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Reads and drops what still comes, within bounds. */
function discard(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES) done();
    };
    const done = (): void => {
      clearTimeout(timer);
      request.off("data", onData).off("end", done).off("close", done);
      resolve();
    };
    const timer = setTimeout(done, LINGER_MS);
    request.on("error", () => {});
    request.on("data", onData).on("end", done).on("close", done);
    request.resume();
  });
}
