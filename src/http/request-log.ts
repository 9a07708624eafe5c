import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { ClientAddress } from "../access/client-address.ts";
import type { ServiceError } from "../error.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../telemetry/request-id.ts";

/** What asks for something that is not there: its path is the asker's own, and may hold anything. */
export const UNKNOWN_ROUTE = "other";

/** Asked by machines, up to hundreds of times a second: what goes well there is told at `debug` only. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(["/health", "/ready", "/metrics"]);
/** Its refusals have a log of their own, which a retrying sender does not fill (refusal-log.ts). */
const WEBHOOK_ROUTES: ReadonlySet<string> = new Set(["/mandrill", "/mandrill/"]);

/** Longest path of somebody else's that is told. Characters. */
const MAX_ASKED = 80;

export interface RequestLogOptions {
  readonly logger: Logger;
  /** The path where it is one of the service's, or {@link UNKNOWN_ROUTE}. Asked when the request is over. */
  readonly routeOf: (request: IncomingMessage) => string;
  readonly addressOf: (request: IncomingMessage) => ClientAddress;
  /** Is told of every answer, to count it. Must not throw. */
  readonly onAnswered?: ((route: string, status: number) => void) | undefined;
}

/**
 * One line a request, when it is over: method, path without its query, status, milliseconds, bytes. At `info`, but at
 * `debug` for what {@link QUIET_ROUTES probes} ask and for the webhook. A client's address and the path of what is not
 * there are told at `debug` alone.
 */
export interface RequestLog {
  /** A request has come; the line follows by itself. Sets the header that tells the request's id, and returns it. */
  begin(request: IncomingMessage, response: ServerResponse): string;
  /** A WebSocket handshake was refused. One that was taken is told by its socket's end. */
  refused(request: IncomingMessage, error: ServiceError): void;
}

export function createRequestLog({ logger, routeOf, addressOf, onAnswered }: RequestLogOptions): RequestLog {
  const more = (request: IncomingMessage, route: string): object | undefined => {
    if (!logger.isLevelEnabled("debug")) return undefined;
    const ip = addressOf(request).key;
    return route === UNKNOWN_ROUTE ? { ip, asked: askedPath(request) } : { ip };
  };

  return {
    begin(request, response) {
      const requestId = requestIdOf(request);
      response.setHeader(REQUEST_ID_HEADER, requestId);
      const { method, socket } = request;
      const startedAt = performance.now();
      const writtenBefore = socket.bytesWritten;
      response.once("close", () => {
        const route = routeOf(request);
        const status = response.statusCode;
        onAnswered?.(route, status);
        const level = levelOf(route, status);
        if (!logger.isLevelEnabled(level)) return;
        const durationMs = roundedMs(performance.now() - startedAt);
        const bytes = socket.bytesWritten - writtenBefore;
        const fields = { requestId, method, path: route, status, durationMs, bytes, ...more(request, route) };
        // An event stream has no end of its own: its client goes, or the service.
        logger[level](fields, response.writableFinished ? "request answered" : "request broken off");
      });
      return requestId;
    },
    refused(request, { code, status }) {
      const route = routeOf(request);
      onAnswered?.(route, status);
      const fields = { requestId: requestIdOf(request), method: request.method, path: route, status, code };
      logger.info({ ...fields, ...more(request, route) }, "WebSocket refused");
    },
  };
}

function levelOf(route: string, status: number): "debug" | "info" {
  // Not found: Mandrill was told of a URL outside of BASE_PATH.
  if (WEBHOOK_ROUTES.has(route)) return status === 404 ? "info" : "debug";
  return status < 400 && QUIET_ROUTES.has(route) ? "debug" : "info";
}

/** An address in it is told to the logger, which hides it, in the one form that it knows. */
function askedPath({ url = "" }: IncomingMessage): string {
  const [path = ""] = url.split("?");
  return path.replaceAll(/%40/gi, "@").slice(0, MAX_ASKED);
}

/** To the microsecond. */
function roundedMs(duration: number): number {
  return Math.round(duration * 1_000) / 1_000;
}
