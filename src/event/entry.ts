import type { CursorCodec, Position } from "./cursor.ts";
import type { Event } from "./event.ts";

/** An event at its place in the log. Immutable and shared by all who are served from it. */
export class Entry implements Position {
  readonly epoch: string;
  readonly number: number;
  readonly tag: string;
  /** The log's clock at append, milliseconds since the Unix epoch; never less than the entry's before. */
  readonly receivedAt: number;
  /** null where the event was erased on request: its number stays, so that no gap arises. */
  readonly event: Event | null;
  /** Bytes of the stored form: what the entry weighs in memory, about. */
  readonly bytes: number;
  readonly #codec: CursorCodec;
  #cursor: string | undefined;

  constructor(position: Position, receivedAt: number, event: Event | null, bytes: number, codec: CursorCodec) {
    this.epoch = position.epoch;
    this.number = position.number;
    this.tag = position.tag;
    this.receivedAt = receivedAt;
    this.event = event;
    this.bytes = bytes;
    this.#codec = codec;
  }

  /** The entry's position as it is shown outside. */
  get cursor(): string {
    this.#cursor ??= this.#codec.encode(this);
    return this.#cursor;
  }
}
