import type { ExecutionResult, GraphQLError } from "graphql";
import type { Stay } from "../access/stay.ts";
import type { ServiceError } from "../error.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Run, Sink } from "../hub/subscriber.ts";
import type { SelectionGroup, WrittenResult } from "./group.ts";

/** Results are fetched one by one here, so that a replay need not run far ahead of its reader. */
const ROOM_BYTES = 64 * 1024;

/** Stored bytes that are given out at once to who takes several results: enough to be worth a system call. */
const TAKEN_BYTES = 16 * 1024;

export interface ResultStreamOptions {
  readonly group: SelectionGroup;
  /** Bytes of stored events that may wait for the reader. */
  readonly maxBufferedBytes: number;
  /** How an error that ends the stream is told. */
  readonly present: (error: ServiceError) => GraphQLError;
  /** The reader's: results are given out while it holds. */
  readonly stay: Stay;
  /** The text of several results, for a reader that takes them as one; undefined: it takes them one by one. */
  readonly join?: ((texts: readonly string[]) => string) | undefined;
  /** The reader has gone. */
  readonly onReturn: () => void;
}

/**
 * A subscriber's end that is pulled: GraphQL over SSE as Yoga serves it. The results are those of the group's one
 * execution; a last result with `errors` tells why a stream ended.
 */
export class ResultStream implements AsyncGenerator<ExecutionResult, undefined>, Sink {
  readonly #options: ResultStreamOptions;
  #queue: { readonly result: WrittenResult; readonly bytes: number }[] = [];
  #buffered = 0;
  #error: GraphQLError | null = null;
  #over = false;
  #wakeReader: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;

  constructor(options: ResultStreamOptions) {
    this.#options = options;
  }

  offer(run: Run, from: number): number {
    const results = run.derive("results", () =>
      run.entries.map((entry) => this.#options.group.resultOf(entry, run.kind)),
    );
    let index = from;
    for (; index < run.entries.length; index += 1) {
      const { bytes } = run.entries[index] as LiveEntry;
      if (this.#queue.length > 0 && this.#buffered + bytes > this.#options.maxBufferedBytes) break;
      this.#queue.push({ result: results[index] as WrittenResult, bytes });
      this.#buffered += bytes;
    }
    this.#wakeReader?.();
    return index;
  }

  get isOpen(): boolean {
    return !this.#over;
  }

  get hasRoom(): boolean {
    return this.#buffered < Math.min(ROOM_BYTES, this.#options.maxBufferedBytes);
  }

  drained(): Promise<void> {
    // While anything waits, a result larger than the bound is not let in: resolving then would ask for it in vain.
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  end(error: ServiceError): void {
    this.#error = this.#options.present(error);
    this.#wakeReader?.();
  }

  /** The stay is over: what waits is dropped, and the error comes next. */
  cut(error: ServiceError): void {
    this.#queue = [];
    this.#buffered = 0;
    this.end(error);
    this.#wakeWriter?.();
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    while (!this.#over) {
      // Asked here too, since the reader may have come for it long after it was offered.
      this.#options.stay.holds();
      const value = this.#take();
      if (value !== undefined) {
        if (this.hasRoom) this.#wakeWriter?.();
        return { done: false, value };
      }
      if (this.#error !== null) {
        const value = { errors: [this.#error] };
        this.#over = true;
        return { done: false, value };
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    return { done: true, value: undefined };
  }

  #take(): WrittenResult | undefined {
    const { join } = this.#options;
    const most = join === undefined ? 0 : TAKEN_BYTES;
    const taken: WrittenResult[] = [];
    for (let bytes = 0, next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      bytes += next.bytes;
      if (taken.length > 0 && bytes > most) break;
      this.#queue.shift();
      this.#buffered -= next.bytes;
      taken.push(next.result);
    }
    const [first, ...more] = taken;
    if (first === undefined || join === undefined || more.length === 0) return first;
    return { stringify: () => join(taken.map(({ stringify }) => stringify())) };
  }

  return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#over = true;
    this.#queue = [];
    this.#options.onReturn();
    this.#wakeReader?.();
    this.#wakeWriter?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<ExecutionResult, undefined>> {
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
