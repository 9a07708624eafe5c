/** As it was parsed; its text where that is no object, which the library will refuse. */
export type Message = object | string;

/** Who is at work on a socket's messages. */
export interface MessageHandler {
  /** Of a `subscribe` it resolves when the operation is over. */
  handle(message: Message): Promise<void>;
  /** Gets the id of a `subscribe` that asks for several operations at once. */
  batch(id: string): void;
  /** Gets what {@link handle} has rejected with. */
  failed(error: unknown): void;
}

/**
 * Hands a socket's messages on, and holds those of an operation whose end is not over yet. The graphql-ws library
 * knows an operation by its id alone: a successor that begins before its predecessor has ended would be taken for it,
 * run twice or be ended in its place. Messages of other operations never wait.
 */
export class MessageOrder {
  readonly #handler: MessageHandler;
  /** Operations that are running. Few at once, and thousands of sockets: a map each would be a tenth of their memory. */
  #running = NONE;

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  receive(text: string): void {
    this.#take(parsed(text));
  }

  #take(message: Message): void {
    const { id, type, isBatch = false } = headOf(message);
    if (isBatch && id !== undefined && type === "subscribe") {
      // The library would take it for a breach of the protocol and close the socket, siblings included.
      this.#handler.batch(id);
      return;
    }
    const running = this.#running.find((one) => one.id === id);
    if (running?.held != null) {
      running.held.push(message);
      return;
    }
    if (running !== undefined && type === "complete") running.held = [];
    const begins = id !== undefined && type === "subscribe" && running === undefined;
    if (begins) this.#running = this.#running.concat({ id, held: null });
    // One function for both ends: it is kept for as long as an operation runs.
    const over = (error?: unknown): void => {
      if (error !== undefined) this.#handler.failed(error);
      if (begins) this.#release(id);
    };
    this.#handler.handle(message).then(over, over);
  }

  #release(id: string): void {
    const over = this.#running.find((one) => one.id === id);
    this.#running = this.#running.length === 1 ? NONE : this.#running.filter((one) => one !== over);
    for (const each of over?.held ?? []) this.#take(each);
  }
}

interface Running {
  readonly id: string;
  /** What waits for the end that the client has asked for; null while it has not. */
  held: Message[] | null;
}

const NONE: readonly Running[] = Object.freeze([]);

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
