import { type CursorCodec, createCursorCodec, ORIGIN_TAG, type Position } from "../../src/event/cursor.ts";

/** What the log held, in its order, from its making to the moment in which its store lost any of it. */
export interface Era {
  /** `entries[n - 1]` is number n. */
  readonly entries: readonly LoggedEntry[];
  /** Every epoch that it has had, in their order. */
  readonly epochs: ReadonlySet<string>;
  /**
   * Whether it began empty, as a copy of an earlier state, or as what a replica had of the one before: the first
   * entries of the latter two are those of an older era.
   */
  readonly origin: "new" | "copy" | "replica";
}

export interface LoggedEntry {
  readonly tag: string;
  readonly messageId: string;
}

export interface GrowingEra extends Era {
  readonly entries: LoggedEntry[];
  readonly epochs: Set<string>;
  codec: CursorCodec | null;
}

/**
 * Records, from the store itself, everything that was ever appended: what is destroyed is read in the same breath. So
 * the service's own reading is judged by something else than itself.
 */
export interface History {
  readonly eras: Eras;
  /** Is told what may be appended from now on. */
  announce(messageIds: readonly string[]): void;
  /** Resolves when so much is recorded that nothing can be trimmed before. */
  keepUp(): Promise<void>;
  /** Records what has been appended to the end, when no instance runs any more. */
  finish(): Promise<void>;
  /** Rejects when something was missed: the run proves nothing then. */
  readonly failed: Promise<never>;
}

/** The eras as they are recorded. */
export class Eras {
  readonly all: GrowingEra[] = [newEra()];
  #isEnding = false;

  get current(): GrowingEra {
    return this.all.at(-1) as GrowingEra;
  }

  /**
   * Index of the era that the store is in. While one is ending, that of the next: others may know of it before the
   * recorder does.
   */
  get index(): number {
    return this.all.length - (this.#isEnding ? 0 : 1);
  }

  /** What the log is known by, and what its cursors are written under. */
  identify(epoch: string, key: Uint8Array): void {
    this.current.epochs.add(epoch);
    this.current.codec ??= createCursorCodec(key);
  }

  add(number: number, entry: LoggedEntry): void {
    const { entries } = this.current;
    const next = entries.length + 1;
    if (number !== next) {
      throw new Error(`the recorder found entry ${number} of era ${this.all.length - 1} where ${next} was due`);
    }
    entries.push(entry);
  }

  /** The log is about to become another; called before anyone can know. */
  end(): void {
    this.#isEnding = true;
  }

  begin(era: GrowingEra): void {
    this.all.push(era);
    this.#isEnding = false;
  }

  /** The position that a cursor names in any era; null where none has such an entry. */
  locate(cursor: string): Position | null {
    for (const { codec, epochs, entries } of this.all.toReversed()) {
      const position = codec?.decode(cursor) ?? null;
      if (position === null || !epochs.has(position.epoch)) continue;
      const tag = position.number === 0 ? ORIGIN_TAG : entries[position.number - 1]?.tag;
      if (tag === position.tag) return position;
    }
    return null;
  }
}

export function newEra(): GrowingEra {
  return { entries: [], epochs: new Set(), origin: "new", codec: null };
}

/** An era that begins with the first `count` entries of this one. */
export function eraFrom(
  { entries, epochs, codec }: GrowingEra,
  origin: "copy" | "replica",
  count = entries.length,
  epoch = [...epochs].at(-1),
): GrowingEra {
  return { entries: entries.slice(0, count), epochs: new Set(epoch === undefined ? [] : [epoch]), origin, codec };
}
