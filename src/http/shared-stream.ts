import type { ServerResponse } from "node:http";
import { cutStalledReader } from "./stalled-reader.ts";

export interface SharedStreamOptions {
  /** Whose it is: nobody else may listen to it, or add to it. */
  readonly owner: string;
  /** A reader that has taken nothing for so long is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** A reservation that is not taken up by then is given up. Milliseconds. */
  readonly reservationTime: number;
  readonly giveUp: () => Promise<void>;
  /** It was given up, or its reader has gone. */
  readonly onEnd: () => void;
}

/** One event stream that many operations share: reserved first, then listened to. */
export class SharedStream {
  readonly owner: string;
  readonly #options: SharedStreamOptions;
  readonly #reservation: NodeJS.Timeout;
  readonly #listened = Promise.withResolvers<void>();
  #flowing: Promise<void> = this.#listened.promise;
  #response: ServerResponse | undefined;
  #operations = 0;

  constructor(options: SharedStreamOptions) {
    this.owner = options.owner;
    this.#options = options;
    this.#reservation = setTimeout(() => {
      options.onEnd();
      void options.giveUp();
    }, options.reservationTime);
  }

  /** One operation more: how many it has now. To be followed by one {@link leave}. */
  enter(): number {
    this.#operations += 1;
    return this.#operations;
  }

  leave(): void {
    this.#operations -= 1;
  }

  /** Resolves when the reader is there and has taken what it was given. */
  get flowing(): Promise<void> {
    return this.#flowing;
  }

  /** Writes what is told until there is no more or the reader has gone. */
  async serve(response: ServerResponse, told: AsyncGenerator<string, void, undefined>): Promise<void> {
    clearTimeout(this.#reservation);
    this.#response = response;
    response.once("close", () => {
      this.#options.onEnd();
      void told.return();
    });
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    cutStalledReader(response, this.#options.stallTimeout);
    this.#flowing = Promise.resolve();
    this.#listened.resolve();
    for await (const text of told) {
      if (response.destroyed) return;
      if (response.write(text)) continue;
      this.#flowing = drained(response);
      await this.#flowing;
    }
    response.end();
  }

  /** What the reader has yet to take is not to be taken any more: cuts the connection where there is something. */
  dropWaiting(): void {
    if (this.#response !== undefined && this.#response.writableLength > 0) this.#response.destroy();
  }

  /** Ends the connection without completing anything: the client comes back. */
  breakOff(): void {
    clearTimeout(this.#reservation);
    this.#response?.destroy();
  }
}

/** Resolves when all is taken, or the connection has ended. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const flow = (): void => {
      response.off("drain", flow);
      response.off("close", flow);
      resolve();
    };
    response.once("drain", flow);
    response.once("close", flow);
  });
}
