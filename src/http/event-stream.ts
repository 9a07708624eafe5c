import { randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Stay, UNENDING } from "../access/stay.ts";
import type { ServiceError } from "../error.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { Hub } from "../hub/hub.ts";
import type { Run, Sink, Subscriber } from "../hub/subscriber.ts";
import { type PieceShape, piecesOf, takePieces } from "./event-pieces.ts";
import { gapOf, isGap } from "./gap.ts";
import { cutStalledReader } from "./stalled-reader.ts";

/**
 * After how long a client whose connection has ended comes back: each is told another time between these, so that
 * those who listened to an instance that is gone do not all come at once. Milliseconds.
 */
const RETRY_FROM = 1_000;
const RETRY_TO = 4_000;

/** A replay goes on while less than this waits for the reader. Bytes. */
const ROOM_BYTES = 64 * 1024;

/** What a cursor looks like: what a client has sent is not repeated to it unless it does. */
const CURSOR = /^[\w-]{1,64}$/;

const NOTHING = Buffer.alloc(0);

/** No `event:` line, so that an EventSource's `onmessage` gets it: one named `open` would fire its own `onopen`. */
const EVENT: PieceShape = {
  before: ({ cursor }) => Buffer.from(`id: ${cursor}\ndata: `),
  behind: Buffer.from("\n\n"),
};

export interface EventStreamOptions {
  readonly response: ServerResponse;
  readonly hub: Hub;
  readonly eventLog: Pick<EventLog, "head">;
  /** Registers the stream behind a cursor; null: from now on. Rejects with a ServiceError. */
  readonly subscribe: (after: string | null, sink: Sink) => Promise<Subscriber>;
  /** How an error is told. */
  readonly present: (error: unknown) => ServiceError;
  readonly maxBufferedBytes: number;
  /** A reader that has taken nothing for so long is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** Milliseconds. */
  readonly heartbeatInterval: number;
  /** Begins the viewer's stay: for as long as it holds, something may be shown. */
  readonly stay: (onEnd: (error: ServiceError) => void) => Stay;
}

/**
 * One listener by Server-Sent Events (WHATWG HTML, section 9.2). Every block bears the cursor from which it goes on as
 * its `id:`. Events have no name; what else is told has:
 *
 * - `gap` {code, oldest, head}: events may be missing here, and the stream goes on from its id. SUBSCRIBER_LAGGED
 *   {code, after}: nothing is missing; the stream goes on from there at the reader's pace, out of the log.
 * - `end` {code, message}: the stream ends.
 */
export class EventStream implements Sink {
  readonly #options: EventStreamOptions;
  readonly #response: ServerResponse;
  #subscriber: Subscriber | undefined;
  /** Where the stream starts, as its first block tells; null once it has been told. */
  #start: string | null = null;
  #stay: Stay = UNENDING;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#response = options.response;
    this.#response.once("close", () => this.#close());
    cutStalledReader(this.#response, options.stallTimeout);
  }

  /** Registers it and sends the response's head. Rejects, with nothing sent, where it cannot be registered. */
  async open(after: string | null): Promise<void> {
    const { hub } = this.#options;
    await hub.begun();
    // Read before the registration: whoever came back with a later place would miss what was offered in between.
    this.#start = after ?? hub.head;
    await this.#subscribe(after);
    this.#begin();
  }

  offer(run: Run, from: number): number {
    this.#begin();
    // Whose stay is over has been told so, and the subscriber is closed.
    if (!this.#stay.holds()) return run.entries.length;
    const waiting = this.#response.writableLength;
    const room = this.#options.maxBufferedBytes - waiting;
    const [bytes, to] = takePieces(piecesOf(run, EVENT), from, room, waiting === 0 ? 1 : 0);
    if (to > from) this.#write(bytes);
    return to;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  get hasRoom(): boolean {
    return this.#response.writableLength < Math.min(ROOM_BYTES, this.#options.maxBufferedBytes);
  }

  drained(): Promise<void> {
    const response = this.#response;
    if (response.writableLength === 0) return Promise.resolve();
    // Written behind all that waits, nothing at all is told of when its turn has come.
    return new Promise((resolve) => response.write(NOTHING, (error) => error ?? resolve()));
  }

  end(error: ServiceError): void {
    this.#begin();
    this.#goOn(error).catch((reason: unknown) => this.#finish(this.#options.present(reason)));
  }

  /** Tells a gap, and goes on behind it; what is no gap ends the stream. */
  async #goOn(error: ServiceError): Promise<void> {
    const { code, extensions } = error;
    const isLag = code === "SUBSCRIBER_LAGGED" && typeof extensions.after === "string";
    if (!isLag && !isGap(error)) throw error;
    const told = isLag ? { after: String(extensions.after) } : await gapOf(error, this.#options.eventLog);
    const place = "after" in told ? told.after : told.head;
    this.#tell("gap", { code, ...told }, place);
    await this.drained();
    await this.#subscribe(place);
  }

  async #subscribe(after: string | null): Promise<void> {
    const subscriber = await this.#options.subscribe(after, this);
    this.#subscriber = subscriber;
    if (!this.isOpen) subscriber.close();
  }

  /** Sends the head and the first block, once: the subscriber is registered, and nothing has been offered yet. */
  #begin(): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      // nginx would hold the events back until its buffer is full.
      "x-accel-buffering": "no",
    });
    const start = this.#start;
    const id = start !== null && CURSOR.test(start) ? `id: ${start}\n` : "";
    this.#write(Buffer.from(`retry: ${randomInt(RETRY_FROM, RETRY_TO)}\n${id}\n`));
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatInterval);
    this.#stay = this.#options.stay((error) => {
      this.#subscriber?.close();
      // What the reader has yet to take is not to be taken any more.
      if (response.writableLength > 0) response.destroy();
      else this.#finish(error);
    });
  }

  /** A block without data moves Last-Event-ID, so that who comes back need not go through what did not match. */
  #beat(): void {
    const subscriber = this.#subscriber;
    if (!this.#stay.holds() || subscriber === undefined || subscriber.ended || this.#response.writableLength > 0)
      return;
    const cursor = this.#options.hub.servedTo(subscriber);
    if (cursor !== null) this.#write(Buffer.from(`id: ${cursor}\n\n`));
  }

  #tell(name: string, data: object, id?: string): void {
    const place = id === undefined ? "" : `id: ${id}\n`;
    this.#write(Buffer.from(`event: ${name}\n${place}data: ${JSON.stringify(data)}\n\n`));
  }

  #write(bytes: Buffer): void {
    if (this.isOpen) this.#response.write(bytes);
  }

  #finish({ code, message }: ServiceError): void {
    if (!this.isOpen) return;
    this.#tell("end", { code, message });
    this.#response.end();
  }

  #close(): void {
    this.#subscriber?.close();
    clearInterval(this.#heartbeat);
    this.#stay.leave();
  }
}
