import type { Sink } from "graphql-ws";

/** A sink that keeps what it gets, and whose test waits for what is meant. */
export class Listener<T> implements Sink<T> {
  readonly results: T[] = [];
  /** How it ended; rejects never. */
  readonly ended: Promise<{ readonly error?: unknown }>;
  /** How often it was told of an end. */
  ends = 0;
  #end: (end: { readonly error?: unknown }) => void = () => {};
  #waiting: { readonly wanted: (results: readonly T[]) => boolean; readonly resolve: () => void }[] = [];

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  readonly next = (result: T): void => {
    this.results.push(result);
    this.#waiting = this.#waiting.filter(({ wanted, resolve }) => {
      if (!wanted(this.results)) return true;
      resolve();
      return false;
    });
  };

  readonly error = (error: unknown): void => {
    this.ends += 1;
    this.#end({ error });
  };

  readonly complete = (): void => {
    this.ends += 1;
    this.#end({});
  };

  /** Resolves when so many results have come. */
  has(count: number): Promise<void> {
    return this.until((results) => results.length >= count);
  }

  /** Resolves when the results are as wanted. */
  until(wanted: (results: readonly T[]) => boolean): Promise<void> {
    if (wanted(this.results)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }));
  }
}
