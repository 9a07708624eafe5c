import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { GRAPHIQL_PATH, type Graphiql } from "./graphiql.ts";
import { GRAPHQL_PATH } from "./graphql-endpoint.ts";
import type { Health } from "./health.ts";

/** Where Mandrill posts to. */
const WEBHOOK_PATH = "/mandrill";

/** A head that has not arrived by then is given up (slow headers). Milliseconds. */
const HEADERS_TIMEOUT = 15_000;
/** Longer than a proxy keeps its connection idle, so that the proxy and not we ends it (60 s is usual). Milliseconds. */
const KEEP_ALIVE_TIMEOUT = 75_000;

/** Connections that may wait to be accepted: a deploy sends 5,000 clients at once. The kernel's own bound is 4,096. */
const BACKLOG = 4_096;

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly webhook: Handler;
  readonly graphql: Handler;
  readonly graphiql: Graphiql;
  readonly health: Health;
  /** While true, all but health is refused with 503: no new work is begun. */
  readonly isStopping: () => boolean;
  /** Takes over WebSocket handshakes at {@link GRAPHQL_PATH}. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The one port: webhook, GraphQL, health. */
export interface HttpServer {
  /** Resolves to the URL it listens on, or rejects where it cannot. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no new connections and resolves when those that are open have been answered and are gone. */
  close(): Promise<void>;
  /** Breaks off what is still open. */
  destroy(): void;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { logger, webhook, graphql, graphiql, health, isStopping, upgrade } = options;
  const routes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    [WEBHOOK_PATH, webhook],
    [`${WEBHOOK_PATH}/`, webhook],
    [GRAPHQL_PATH, graphql],
    ["/", (_request, response) => void response.writeHead(302, { location: GRAPHQL_PATH }).end()],
  ]);
  const healthRoutes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ["/health", (request, response) => health.alive(request, response)],
    ["/ready", (request, response) => health.ready(request, response)],
  ]);

  const handlerFor = (path: string): Handler => {
    const route = healthRoutes.get(path) ?? (isStopping() ? shuttingDown : routes.get(path));
    if (route !== undefined) return route;
    if (path.startsWith(GRAPHIQL_PATH)) {
      return (request, response) => graphiql.serve(request, response, path.slice(GRAPHIQL_PATH.length));
    }
    return notFound;
  };

  const server = createServer({ headersTimeout: HEADERS_TIMEOUT, keepAliveTimeout: KEEP_ALIVE_TIMEOUT });
  server.on("request", (request, response) => {
    Promise.resolve(handlerFor(pathOf(request))(request, response)).catch((error: unknown) => {
      logger.error({ err: error, path: pathOf(request) }, "a request could not be handled");
      if (response.headersSent) response.destroy();
      else answer(response, 500, "INTERNAL", "Unexpected error.");
    });
  });
  server.on("upgrade", (request, socket, head) => {
    if (pathOf(request) !== GRAPHQL_PATH) refuseUpgrade(socket, 404);
    else if (isStopping()) refuseUpgrade(socket, 503);
    else upgrade(request, socket, head);
  });
  server.on("clientError", (_error, socket) => refuseUpgrade(socket, 400));

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ port, host, backlog: BACKLOG }, () => {
          server.removeListener("error", reject);
          const { address, family, port: bound } = server.address() as AddressInfo;
          const name = family === "IPv6" ? `[${address}]` : address;
          resolve(`http://${name}:${bound}`);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    destroy: () => server.closeAllConnections(),
  };
}

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  const known = `${WEBHOOK_PATH}, ${GRAPHQL_PATH}, /health and /ready`;
  answer(response, 404, "NOT_FOUND", `Nothing is here; there are ${known}.`);
}

function shuttingDown(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("connection", "close");
  response.setHeader("retry-after", "1");
  answer(response, 503, "SHUTTING_DOWN", "This instance is shutting down; another one, or the next, will serve you.");
}

function answer(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify({ code, message })}\n`);
}

function refuseUpgrade(socket: Duplex, status: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** The path of the request's URL; decoding would only blur which route is meant. */
function pathOf(request: IncomingMessage): string {
  const url = request.url ?? "/";
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}
