import { CloseCode, type Context, type WebSocket as LibrarySocket, type Server } from "graphql-ws";
import type { Logger } from "pino";
import { type RawData, WebSocket } from "ws";
import { MessageRate } from "../access/message-rate.ts";
import type { Quota } from "../access/quota.ts";
import { scopeKey } from "../access/scope.ts";
import type { Stay, Stays } from "../access/stay.ts";
import type { Viewer } from "../access/viewer.ts";
import { ERRORS, ServiceError } from "../error.ts";
import { batchRefused } from "../graphql/admission.ts";
import type { Subscriber } from "../hub/subscriber.ts";
import { CLOSE, closeReason } from "./close-code.ts";
import { type Message, type MessageHandler, type Running, receiveInOrder } from "./message-order.ts";
import { Operation } from "./operation.ts";
import type { SocketEnd } from "./socket-ends.ts";
import type { SocketWriter } from "./socket-writer.ts";

/** RFC 6455, section 7.1.5: no close frame has come. */
const ABNORMAL_CLOSURE = 1006;

type MessageListener = Parameters<LibrarySocket["onMessage"]>[0];

/**
 * A WebSocket that knows its connection, so that one set of listeners serves all: with thousands of sockets, functions
 * of their own would be a good part of what each takes.
 */
export class ConnectedSocket extends WebSocket {
  connection: Connection | null = null;
}

export interface ConnectionOptions {
  readonly socket: ConnectedSocket;
  readonly writer: SocketWriter;
  readonly fromHandshake: Promise<Viewer>;
  /** The id of its handshake. */
  readonly requestId: string;
  /** By `performance.now()`, in whole milliseconds. */
  readonly openedAt: number;
  readonly pingDue: number;
  /** Where it is counted among the connections of its address. */
  readonly place: string;
  readonly messagesPerMinute: number;
  readonly logger: Logger;
  readonly onClose: (connection: Connection, end: SocketEnd) => void;
}

/** One open socket: the graphql-ws library's way to its peer, and what the service knows of it. */
export class Connection implements LibrarySocket, MessageHandler {
  readonly socket: ConnectedSocket;
  readonly writer: SocketWriter;
  /** The library's own record; null until `connection_init`. */
  context: Context<Record<string, unknown>, Connection> | null = null;
  readonly place: string;
  /** Times by `performance.now()`, in whole milliseconds: others take memory of their own each. */
  readonly openedAt: number;
  pingDue: number;
  /** null while none is awaited. */
  pongDue: number | null = null;
  readonly #rate: MessageRate;
  readonly #logger: Logger;
  readonly #requestId: string;
  readonly #onClose: ConnectionOptions["onClose"];
  /** By which this service has ended it; null while it has not. */
  #endedBy: { readonly code: number; readonly reason: string } | null = null;
  running: Running | null = null;
  /** Who connected, as far as the handshake tells; null once that was asked for. */
  #fromHandshake: Promise<Viewer> | null;
  #stay: Stay | null = null;
  #leaveToken: (() => void) | null = null;
  #listener: MessageListener | null = null;
  #closed: ReturnType<Server<Connection>["opened"]> | null = null;

  constructor({ socket, writer, fromHandshake, requestId, logger, onClose, ...rest }: ConnectionOptions) {
    this.#requestId = requestId;
    this.socket = socket;
    this.writer = writer;
    this.#fromHandshake = fromHandshake;
    this.place = rest.place;
    this.openedAt = rest.openedAt;
    this.pingDue = rest.pingDue;
    this.#rate = new MessageRate(rest.messagesPerMinute, rest.openedAt);
    this.#logger = logger;
    this.#onClose = onClose;
    socket.connection = this;
  }

  /** Hands the socket to the library. */
  open(server: Server<Connection>): void {
    this.#closed = server.opened(this, this);
    this.socket.on("message", onMessage);
    this.socket.on("error", onError);
    this.socket.on("close", onClose);
  }

  /** Who listens; null until they are let in. */
  get viewer(): Viewer | null {
    return this.#stay?.viewer ?? null;
  }

  /** Who connected, as far as the handshake tells: to be asked once. */
  takeHandshake(): Promise<Viewer> {
    const viewer = this.#fromHandshake ?? Promise.reject(new ServiceError("UNAUTHENTICATED", "Nobody is known."));
    this.#fromHandshake = null;
    return viewer;
  }

  /** Lets the viewer in, until their token no longer holds; false where the socket has gone meanwhile. */
  letIn(viewer: Viewer, stays: Stays): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.#stay = stays.begin(viewer, (error) => this.#expel(error));
    this.writer.stay = this.#stay;
    return this.#stay.holds();
  }

  /** Goes on with a fresh token; returns when that expires. Throws FORBIDDEN where its scope is another. */
  renew(viewer: Viewer): number {
    const stay = this.#stay;
    if (stay === null || !stay.holds()) throw new ServiceError("UNAUTHENTICATED", CLOSE.tokenOver.reason);
    if (scopeKey(viewer.scope) !== scopeKey(stay.viewer.scope)) {
      throw new ServiceError("FORBIDDEN", "The fresh token may not see the same as the first: connect anew with it.");
    }
    stay.renew(viewer);
    return viewer.expiresAt;
  }

  /** Ends it because its peer was not let in. */
  turnAway(error: unknown): void {
    if (error instanceof ServiceError)
      this.#close(ERRORS[error.code].close ?? CLOSE.internal.code, error.message, error.code);
    else this.failed(error);
  }

  #expel({ message }: ServiceError): void {
    const hasAll = this.writer.cut();
    for (const [, subscriber] of this.subscribers()) subscriber.close();
    this.#endedBy ??= { code: CLOSE.tokenOver.code, reason: message };
    // Behind what the peer has yet to read, a close frame would let it read on.
    if (hasAll) this.socket.close(CLOSE.tokenOver.code, closeReason(message));
    else this.socket.terminate();
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  /** Running eventReceived by operation id. */
  *subscribers(): Generator<readonly [id: string, subscriber: Subscriber]> {
    for (const [id, stream] of Object.entries(this.context?.subscriptions ?? {})) {
      if (stream instanceof Operation && stream.subscriber?.ended === false) yield [id, stream.subscriber];
    }
  }

  send(message: string): void {
    this.writer.text(message);
  }

  /** Ends it as the library asks for it. */
  close(code = 1000, reason = ""): void {
    // Its reasons quote the peer: an operation's id, a message.
    this.#close(code, reason, CloseCode[code] ?? "");
  }

  end({ code, reason }: (typeof CLOSE)[keyof typeof CLOSE]): void {
    this.#close(code, reason, reason);
  }

  /** Breaks it off: its peer would read no close frame. */
  terminate(reason: string): void {
    this.#endedBy ??= { code: ABNORMAL_CLOSURE, reason };
    this.socket.terminate();
  }

  #close(code: number, reason: string, told: string): void {
    this.#endedBy ??= { code, reason: told };
    // The close frame goes through `ws` and must not overtake what is queued.
    this.writer.flush();
    // Nor may anything follow it: RFC 6455, section 5.5.1.
    this.writer.cut();
    this.socket.close(code, closeReason(reason));
  }

  onMessage(listener: MessageListener): void {
    this.#listener = listener;
  }

  receive(message: string): void {
    // Behind our close frame nothing counts any more.
    if (this.socket.readyState !== WebSocket.OPEN || this.#stay?.holds() === false) return;
    if (this.#rate.admits(Math.round(performance.now()))) receiveInOrder(this, message);
    else this.end(CLOSE.tooManyMessages);
  }

  /** Counts it among those of its viewer's token, and ends it where there are too many; false then. */
  countBy(byToken: Quota, maxPerToken: number): boolean {
    const subject = this.viewer?.subject ?? "";
    if (subject === "") return true;
    this.#leaveToken?.();
    this.#leaveToken = byToken.take(subject, maxPerToken);
    if (this.#leaveToken !== null && this.socket.readyState === WebSocket.OPEN) return true;
    this.#leaveToken?.();
    this.end(CLOSE.tooManySockets);
    return false;
  }

  batch(id: string): void {
    if (this.context?.acknowledged !== true) {
      this.end(CLOSE.unauthorized);
      return;
    }
    this.send(JSON.stringify({ id, type: "error", payload: [batchRefused()] }));
  }

  handle(message: Message): Promise<void> {
    // The library takes what is parsed as it is (its `parseMessage`), and keeps it while the operation runs: an object
    // of which most is shared, and not the text besides.
    return this.#listener?.(message as string) ?? Promise.resolve();
  }

  failed(error: unknown): void {
    this.#logger.error({ err: error }, "a socket's message could not be handled");
    this.end(CLOSE.internal);
  }

  broken(error: Error): void {
    this.#logger.debug({ err: error }, "a socket failed");
  }

  closed(code: number, reason: string): void {
    this.#leaveToken?.();
    this.#stay?.leave();
    const end = this.#endedBy ?? {
      code,
      reason: code === ABNORMAL_CLOSURE ? "Connection lost" : "Closed by its client",
    };
    this.#onClose(this, {
      requestId: this.#requestId,
      ...end,
      durationMs: Math.round(performance.now() - this.openedAt),
    });
    this.#closed?.(code, reason).catch((error: unknown) => this.#logger.error({ err: error }, "a socket's end failed"));
  }
}

function onMessage(this: WebSocket, data: RawData): void {
  (this as ConnectedSocket).connection?.receive(String(data));
}

function onError(this: WebSocket, error: Error): void {
  (this as ConnectedSocket).connection?.broken(error);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as ConnectedSocket).connection?.closed(code, String(reason));
}
