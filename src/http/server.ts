import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { ClientAddress } from "../access/client-address.ts";
import type { ConnectionLimit } from "../access/connection-limit.ts";
import type { HttpConfig } from "../config.ts";
import { ServiceError } from "../error.ts";
import { handledRequest, REQUEST_ID_HEADER, requestIdOf } from "../telemetry/request-id.ts";
import { enterBasePath } from "./base-path.ts";
import { EVENTS_PATH } from "./events-endpoint.ts";
import type { Gate } from "./gate.ts";
import { GRAPHIQL_PATH, type Graphiql } from "./graphiql.ts";
import { GRAPHQL_PATH } from "./graphql-endpoint.ts";
import { GRAPHQL_STREAM_PATH } from "./graphql-stream.ts";
import type { Health } from "./health.ts";
import { METRICS_PATH } from "./metrics-endpoint.ts";
import { PAGE_ASSETS_PATH, type Page } from "./page.ts";
import { hasBody, presentable, refuse, refuseConnection, refuseGraphql } from "./refusal.ts";
import { createRequestLog, UNKNOWN_ROUTE } from "./request-log.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { SESSION_PATH } from "./session-endpoint.ts";
import { TICKETS_PATH } from "./tickets-endpoint.ts";

/** Where Mandrill posts to. */
const WEBHOOK_PATH = "/mandrill";

/** Longer than a proxy keeps its connection idle, so that the proxy and not we ends it (60 s is usual). Milliseconds. */
const KEEP_ALIVE_TIMEOUT = 75_000;

/** How often connections are looked over for requests that take too long to arrive. Milliseconds. */
const TIMEOUT_CHECK_INTERVAL = 1_000;

/** Connections that may wait to be accepted: a deploy sends 5,000 clients at once. The kernel's own bound is 4,096. */
const BACKLOG = 4_096;

/** Where a refusal is told as GraphQL tells errors. */
const GRAPHQL_PATHS: ReadonlySet<string> = new Set([GRAPHQL_PATH, GRAPHQL_STREAM_PATH]);

/** Where an answer may stay open whatever is asked; the {@link GRAPHQL_PATHS} count their streams by themselves. */
const STREAM_PATHS: ReadonlySet<string> = new Set([EVENTS_PATH]);

const OPEN_PATHS: ReadonlySet<string> = new Set([WEBHOOK_PATH, `${WEBHOOK_PATH}/`, "/health", "/ready"]);

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly addressOf: (request: IncomingMessage) => ClientAddress;
  /** Is told of every answer, to count it. Must not throw. */
  readonly onAnswered?: ((route: string, status: number) => void) | undefined;
  /** The folder that all is served under, such as `/mail`; empty for none. */
  readonly basePath: string;
  readonly timeouts: Pick<HttpConfig, "headersMs" | "requestMs" | "bodyIdleMs">;
  readonly gate: Gate;
  readonly connections: Pick<ConnectionLimit, "enter">;
  readonly webhook: Handler;
  readonly graphql: Handler;
  readonly graphqlStream: Handler;
  readonly events: Handler;
  readonly tickets: Handler;
  readonly session: Handler;
  /** null where the metrics have a port of their own. */
  readonly metrics: Handler | null;
  /** null where browsers get no GraphiQL. */
  readonly graphiql: Graphiql | null;
  readonly page: Page;
  readonly health: Health;
  /** While true, all but health is refused with 503: no new work is begun. */
  readonly isStopping: () => boolean;
  /** Takes over WebSocket handshakes at {@link GRAPHQL_PATH}. Throws the ServiceError by which one is refused. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The one port: webhook, GraphQL, live page, health. */
export interface HttpServer {
  /** Resolves to the URL it listens on, or rejects where it cannot. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no new connections and resolves when those that are open have been answered and are gone. */
  close(): Promise<void>;
  /** Breaks off what is still open. */
  destroy(): void;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { logger, basePath, timeouts, gate, connections, webhook, graphql, graphiql, health, isStopping, upgrade } =
    options;
  const routes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    [WEBHOOK_PATH, webhook],
    [`${WEBHOOK_PATH}/`, webhook],
    [GRAPHQL_PATH, graphql],
    [GRAPHQL_STREAM_PATH, options.graphqlStream],
    [EVENTS_PATH, options.events],
    [TICKETS_PATH, options.tickets],
    [SESSION_PATH, options.session],
    ...(options.metrics === null ? [] : [[METRICS_PATH, options.metrics] as const]),
    ["/", (request, response) => options.page.index(request, response)],
  ]);
  const healthRoutes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ["/health", (request, response) => health.alive(request, response)],
    ["/ready", (request, response) => health.ready(request, response)],
  ]);

  const handlerFor = (path: string): Handler => {
    const route = healthRoutes.get(path) ?? (isStopping() ? shuttingDown : routes.get(path));
    if (route !== undefined) return route;
    if (graphiql !== null && path.startsWith(GRAPHIQL_PATH)) {
      return (request, response) => graphiql.serve(request, response, path.slice(GRAPHIQL_PATH.length));
    }
    if (path.startsWith(PAGE_ASSETS_PATH)) {
      return (request, response) => options.page.asset(request, response, path.slice(PAGE_ASSETS_PATH.length));
    }
    return () => notFound(basePath);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const place = enterBasePath(request, basePath);
    if (place === "outside") return notFound(basePath);
    if (place === "at-its-edge") return void response.writeHead(308, { location: `${basePath}/` }).end();
    const path = pathOf(request);
    response.setHeaders(SECURITY_HEADERS);
    // Mandrill and probes know neither names nor origins; the webhook has a way of its own to wait for its body.
    if (!isOpenToAll(path)) {
      if (gate.introduce(request, response)) return;
      gate.admit(request);
      giveUpStalledBody(request, response, timeouts.bodyIdleMs);
      if (STREAM_PATHS.has(path)) response.once("close", connections.enter(request));
    }
    await handlerFor(path)(request, response);
  };

  /** The path as the log and the metrics have it: one of few. */
  const routeOf = (request: IncomingMessage): string => {
    const path = pathOf(request);
    if (routes.has(path) || healthRoutes.has(path)) return path;
    return [GRAPHIQL_PATH, PAGE_ASSETS_PATH].find((folder) => path.startsWith(folder)) ?? UNKNOWN_ROUTE;
  };
  const requestLog = createRequestLog({ ...options, routeOf });

  const server = createServer({
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  });
  server.on("request", (request, response) => {
    const requestId = requestLog.begin(request, response);
    handledRequest.run(requestId, () => {
      handle(request, response).catch((error: unknown) => {
        const refusal = presentable(error, logger);
        if (response.headersSent) response.destroy();
        else refuseByPath(request, response, refusal);
      });
    });
  });
  server.on("upgrade", (request, socket, head) => {
    try {
      if (enterBasePath(request, basePath) !== "within" || pathOf(request) !== GRAPHQL_PATH) notFound(basePath);
      if (isStopping()) throw stopping();
      gate.admit(request);
      upgrade(request, socket, head);
    } catch (error) {
      const requestId = requestIdOf(request);
      const refusal = presentable(error, logger, requestId);
      refuseConnection(socket, refusal.status, refusal, { [REQUEST_ID_HEADER]: requestId });
      requestLog.refused(request, refusal);
    }
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "HPE_HEADER_OVERFLOW") refuseConnection(socket, 431);
    else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") refuseConnection(socket, 408, tooSlow());
    else refuseConnection(socket, 400);
  });

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

function notFound(basePath: string): void {
  const known = [WEBHOOK_PATH, GRAPHQL_PATH, EVENTS_PATH].map((path) => basePath + path).join(", ");
  throw new ServiceError("NOT_FOUND", `Nothing is here; there are ${known}, /health and /ready.`);
}

function shuttingDown(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("connection", "close");
  throw stopping();
}

function stopping(): ServiceError {
  return new ServiceError("SHUTTING_DOWN", "This instance is shutting down; another one, or the next, will serve you.");
}

/** Paths that are asked by machines which know nothing of our names, pages and tokens. */
function isOpenToAll(path: string): boolean {
  return OPEN_PATHS.has(path);
}

/** Everything but a batch is small: what has not come whole by then will not come. */
function giveUpStalledBody(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  if (!hasBody(request)) return;
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent) refuseByPath(request, response, tooSlow());
    response.once("finish", () => request.destroy());
  }, timeoutMs);
  const stop = (): void => clearTimeout(timer);
  request.once("close", stop);
  response.once("close", stop);
}

function refuseByPath(request: IncomingMessage, response: ServerResponse, error: ServiceError): void {
  if (GRAPHQL_PATHS.has(pathOf(request))) refuseGraphql(request, response, error);
  else refuse(request, response, error);
}

function tooSlow(): ServiceError {
  return new ServiceError("REQUEST_TIMEOUT", "The request took too long to arrive.");
}

/** The path of the request's URL; decoding would only blur which route is meant. */
function pathOf(request: IncomingMessage): string {
  const url = request.url ?? "/";
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}
