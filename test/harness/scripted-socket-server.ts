import type { AddressInfo } from "node:net";
import { handleProtocols } from "graphql-ws";
import { type WebSocket, WebSocketServer } from "ws";

/** What a client sent, as it came, and on which connection. */
export interface ClientMessage {
  readonly id?: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  readonly payload?: any;
  readonly connection: ScriptedConnection;
}

/** The server's end of one socket. */
export interface ScriptedConnection {
  send(message: object): void;
  close(code: number, reason?: string): void;
  /** Ends an operation with an `error` message. */
  fail(id: string | undefined, extensions: object): void;
  /** Operations that are running on it, by id. */
  readonly running: ReadonlyMap<string, ScriptedOperation>;
}

interface ScriptedOperation {
  /** Gets only events about this recipient. */
  readonly email: string | undefined;
}

/** The document that {@link ScriptedSocketServer} understands, though it looks at the variables alone. */
export const LISTEN =
  "subscription Listen($email: String, $after: Cursor) { eventReceived(email: $email, after: $after) { messageId } }";

/**
 * A server that speaks graphql-transport-ws as contract.graphql says it to clients that resume, over a log in memory.
 * An event is a text, its message's id and its recipient in one; the n-th has the cursor `<epoch>-n`. The test says when
 * the server pings, trims, loses its log or ends what.
 */
export interface ScriptedSocketServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly connections: ReadonlySet<ScriptedConnection>;
  readonly head: string;
  /** Entries that the log has ever had. */
  readonly length: number;
  /** Decides what is done with a connection_init; acknowledges it unless it returns false. */
  onInit: (connection: ScriptedConnection, payload: unknown) => boolean;
  /** Whether a ping says `head` beside `positions`. */
  pingsHead: boolean;
  append(...texts: readonly string[]): void;
  /** Keeps what comes after the first `count` entries. */
  trim(count: number): void;
  /** The log is another one now, holds these texts, and ends every operation with CURSOR_UNKNOWN. */
  replaceLog(...texts: readonly string[]): void;
  /** Pings every connection with the positions of what runs on it. */
  ping(): void;
  /** The next message of this type that no test has taken yet. */
  next(type: string): Promise<ClientMessage>;
  cursor(number: number): string;
  close(): Promise<void>;
}

/** Starts it on a free port of 127.0.0.1, unless one is given. */
export async function createScriptedSocketServer({ port: wanted = 0 } = {}): Promise<ScriptedSocketServer> {
  let epoch = "a";
  let texts: string[] = [];
  let trimmed = 0;
  const connections = new Set<ScriptedConnection>();
  const received: ClientMessage[] = [];
  const waiting: { readonly type: string; readonly resolve: (message: ClientMessage) => void }[] = [];

  const cursor = (number: number): string => `${epoch}-${number}`;
  const ends = () => ({ oldest: texts.length === 0 ? null : cursor(trimmed + 1), head: cursor(texts.length) });
  const offer = (connection: ScriptedConnection, id: string, { email }: ScriptedOperation, number: number): void => {
    const text = texts[number - 1];
    if (email !== undefined && email !== text) return;
    const eventReceived = { __typename: "SendEvent", id: cursor(number), messageId: text };
    const payload = { data: { eventReceived }, extensions: { cursor: cursor(number) } };
    connection.send({ id, type: "next", payload });
  };
  const fail = (connection: ScriptedConnection, id: string, code: string): void => {
    connection.fail(id, { code, ...ends() });
  };

  const subscribe = (
    connection: ScriptedConnection,
    running: Map<string, ScriptedOperation>,
    message: ClientMessage,
  ) => {
    const { id = "", payload } = message;
    if (!payload.query.startsWith("subscription")) {
      connection.send({ id, type: "next", payload: { data: { head: cursor(texts.length) } } });
      connection.send({ id, type: "complete" });
      return;
    }
    const after: string | undefined = payload.extensions?.after ?? payload.variables?.after;
    const operation = { email: payload.variables?.email };
    if (after !== undefined) {
      const [ofEpoch, place] = after.split("-");
      const number = Number(place);
      if (ofEpoch !== epoch || !(number <= texts.length)) return fail(connection, id, "CURSOR_UNKNOWN");
      if (number < trimmed) return fail(connection, id, "CURSOR_EXPIRED");
      for (let next = number + 1; next <= texts.length; next += 1) offer(connection, id, operation, next);
    }
    running.set(id, operation);
  };

  const open = (socket: WebSocket): void => {
    const running = new Map<string, ScriptedOperation>();
    const connection: ScriptedConnection = {
      send: (message) => socket.send(JSON.stringify(message)),
      close: (code, reason) => socket.close(code, reason),
      fail(id = "", extensions) {
        running.delete(id);
        connection.send({ id, type: "error", payload: [{ message: "told", extensions }] });
      },
      running,
    };
    connections.add(connection);
    socket.on("error", () => {});
    socket.on("close", () => connections.delete(connection));
    socket.on("message", (data) => {
      const message: ClientMessage = { ...JSON.parse(String(data)), connection };
      if (message.type === "connection_init" && server.onInit(connection, message.payload)) {
        connection.send({ type: "connection_ack", payload: { head: cursor(texts.length) } });
      }
      if (message.type === "subscribe") subscribe(connection, running, message);
      if (message.type === "complete") running.delete(message.id ?? "");
      const index = waiting.findIndex(({ type }) => type === message.type);
      if (index === -1) received.push(message);
      else waiting.splice(index, 1)[0]?.resolve(message);
    });
  };

  const sockets = new WebSocketServer({ port: wanted, host: "127.0.0.1", handleProtocols });
  sockets.on("connection", open);
  await new Promise((resolve) => sockets.once("listening", resolve));
  const { port } = sockets.address() as AddressInfo;

  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => sockets.close(resolve));
    for (const socket of sockets.clients) socket.terminate();
    await closed;
  };
  const server: ScriptedSocketServer = {
    url: `ws://127.0.0.1:${port}`,
    port,
    connections,
    get head() {
      return cursor(texts.length);
    },
    get length() {
      return texts.length;
    },
    onInit: () => true,
    pingsHead: true,
    append(...more) {
      for (const text of more) {
        texts.push(text);
        for (const connection of connections) {
          for (const [id, operation] of connection.running) offer(connection, id, operation, texts.length);
        }
      }
    },
    trim(count) {
      trimmed = count;
    },
    replaceLog(...others) {
      epoch = String.fromCharCode(epoch.charCodeAt(0) + 1);
      texts = [...others];
      trimmed = 0;
      for (const connection of connections) {
        for (const id of [...connection.running.keys()]) fail(connection, id, "CURSOR_UNKNOWN");
      }
    },
    ping() {
      for (const connection of connections) {
        const positions = Object.fromEntries([...connection.running.keys()].map((id) => [id, cursor(texts.length)]));
        connection.send({ type: "ping", payload: { positions, ...(server.pingsHead ? { head: server.head } : {}) } });
      }
    },
    next(type) {
      const index = received.findIndex((message) => message.type === type);
      if (index !== -1) return Promise.resolve(received.splice(index, 1)[0] as ClientMessage);
      return new Promise((resolve) => waiting.push({ type, resolve }));
    },
    cursor,
    close,
    [Symbol.asyncDispose]: close,
  };
  return server;
}
