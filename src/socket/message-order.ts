/** Who is at work on a socket's messages. */
export interface MessageHandler {
  /** Of a `subscribe` it resolves when the operation is over. */
  handle(message: string): Promise<void>;
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
  /** Operations that are running: null, or what waits for the end that the client has asked for. */
  readonly #running = new Map<string, string[] | null>();

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  receive(message: string): void {
    const { id, type, isBatch = false } = headOf(message);
    if (isBatch && id !== undefined && type === "subscribe") {
      // The library would take it for a breach of the protocol and close the socket, siblings included.
      this.#handler.batch(id);
      return;
    }
    const held = id === undefined ? undefined : this.#running.get(id);
    if (held != null) {
      held.push(message);
      return;
    }
    if (id !== undefined && type === "complete" && held === null) this.#running.set(id, []);
    const begins = id !== undefined && type === "subscribe" && held === undefined;
    if (begins) this.#running.set(id, null);
    // One function for both ends: it is kept for as long as an operation runs.
    const over = (error?: unknown): void => {
      if (error !== undefined) this.#handler.failed(error);
      if (begins) this.#release(id);
    };
    this.#handler.handle(message).then(over, over);
  }

  #release(id: string): void {
    const waiting = this.#running.get(id) ?? [];
    this.#running.delete(id);
    for (const each of waiting) this.receive(each);
  }
}

/** What the library will find too; nothing where it will refuse the message. */
function headOf(message: string): { readonly id?: string; readonly type?: unknown; readonly isBatch?: boolean } {
  try {
    const { id, type, payload } = JSON.parse(message) as { id?: unknown; type?: unknown; payload?: unknown };
    return typeof id === "string" ? { id, type, isBatch: Array.isArray(payload) } : { type };
  } catch {
    return {};
  }
}
