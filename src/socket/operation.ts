import type { ServiceError } from "../error.ts";
import type { Run, Sink, Subscriber } from "../hub/subscriber.ts";
import { queueNextFrames } from "./next-frames.ts";
import type { FrameOwner, SocketWriter } from "./socket-writer.ts";

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

type Ending = IteratorReturnResult<undefined> | Promise<never>;

/**
 * One running eventReceived on a socket. To its group it is a sink, which writes results as `next` messages under its
 * own id. To the graphql-ws library it is a stream that yields nothing and ends with the subscription, so that the
 * library tells the client and forgets the operation. Both in one, since thousands are kept.
 */
export class Operation implements Sink, FrameOwner, AsyncGenerator<never, undefined> {
  readonly id: string;
  readonly idBytes: number;
  /** What the hub knows it by. */
  subscriber: Subscriber | null = null;
  readonly #writer: SocketWriter;
  readonly #present: (error: unknown) => Error;
  #state: "running" | "ended" | "closed" = "running";
  #error: Error | null = null;
  #endWaiting: ((ending: Ending) => void) | null = null;

  /**
   * @param present how an error is told to the client
   */
  constructor(id: string, writer: SocketWriter, present: (error: unknown) => Error) {
    const json = JSON.stringify(id);
    // The id itself where nothing had to be escaped: one text less to keep.
    this.id = json.length === id.length + 2 ? id : json.slice(1, -1);
    this.idBytes = Buffer.byteLength(this.id);
    this.#writer = writer;
    writer.operations += 1;
    this.#present = present;
  }

  /** The client has completed it or gone: what is still queued is dropped. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  offer(run: Run, from: number): number {
    return queueNextFrames(this.#writer, this, run, from);
  }

  get isOpen(): boolean {
    return !this.closed && this.#writer.isOpen;
  }

  get hasRoom(): boolean {
    return this.#writer.hasRoom;
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  /** The library sends an `error` message for what its stream throws. */
  end(error: ServiceError): void {
    this.#become("ended");
    this.#error = this.#present(error);
    this.#endWaiting?.(Promise.reject(this.#error));
  }

  /** The library asks once. */
  next(): Promise<IteratorResult<never, undefined>> {
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.closed) return Promise.resolve(OVER);
    return new Promise<IteratorResult<never, undefined>>((resolve) => {
      this.#endWaiting = resolve;
    });
  }

  /** The client has completed it, or its socket has closed. */
  return(): Promise<IteratorResult<never, undefined>> {
    this.#become("closed");
    this.subscriber?.close();
    this.#endWaiting?.(OVER);
    return Promise.resolve(OVER);
  }

  throw(error: unknown): Promise<IteratorResult<never, undefined>> {
    void this.return();
    return Promise.reject(error);
  }

  #become(state: "ended" | "closed"): void {
    if (this.#state === "running") this.#writer.operations -= 1;
    this.#state = state;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
