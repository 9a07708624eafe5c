import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { type ClientOptions, WebSocket } from "ws";

/** A message of the graphql-transport-ws protocol, as it came. */
export interface ServerMessage {
  readonly id?: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  readonly payload?: any;
}

/** A client that speaks the bare protocol and cannot miss a frame: it queues from the first byte on. */
export interface SocketClient extends AsyncDisposable {
  readonly socket: WebSocket;
  /** Payload of the connection_ack; undefined before it. */
  readonly ack: ServerMessage["payload"];
  send(message: object | string): void;
  /** The next message of this operation, or of any where no id is given. Rejects when the socket closes first. */
  next(id?: string): Promise<ServerMessage>;
  /** The next message of this type. */
  nextOfType(type: string): Promise<ServerMessage>;
  subscribe(id: string, query: string, payload?: Record<string, unknown>): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects; resolves when it is open, and acknowledged unless `init` is false. Server pings are answered. */
export async function connectSocket(
  url: string,
  { init = {}, options = {} }: { readonly init?: object | false; readonly options?: ClientOptions } = {},
): Promise<SocketClient> {
  const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL, options);
  const queue: ServerMessage[] = [];
  const waiting = new Set<{
    readonly wanted: (message: ServerMessage) => boolean;
    readonly resolve: (message: ServerMessage) => void;
    readonly reject: (error: Error) => void;
  }>();
  let end: { readonly code: number; readonly reason: string } | undefined;
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as ServerMessage;
    if (message.type === "ping") socket.send(JSON.stringify({ type: "pong" }));
    for (const one of waiting) {
      if (!one.wanted(message)) continue;
      waiting.delete(one);
      one.resolve(message);
      return;
    }
    queue.push(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      end = { code, reason: String(reason) };
      for (const { reject } of waiting) reject(new Error(`the socket closed: ${code} ${reason}`));
      waiting.clear();
      resolve(end);
    });
  });
  const take = (wanted: (message: ServerMessage) => boolean): Promise<ServerMessage> => {
    const index = queue.findIndex(wanted);
    if (index !== -1) return Promise.resolve(queue.splice(index, 1)[0] as ServerMessage);
    if (end !== undefined) return Promise.reject(new Error(`the socket closed: ${end.code} ${end.reason}`));
    return new Promise((resolve, reject) => waiting.add({ wanted, resolve, reject }));
  };
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  const client = {
    socket,
    ack: undefined as ServerMessage["payload"],
    send: (message: object | string) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    next: (id?: string) => take((message) => id === undefined || message.id === id),
    nextOfType: (type: string) => take((message) => message.type === type),
    subscribe: (id: string, query: string, payload: Record<string, unknown> = {}) =>
      socket.send(JSON.stringify({ id, type: "subscribe", payload: { query, ...payload } })),
    closed,
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await closed;
    },
  };
  if (init !== false) {
    client.send({ type: "connection_init", payload: init });
    client.ack = (await client.nextOfType("connection_ack")).payload;
  }
  return client;
}
