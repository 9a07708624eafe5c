import type { ServiceError } from "../error.ts";
import type { Run, Sink } from "../hub/subscriber.ts";
import { queueNextFrames } from "./next-frames.ts";
import type { FrameOwner, SocketWriter } from "./socket-writer.ts";

/** One running eventReceived on a socket: writes its group's results as `next` messages under its own id. */
export class Operation implements Sink, FrameOwner {
  /** The client has completed it or gone: what is still queued is dropped. */
  closed = false;
  readonly #id: Buffer;
  readonly #writer: SocketWriter;
  readonly #fail: (error: ServiceError) => void;

  /**
   * @param fail tells the client why it ended, behind what is queued
   */
  constructor(id: string, writer: SocketWriter, fail: (error: ServiceError) => void) {
    this.#id = Buffer.from(JSON.stringify(id).slice(1, -1));
    this.#writer = writer;
    this.#fail = fail;
  }

  offer(run: Run, from: number): number {
    return queueNextFrames(this.#writer, this, run, from, this.#id);
  }

  get hasRoom(): boolean {
    return this.#writer.hasRoom;
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  end(error: ServiceError): void {
    this.#fail(error);
  }
}
