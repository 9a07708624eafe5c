import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from "graphql";
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from "graphql-ws";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { Access } from "../access/access.ts";
import type { ConnectionLimit } from "../access/connection-limit.ts";
import { createQuota, type Quota } from "../access/quota.ts";
import type { Scope } from "../access/scope.ts";
import type { Viewer } from "../access/viewer.ts";
import type { SocketConfig } from "../config.ts";
import { logUnavailable, ServiceError } from "../error.ts";
import { refusalOfOperation } from "../graphql/admission.ts";
import type { EventContext, QueryContext } from "../graphql/context.ts";
import type { Documents } from "../graphql/documents.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import type { Hub } from "../hub/hub.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../telemetry/request-id.ts";
import { CLOSE } from "./close-code.ts";
import { ConnectedSocket, Connection, type ConnectionOptions } from "./connection.ts";
import { HeadWait } from "./head-wait.ts";
import { Operation } from "./operation.ts";
import { viewerOfInit } from "./sign-in.ts";
import { createSocketEnds, type SocketEnd } from "./socket-ends.ts";
import { createFlushQueue, type SentTally, SocketWriter } from "./socket-writer.ts";

/** A ping that has not been answered by then ends its socket. Milliseconds. */
const PONG_TIMEOUT = 10_000;
/** How often sockets are looked over for pings due, pongs missing and readers stalled. Milliseconds. */
const INSPECTION_INTERVAL = 500;

export interface GraphqlSocketsOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly subscriptions: EventSubscriptions;
  readonly hub: Hub;
  /** Where sockets are counted by their peers' address. */
  readonly connections: Pick<ConnectionLimit, "hold" | "leave">;
  /** Where they are counted by their viewer's token. @default in this process alone */
  readonly byToken?: Quota | undefined;
  readonly logger: Logger;
  /** What a connection's queries may use. */
  readonly contextFor: (scope: Scope) => QueryContext;
  readonly access: Access;
  readonly presentError: (error: unknown) => GraphQLError;
  readonly limits: SocketConfig;
  /** Bytes that may wait for one socket. */
  readonly maxBufferedBytes: number;
  /** A socket that has been full for so long is terminated. Milliseconds. */
  readonly stallTimeout: number;
  /**
   * How often a socket is pinged. A peer that is gone without a word is found within this and {@link PONG_TIMEOUT}.
   * Milliseconds.
   */
  readonly pingInterval: number;
}

/** GraphQL over WebSocket: the graphql-transport-ws protocol. */
export interface GraphqlSockets {
  /** Takes over an HTTP upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Takes no new sockets and ends every open one with "service restart", spread over `spreadMs` so that the clients do
   * not all come back in one second. Resolves when all are gone.
   */
  close(spreadMs: number): Promise<void>;
  /** Breaks off what is still open. */
  destroy(): void;
  readonly size: number;
  /** What all sockets were sent so far. */
  readonly sent: Readonly<SentTally>;
  /** Ends so far, by close code. */
  readonly endsByCode: Readonly<Record<string, number>>;
}

export function createGraphqlSockets(options: GraphqlSocketsOptions): GraphqlSockets {
  const { hub, logger, presentError, limits, access, byToken = createQuota() } = options;
  const flushes = createFlushQueue(options.maxBufferedBytes);
  const ends = createSocketEnds(logger);
  const open = new Set<Connection>();
  const headWait = new HeadWait<Connection>(hub);
  let closing = false;

  const server = makeServer<Record<string, unknown>, Connection>({
    // Looked after by `inspect`: a timer a socket would be kept as long as the socket.
    connectionInitWaitTimeout: 0,
    async onConnect(context) {
      const { extra, connectionParams } = context;
      extra.context = context;
      let viewer: Viewer;
      try {
        viewer = await viewerOfInit(connectionParams, extra.takeHandshake(), access);
      } catch (error) {
        extra.turnAway(error);
        return false;
      }
      if (!extra.letIn(viewer, access.stays)) return false;
      if (!extra.countBy(byToken, limits.maxPerToken)) return false;
      if (!(await headWait.wait(extra))) return false;
      return { head: hub.head };
    },
    onPong({ extra }) {
      extra.pongDue = null;
    },
    onSubscribe: ({ extra, subscriptions }, id, payload) => {
      if (closing) {
        // No new work; and an error would end the operation for good, where its client begins it anew after a restart.
        extra.end(CLOSE.restart);
        return [presentError(new ServiceError("SHUTTING_DOWN", CLOSE.restart.reason))];
      }
      const refusal = refusalOfOperation({ id, running: Object.keys(subscriptions).length }, limits);
      if (refusal !== null) return [refusal];
      const document = options.documents.get(payload);
      if (!("kind" in document)) return document.map((error) => presentError(error));
      shareText(payload, document);
      const args: SocketExecutionArgs = {
        schema: options.schema,
        hideSuggestions: options.documents.hideSuggestions,
        document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue: contextOf(extra, getOperationAST(document, payload.operationName)),
        // Here already: a property that the library adds takes more.
        rootValue: undefined,
        connection: extra,
        id,
        after: afterOf(payload.extensions),
      };
      return args;
    },
    execute: async (args) => presentErrors(await execute(args), presentError),
    subscribe: (args) => subscribe(args as SocketExecutionArgs, options),
  });

  const eventContexts = new WeakMap<Scope, EventContext>();
  /** A subscription keeps it for as long as it runs: one for all of one scope. */
  const eventContextOf = (scope: Scope): EventContext => {
    const context = eventContexts.get(scope) ?? { scope };
    eventContexts.set(scope, context);
    return context;
  };
  /** What the operation's execution may know of its viewer. */
  const contextOf = (
    connection: Connection,
    operation: OperationDefinitionNode | null | undefined,
  ): EventContext | QueryContext => {
    const { viewer } = connection;
    if (viewer === null) throw new ServiceError("UNAUTHENTICATED", "Nobody was let in.");
    const { scope } = viewer;
    if (operation?.operation === "subscription") return eventContextOf(scope);
    const renewToken = async (token: string): Promise<number> => {
      const viewer = await access.viewerOfToken(token);
      const isAnother = viewer.subject !== connection.viewer?.subject;
      const expiresAt = connection.renew(viewer);
      if (isAnother) connection.countBy(byToken, limits.maxPerToken);
      return expiresAt;
    };
    return { ...options.contextFor(scope), renewToken };
  };

  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols,
    WebSocket: ConnectedSocket,
    // They are tracked here.
    clientTracking: false,
  });

  webSockets.on("headers", (headers, request) => {
    headers.push(`${REQUEST_ID_HEADER}: ${requestIdOf(request)}`);
  });

  const inspection = setInterval(() => {
    const now = wholeNow();
    for (const connection of open) inspect(connection, now, options);
  }, INSPECTION_INTERVAL);

  // Apart from the handshake: what is kept with a socket must not keep its request.
  const connect = (socket: ConnectedSocket, stream: Duplex, handshake: Handshake): void => {
    // From here on `ws` has a listener of its own.
    stream.off("error", destroyOnError);
    stream.off("close", handshake.leave);
    const { place, requestId, fromHandshake } = handshake;
    const now = wholeNow();
    const connection = new Connection({
      socket,
      writer: new SocketWriter(stream, flushes),
      place,
      requestId,
      fromHandshake,
      openedAt: now,
      pingDue: now + options.pingInterval,
      messagesPerMinute: limits.maxMessagesPerMinute,
      logger,
      onClose: forget,
    });
    open.add(connection);
    connection.open(server);
  };
  const forget = (connection: Connection, end: SocketEnd): void => {
    open.delete(connection);
    headWait.letGo(connection);
    options.connections.leave(connection.place);
    ends.note(end);
  };

  return {
    upgrade(request, socket, head) {
      if (closing) {
        socket.destroy();
        return;
      }
      const place = options.connections.hold(request);
      const leave = (): void => options.connections.leave(place);
      socket.on("close", leave);
      socket.on("error", destroyOnError);
      const viewer = access.viewerOf(request);
      // Told to the client once it says who it is: a close code reaches a browser, a refused handshake does not.
      viewer.catch(() => {});
      const handshake = { fromHandshake: viewer, requestId: requestIdOf(request), place, leave };
      webSockets.handleUpgrade(request, socket, head, (webSocket) => connect(webSocket, socket, handshake));
    },
    async close(spreadMs) {
      closing = true;
      const all = [...open];
      const closed = all.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
      const step = spreadMs / Math.max(1, all.length);
      all.forEach((connection, index) => {
        setTimeout(() => connection.end(CLOSE.restart), step * index);
      });
      await Promise.all(closed);
      clearInterval(inspection);
      webSockets.close();
    },
    destroy() {
      for (const connection of open) connection.terminate("Not gone when the service had to stop");
    },
    get size() {
      return open.size;
    },
    sent: flushes.sent,
    endsByCode: ends.byCode,
  };
}

function wholeNow(): number {
  return Math.round(performance.now());
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}

/** What is kept of a handshake. */
interface Handshake extends Pick<ConnectionOptions, "fromHandshake" | "requestId" | "place"> {
  /** What listens to the end of the stream until its connection does: one function a socket less. */
  readonly leave: () => void;
}

interface SocketExecutionArgs extends ExecutionArgs {
  readonly contextValue: EventContext;
  readonly connection: Connection;
  readonly id: string;
  readonly after: string | undefined;
}

async function subscribe(
  args: SocketExecutionArgs,
  { subscriptions, presentError }: GraphqlSocketsOptions,
): Promise<Operation | ExecutionResult> {
  let operation: Operation | undefined;
  const sink = (): Operation => {
    operation = new Operation(args.id, args.connection.writer, presentError);
    return operation;
  };
  const opened = await subscriptions.open({ args, after: args.after, sink });
  // Request errors end an operation by an `error` message: the library sends one for what the stream throws.
  if ("errors" in opened || operation === undefined) {
    return presentErrors({ errors: "errors" in opened ? opened.errors : [] }, presentError);
  }
  operation.subscriber = opened;
  return operation;
}

/** Pings where it is due, and ends a socket whose peer has not answered or does not read. */
function inspect(connection: Connection, now: number, options: GraphqlSocketsOptions): void {
  const { hub, limits, stallTimeout, pingInterval } = options;
  const { writer } = connection;
  // What would be overdue by the next look is due now: together, the times of ping and pong are kept.
  const soon = now + INSPECTION_INTERVAL;
  const isStalled = writer.fullSince !== null && now - writer.fullSince > stallTimeout;
  const isSilent = connection.pongDue !== null && soon > connection.pongDue;
  if (isSilent || isStalled) {
    connection.terminate(isStalled ? "Reads nothing" : "No pong");
    return;
  }
  if (connection.context === null && now > connection.openedAt + limits.initMs) {
    connection.close(CloseCode.ConnectionInitialisationTimeout, "Connection initialisation timeout");
  }
  if (connection.context?.acknowledged !== true && now > connection.openedAt + limits.authenticationMs) {
    if (connection.viewer === null) connection.end(CLOSE.unauthenticated);
    // Another instance may know the log, and a client that is told tries again.
    else connection.turnAway(logUnavailable("The event log has not answered since this service was started."));
  }
  if (connection.context?.acknowledged !== true || soon < connection.pingDue) return;
  connection.pingDue = now + pingInterval;
  connection.pongDue = now + PONG_TIMEOUT;
  const positions: Record<string, string> = Object.create(null);
  for (const [id, subscriber] of connection.subscribers()) {
    const cursor = hub.servedTo(subscriber);
    if (cursor !== null) positions[id] = cursor;
  }
  writer.text(JSON.stringify({ type: "ping", payload: { head: hub.head, positions } }));
}

/** The library keeps a message for as long as its operation runs: with the document's own text, which all share. */
function shareText(payload: SubscribePayload, { loc }: DocumentNode): void {
  if (loc !== undefined && loc.source.body === payload.query) Object.assign(payload, { query: loc.source.body });
}

function afterOf(extensions: Record<string, unknown> | null | undefined): string | undefined {
  return typeof extensions?.after === "string" ? extensions.after : undefined;
}

function presentErrors(result: ExecutionResult, present: (error: unknown) => GraphQLError): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(present) };
}
