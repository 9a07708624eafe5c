import type { ServerResponse } from "node:http";
import { type Stay, UNENDING } from "../access/stay.ts";
import { logUnavailable, type ServiceError } from "../error.ts";
import type { Hub } from "../hub/hub.ts";
import type { Run, Sink, Subscriber } from "../hub/subscriber.ts";
import { type PieceShape, piecesOf, takePieces } from "./event-pieces.ts";
import { cutStalledReader } from "./stalled-reader.ts";

/**
 * How much longer a poll may look through what is already there, beyond its own time, before it answers with the place
 * that it has come to. Milliseconds.
 */
const CATCH_UP_TIME = 5_000;

const NOTHING = Buffer.alloc(0);
const ELEMENT: PieceShape = { before: () => NOTHING, behind: Buffer.from(",") };

export interface LongPollOptions {
  readonly response: ServerResponse;
  readonly hub: Hub;
  /** Registers the poll behind its cursor. Rejects with a ServiceError. */
  readonly subscribe: (sink: Sink) => Promise<Subscriber>;
  /** Bytes of events in one answer, but for a single event that is larger. */
  readonly maxBytes: number;
  /** A reader that has not taken its answer by then is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** How long to wait for something. Milliseconds. */
  readonly wait: number;
  /** Begins the viewer's stay: for as long as it holds, something may be shown. */
  readonly stay: (onEnd: (error: ServiceError) => void) => Stay;
}

/**
 * One request that is answered when there is something: with the events that come first behind its cursor, or with
 * none when the time is over. `head` is the place up to which it has been served, matching or not: the next request's
 * `after`.
 */
export class LongPoll implements Sink {
  readonly hasRoom = true;
  readonly #options: LongPollOptions;
  readonly #over = Promise.withResolvers<void>();
  #subscriber: Subscriber | undefined;
  #stay: Stay = UNENDING;
  #isLive = false;
  #isDue = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LongPollOptions) {
    this.#options = options;
    options.response.once("close", () => this.#close());
    cutStalledReader(options.response, options.stallTimeout);
    // It may fail before anybody waits.
    this.#over.promise.catch(() => {});
  }

  /** Resolves when it is over. Rejects, with nothing answered, with the error that it ended with. */
  async run(): Promise<void> {
    this.#timer = setTimeout(() => this.#due(), this.#options.wait);
    this.#stay = this.#options.stay((error) => this.end(error));
    try {
      this.#subscriber = await this.#options.subscribe(this);
      if (this.#isOver) this.#subscriber.close();
      else if (this.#isLive && this.#isDue) this.answerNothing();
      await this.#over.promise;
    } finally {
      this.#close();
    }
  }

  offer(run: Run, from: number): number {
    if (this.#isOver || !this.#stay.holds()) return run.entries.length;
    const [bytes, to] = takePieces(piecesOf(run, ELEMENT), from, this.#options.maxBytes, 1);
    this.#answer(bytes.subarray(0, -1), run.entries[to - 1]?.cursor as string);
    return to;
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  caughtUp(): void {
    this.#isLive = true;
    if (this.#isDue) this.answerNothing();
  }

  end(error: ServiceError): void {
    if (this.#isOver) return;
    this.#close(error);
  }

  /** Ends the waiting: answers now, with no events and the place that it has come to. */
  answerNothing(): void {
    const { hub } = this.#options;
    if (this.#isOver || this.#subscriber === undefined || !this.#stay.holds()) return;
    const place = hub.servedTo(this.#subscriber);
    if (hub.head === null || place === null) this.end(logUnavailable("The event log has not been read yet."));
    else this.#answer(NOTHING, place);
  }

  #due(): void {
    if (this.#isDue || this.#isLive) {
      this.#isDue = true;
      this.answerNothing();
      return;
    }
    this.#isDue = true;
    this.#timer = setTimeout(() => this.#due(), CATCH_UP_TIME);
  }

  #answer(events: Buffer, head: string): void {
    this.#close();
    const body = Buffer.concat([
      Buffer.from('{"events":['),
      events,
      Buffer.from(`],"head":${JSON.stringify(head)}}\n`),
    ]);
    const { response } = this.#options;
    response.writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": body.length,
      "cache-control": "no-store",
    });
    response.end(body);
  }

  #close(error?: ServiceError): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#stay.leave();
    this.#subscriber?.close();
    if (error === undefined) this.#over.resolve();
    else this.#over.reject(error);
  }
}
