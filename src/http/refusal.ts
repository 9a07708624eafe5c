import { randomUUID } from "node:crypto";
import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import { handledRequest } from "../telemetry/request-id.ts";

/** Seconds after which whoever was sent away for now may ask again. */
const RETRY_AFTER = "1";

/** The error that may be told: an unexpected one only by an id, under which the log has it. */
export function presentable(
  error: unknown,
  logger: Logger,
  requestId: string | undefined = handledRequest.getStore(),
): ServiceError {
  if (error instanceof ServiceError) return error;
  const errorId = randomUUID();
  logger.error({ err: error, errorId, requestId }, "a request could not be handled");
  return new ServiceError("INTERNAL", "Unexpected error.", { errorId });
}

/** Answers with the error: its status, and `{code, message}` with its extensions beside them. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: ServiceError,
  headers: OutgoingHttpHeaders = {},
): void {
  const { code, message, extensions } = error;
  write(request, response, error.status, { code, message, ...extensions }, headers);
}

/** Answers with the error as GraphQL has it. */
export function refuseGraphql(request: IncomingMessage, response: ServerResponse, error: ServiceError): void {
  const { code, message, extensions } = error;
  write(request, response, error.status, { errors: [{ message, extensions: { code, ...extensions } }] });
}

function write(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(status === 429 || status === 503 ? { "retry-after": RETRY_AFTER } : {}),
    // What has not been read of a body would be taken for the next request.
    ...(request.complete || !hasBody(request) ? {} : { connection: "close" }),
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body)}\n`);
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Refuses what has no response of its own: a WebSocket handshake, or bytes that never became a request. */
export function refuseConnection(
  socket: Duplex,
  status: number,
  error?: ServiceError,
  headers: Readonly<Record<string, string>> = {},
): void {
  // Its peer may be gone by now, and nobody else listens to the errors of a socket that was to be upgraded.
  socket.on("error", () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = error === undefined ? "" : `${JSON.stringify({ code: error.code, message: error.message })}\n`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${lines.join("")}` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
