/** As it was parsed; its text where that is no object, which the library will refuse. */
export type Message = object | string;

/** Who is at work on a socket's messages. */
export interface MessageHandler {
  /** The operation that began last and still runs; kept here, and nobody else's. */
  running: Running | null;
  /** Of a `subscribe` it resolves when the operation is over. */
  handle(message: Message): Promise<void>;
  /** Gets the id of a `subscribe` that asks for several operations at once. */
  batch(id: string): void;
  /** Gets what {@link handle} has rejected with. */
  failed(error: unknown): void;
}

/** An operation that runs, and the one that began before it: thousands of sockets run one each, and few run many. */
export interface Running {
  readonly id: string;
  /** What waits for the end that the client has asked for; null while it has not. */
  held: Message[] | null;
  before: Running | null;
}

/**
 * Hands a socket's messages on, and holds those of an operation whose end is not over yet. The graphql-ws library
 * knows an operation by its id alone: a successor that begins before its predecessor has ended would be taken for it,
 * run twice or be ended in its place. Messages of other operations never wait.
 */
export function receiveInOrder(handler: MessageHandler, text: string): void {
  take(handler, parsed(text));
}

function take(handler: MessageHandler, message: Message): void {
  const { id, type, isBatch = false } = headOf(message);
  if (isBatch && id !== undefined && type === "subscribe") {
    // The library would take it for a breach of the protocol and close the socket, siblings included.
    handler.batch(id);
    return;
  }
  const running = find(handler, id);
  if (running !== null && running.held !== null) {
    running.held.push(message);
    return;
  }
  if (running !== null && type === "complete") running.held = [];
  const begun = id !== undefined && type === "subscribe" && running === null ? begin(handler, id) : null;
  // One function for both ends: it is kept for as long as an operation runs.
  const over = (error?: unknown): void => {
    if (error !== undefined) handler.failed(error);
    if (begun !== null) release(handler, begun);
  };
  handler.handle(message).then(over, over);
}

function find({ running }: MessageHandler, id: string | undefined): Running | null {
  for (let one = running; one !== null; one = one.before) if (one.id === id) return one;
  return null;
}

function begin(handler: MessageHandler, id: string): Running {
  handler.running = { id, held: null, before: handler.running };
  return handler.running;
}

function release(handler: MessageHandler, over: Running): void {
  if (handler.running === over) handler.running = over.before;
  else
    for (let one = handler.running; one !== null; one = one.before) if (one.before === over) one.before = over.before;
  for (const each of over.held ?? []) take(handler, each);
}

/** An object only: a string in JSON would be taken for a text again. */
function parsed(text: string): Message {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null ? message : text;
  } catch {
    return text;
  }
}

/** What the library will find too; nothing where it will refuse the message. */
function headOf(message: Message): { readonly id?: string; readonly type?: unknown; readonly isBatch?: boolean } {
  if (typeof message === "string") return {};
  const { id, type, payload } = message as { id?: unknown; type?: unknown; payload?: unknown };
  return typeof id === "string" ? { id, type, isBatch: Array.isArray(payload) } : { type };
}
