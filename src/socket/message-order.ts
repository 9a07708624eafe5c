/**
 * Hands a socket's messages on, and holds those of an operation whose end is not over yet. The graphql-ws library
 * knows an operation by its id alone: a successor that begins before its predecessor has ended would be taken for it,
 * run twice or be ended in its place. Messages of other operations never wait.
 */
export class MessageOrder {
  readonly #handle: (message: string) => Promise<void>;
  /** Operations that the library is at work on. */
  readonly #running = new Map<string, Promise<void>>();
  /** What waits, by the id of the operation that ends. */
  readonly #held = new Map<string, string[]>();

  /**
   * @param handle must not reject; of a `subscribe` it resolves when the operation is over
   */
  constructor(handle: (message: string) => Promise<void>) {
    this.#handle = handle;
  }

  receive(message: string): void {
    const { id, type } = headOf(message);
    const held = id === undefined ? undefined : this.#held.get(id);
    if (held !== undefined) {
      held.push(message);
      return;
    }
    const handled = this.#handle(message);
    if (id === undefined) return;
    if (type === "subscribe" && !this.#running.has(id)) {
      this.#running.set(id, handled);
      void handled.then(() => this.#running.delete(id));
    }
    const running = type === "complete" ? this.#running.get(id) : undefined;
    if (running === undefined) return;
    this.#held.set(id, []);
    void running.then(() => {
      const waiting = this.#held.get(id) ?? [];
      this.#held.delete(id);
      for (const each of waiting) this.receive(each);
    });
  }
}

/** What the library will find too; nothing where it will refuse the message. */
function headOf(message: string): { readonly id?: string; readonly type?: unknown } {
  try {
    const { id, type } = JSON.parse(message) as { id?: unknown; type?: unknown };
    return typeof id === "string" ? { id, type } : { type };
  } catch {
    return {};
  }
}
