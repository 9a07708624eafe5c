import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ExecutionArgs, type ExecutionResult, execute, GraphQLError, type GraphQLSchema } from "graphql";
import { handleProtocols, makeServer, type Server } from "graphql-ws";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Scope } from "../access/scope.ts";
import type { QueryContext } from "../graphql/context.ts";
import type { Documents } from "../graphql/documents.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import type { Hub } from "../hub/hub.ts";
import type { Subscriber } from "../hub/subscriber.ts";
import { CLOSE, closeReason } from "./close-code.ts";
import { MessageOrder } from "./message-order.ts";
import { Operation } from "./operation.ts";
import { ParkedStream } from "./parked-stream.ts";
import { createFlushQueue, SocketWriter } from "./socket-writer.ts";

/** A subscribe message holds a document and variables; `ws` would take 100 MiB. Bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** An id is kept a subscription and sent with every frame; clients send 36 characters at the most. */
const MAX_OPERATION_ID_LENGTH = 128;
/** A peer that says nothing after the handshake is sent away. Milliseconds. */
const CONNECTION_INIT_TIMEOUT = 3_000;
/** A ping that has not been answered by then ends its socket. Milliseconds. */
const PONG_TIMEOUT = 10_000;
/** How often sockets are looked over for pings due, pongs missing and readers stalled. Milliseconds. */
const INSPECTION_INTERVAL = 500;

export interface GraphqlSocketsOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly subscriptions: EventSubscriptions;
  readonly hub: Hub;
  readonly logger: Logger;
  /** What a connection's queries may use. */
  readonly contextFor: (scope: Scope) => QueryContext;
  readonly scopeOf: (request: IncomingMessage) => Scope;
  readonly presentError: (error: unknown) => GraphQLError;
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
}

interface Connection {
  readonly socket: WebSocket;
  readonly writer: SocketWriter;
  readonly scope: Scope;
  /** Running eventReceived by operation id. */
  readonly subscribers: Map<string, Subscriber>;
  acknowledged: boolean;
  /** By `performance.now()`. */
  pingDue: number;
  pongDue: number;
}

export function createGraphqlSockets(options: GraphqlSocketsOptions): GraphqlSockets {
  const { hub, logger, presentError } = options;
  const flushes = createFlushQueue();
  const connections = new Set<Connection>();
  let closing = false;

  const server = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: CONNECTION_INIT_TIMEOUT,
    async onConnect({ extra }) {
      await hub.begun();
      extra.acknowledged = true;
      return { head: hub.head };
    },
    onPong({ extra }) {
      extra.pongDue = Number.POSITIVE_INFINITY;
    },
    onSubscribe: ({ extra }, id, payload) => {
      if (id.length > MAX_OPERATION_ID_LENGTH) {
        return [badInput(`An operation id has at most ${MAX_OPERATION_ID_LENGTH} characters.`)];
      }
      const document = options.documents.get(payload.query);
      if (!("kind" in document)) return document.map((error) => presentError(error));
      const args: SocketExecutionArgs = {
        schema: options.schema,
        document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue: options.contextFor(extra.scope),
        connection: extra,
        id,
        after: afterOf(payload.extensions),
      };
      return args;
    },
    execute: async (args) => presentErrors(await execute(args), presentError),
    subscribe: (args) => subscribe(args as SocketExecutionArgs, options),
  });

  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols,
  });

  const inspection = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) inspect(connection, now, options);
  }, INSPECTION_INTERVAL);

  // Apart from the handshake: what is kept with a socket must not keep its request.
  const connect = (socket: WebSocket, stream: Duplex, scope: Scope): void => {
    const connection: Connection = {
      socket,
      writer: new SocketWriter(stream, flushes, options.maxBufferedBytes),
      scope,
      subscribers: new Map(),
      acknowledged: false,
      pingDue: performance.now() + options.pingInterval,
      pongDue: Number.POSITIVE_INFINITY,
    };
    connections.add(connection);
    open(connection, server, logger, () => connections.delete(connection));
  };

  return {
    upgrade(request, socket, head) {
      if (closing) {
        socket.destroy();
        return;
      }
      socket.on("error", destroyOnError);
      const scope = options.scopeOf(request);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => connect(webSocket, socket, scope));
    },
    async close(spreadMs) {
      closing = true;
      const all = [...connections];
      const closed = all.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
      const step = spreadMs / Math.max(1, all.length);
      all.forEach((connection, index) => {
        setTimeout(() => endConnection(connection, CLOSE.restart), step * index);
      });
      await Promise.all(closed);
      clearInterval(inspection);
      webSockets.close();
    },
    destroy() {
      for (const { socket } of connections) socket.terminate();
    },
    get size() {
      return connections.size;
    },
  };
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}

interface SocketExecutionArgs extends ExecutionArgs {
  readonly contextValue: QueryContext;
  readonly connection: Connection;
  readonly id: string;
  readonly after: string | undefined;
}

function open(connection: Connection, server: Server<Connection>, logger: Logger, onClose: () => void): void {
  const { socket, writer } = connection;
  // Told first, the library forgets its operations before anything else hears of the end.
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (message) => writer.text(message),
      close: (code = 1000, reason = "") => endConnection(connection, { code, reason }),
      onMessage: (listener) => {
        const order = new MessageOrder((message) =>
          listener(message).catch((error: unknown) => {
            logger.error({ err: error }, "a socket's message could not be handled");
            endConnection(connection, CLOSE.internal);
          }),
        );
        socket.on("message", (data) => order.receive(String(data)));
      },
    },
    connection,
  );
  socket.on("error", (error) => logger.debug({ err: error }, "a socket failed"));
  socket.once("close", (code, reason) => {
    onClose();
    closed(code, String(reason)).catch((error: unknown) => logger.error({ err: error }, "a socket's end failed"));
  });
}

async function subscribe(
  args: SocketExecutionArgs,
  { subscriptions, presentError }: GraphqlSocketsOptions,
): Promise<ParkedStream | ExecutionResult> {
  const { connection, id } = args;
  const operation = new Operation(id, connection.writer, (error) => stream.fail(presentError(error)));
  let subscriber: Subscriber | undefined;
  const stream = new ParkedStream(() => {
    operation.closed = true;
    subscriber?.close();
    if (connection.subscribers.get(id) === subscriber) connection.subscribers.delete(id);
  });
  const opened = await subscriptions.open({ args, after: args.after, sink: () => operation });
  if ("errors" in opened) {
    // Request errors end an operation by an `error` message: the library sends one for what the stream throws.
    return presentErrors({ errors: opened.errors }, presentError);
  }
  subscriber = opened;
  if (!opened.ended) connection.subscribers.set(id, opened);
  return stream;
}

/** Pings where it is due, and ends a socket whose peer has not answered or does not read. */
function inspect(connection: Connection, now: number, options: GraphqlSocketsOptions): void {
  const { hub, stallTimeout, pingInterval } = options;
  const { socket, writer, subscribers } = connection;
  if (now > connection.pongDue || (writer.fullSince !== null && now - writer.fullSince > stallTimeout)) {
    socket.terminate();
    return;
  }
  if (!connection.acknowledged || now < connection.pingDue) return;
  connection.pingDue = now + pingInterval;
  connection.pongDue = now + PONG_TIMEOUT;
  const positions: Record<string, string> = Object.create(null);
  for (const [id, subscriber] of subscribers) {
    const cursor = hub.servedTo(subscriber);
    if (!subscriber.ended && cursor !== null) positions[id] = cursor;
  }
  writer.text(JSON.stringify({ type: "ping", payload: { head: hub.head, positions } }));
}

function endConnection({ socket, writer }: Connection, { code, reason }: { code: number; reason: string }): void {
  // The close frame goes through `ws` and must not overtake what is queued.
  writer.flush();
  socket.close(code, closeReason(reason));
}

function afterOf(extensions: Record<string, unknown> | null | undefined): string | undefined {
  return typeof extensions?.after === "string" ? extensions.after : undefined;
}

function presentErrors(result: ExecutionResult, present: (error: unknown) => GraphQLError): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(present) };
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });
}
