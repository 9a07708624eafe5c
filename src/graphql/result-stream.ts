import type { ExecutionResult, GraphQLError } from "graphql";
import type { Stay } from "../access/stay.ts";
import type { ServiceError } from "../error.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Run, Sink } from "../hub/subscriber.ts";
import type { SelectionGroup } from "./group.ts";

/** Results are fetched one by one here, so that a replay need not run far ahead of its reader. */
const ROOM_BYTES = 64 * 1024;

export interface ResultStreamOptions {
  readonly group: SelectionGroup;
  /** Bytes of stored events that may wait for the reader. */
  readonly maxBufferedBytes: number;
  /** How an error that ends the stream is told. */
  readonly present: (error: ServiceError) => GraphQLError;
  /** The reader's: results are given out while it holds. */
  readonly stay: Stay;
  /** The reader has gone. */
  readonly onReturn: () => void;
}

/**
 * A subscriber's end that is pulled: GraphQL over SSE as Yoga serves it. The results are those of the group's one
 * execution; a last result with `errors` tells why a stream ended.
 */
export class ResultStream implements AsyncGenerator<ExecutionResult, undefined>, Sink {
  readonly #options: ResultStreamOptions;
  #queue: { readonly result: ExecutionResult; readonly bytes: number }[] = [];
  #buffered = 0;
  #error: GraphQLError | null = null;
  #over = false;
  #wakeReader: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;

  constructor(options: ResultStreamOptions) {
    this.#options = options;
  }

  offer(run: Run, from: number): number {
    const results = run.derive("results", () => run.entries.map((entry) => this.#options.group.resultOf(entry)));
    let index = from;
    for (; index < run.entries.length; index += 1) {
      const { bytes } = run.entries[index] as LiveEntry;
      if (this.#queue.length > 0 && this.#buffered + bytes > this.#options.maxBufferedBytes) break;
      this.#queue.push({ result: results[index] as ExecutionResult, bytes });
      this.#buffered += bytes;
    }
    this.#wakeReader?.();
    return index;
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
      const queued = this.#queue.shift();
      if (queued !== undefined) {
        this.#buffered -= queued.bytes;
        if (this.hasRoom) this.#wakeWriter?.();
        return { done: false, value: queued.result };
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
