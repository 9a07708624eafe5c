/**
 * What a subscription's `subscribe` gives to the graphql-ws library: it yields nothing, since the group writes the
 * frames, and it ends when the subscription ends, so that the library tells the client and forgets the operation.
 */
export class ParkedStream implements AsyncGenerator<never, undefined> {
  readonly #onReturn: () => void;
  readonly #over = Promise.withResolvers<IteratorResult<never, undefined>>();

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
    // Nobody may be waiting yet when it fails.
    this.#over.promise.catch(() => {});
  }

  /** Ends the operation with an `error` message. */
  fail(error: Error): void {
    this.#over.reject(error);
  }

  next(): Promise<IteratorResult<never, undefined>> {
    return this.#over.promise;
  }

  return(): Promise<IteratorResult<never, undefined>> {
    this.#onReturn();
    this.#over.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<never, undefined>> {
    void this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
