import { type CursorCodec, createCursorCodec, type Position } from "./cursor.ts";
import type { Event } from "./event.ts";
import { type StoredForm, WHOLE_EVENTS } from "./stored-event.ts";

/** An event's stored form, as text or as its UTF-8. */
type StoredEvent = string | Buffer;

/** What the entries of one log have in common: the key of their cursors, and the form that their events are kept in. */
export interface EntryCodec extends CursorCodec {
  decodeEvent(stored: string): Event;
}

/** @param key of the log's cursors */
export function createEntryCodec(key: Uint8Array, form: StoredForm = WHOLE_EVENTS): EntryCodec {
  return { ...createCursorCodec(key), decodeEvent: form.decode };
}

/**
 * An event at its place in the log. Immutable and shared by all who are served from it. Made of a stored event, it
 * decodes that when it is first asked for, so that what nobody listens for is never decoded.
 */
export class Entry implements Position {
  readonly epoch: string;
  readonly number: number;
  readonly tag: string;
  /** The log's clock at append, milliseconds since the Unix epoch; never less than the entry's before. */
  readonly receivedAt: number;
  /** Bytes of the stored form: what the entry weighs in memory, about. */
  readonly bytes: number;
  readonly #codec: EntryCodec;
  readonly #kept: Event | StoredEvent | null;
  #decoded: Event | null = null;
  #cursor: string | undefined;

  /** @param event the event, or its stored form; null where it was erased. */
  constructor(
    position: Position,
    receivedAt: number,
    event: Event | StoredEvent | null,
    bytes: number,
    codec: EntryCodec,
  ) {
    this.epoch = position.epoch;
    this.number = position.number;
    this.tag = position.tag;
    this.receivedAt = receivedAt;
    this.#kept = event;
    this.bytes = bytes;
    this.#codec = codec;
  }

  /** null where the event was erased on request: its number stays, so that no gap arises. */
  get event(): Event | null {
    const kept = this.#kept;
    if (typeof kept !== "string" && !Buffer.isBuffer(kept)) return kept;
    this.#decoded ??= this.#codec.decodeEvent(kept.toString());
    return this.#decoded;
  }

  /** Keeps of a stored event no more than that: decoded it is several times as large. Asked again, it decodes again. */
  release(): void {
    this.#decoded = null;
  }

  /** Whether there is no event any more; told without decoding it. */
  get isErased(): boolean {
    return this.#kept === null;
  }

  /** What is left of this entry when its event is erased: its place. */
  withoutEvent(): Entry {
    return new Entry(this, this.receivedAt, null, 0, this.#codec);
  }

  /** The entry's position as it is shown outside. */
  get cursor(): string {
    this.#cursor ??= this.#codec.encode(this);
    return this.#cursor;
  }
}
