import type { Position } from "../event/cursor.ts";
import type { Entry } from "../event/entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";

export interface RecentEntriesOptions {
  /** Entries kept at the most. */
  readonly maxEntries: number;
  /** Bytes of stored events kept at the most; the newest entry is always kept. */
  readonly maxBytes: number;
}

/** The newest entries that this process has read, without a hole: replays end here, and reconnects start here. */
export interface RecentEntries {
  /** Appends entries that follow on the newest. */
  push(entries: readonly Entry[]): void;
  /** Whether the entry at `position` is held and is the same one, so that `after` gives all that follows it. */
  holds(position: Position): boolean;
  /** What follows the entry `number`, which is held: `limit` entries at the most, oldest first. */
  after(number: number, limit: number): readonly Entry[];
  /** Forgets the events of these entries, which keep their places. */
  erase(erased: readonly MarkedEntry[]): void;
  /** Forgets everything: the log is another, or what was erased in it is not known. */
  clear(): void;
  readonly size: number;
  readonly bytes: number;
}

export function createRecentEntries({ maxEntries, maxBytes }: RecentEntriesOptions): RecentEntries {
  // A queue in an array: `start` moves, and the dead part is cut off when it is as long as the living one.
  let entries: Entry[] = [];
  let start = 0;
  let bytes = 0;

  const drop = (): void => {
    const entry = entries[start];
    if (entry === undefined) return;
    bytes -= entry.bytes;
    start += 1;
    if (start * 2 > entries.length) {
      entries = entries.slice(start);
      start = 0;
    }
  };

  const indexOf = (number: number): number => {
    const oldest = entries[start];
    return oldest === undefined ? -1 : start + number - oldest.number;
  };

  return {
    push(newest) {
      for (const entry of newest) {
        entries.push(entry);
        bytes += entry.bytes;
        while (entries.length - start > 1 && (entries.length - start > maxEntries || bytes > maxBytes)) drop();
      }
    },
    holds(position) {
      const index = indexOf(position.number);
      const entry = index < start ? undefined : entries[index];
      return entry !== undefined && entry.tag === position.tag && entry.epoch === position.epoch;
    },
    after(number, limit) {
      const from = indexOf(number) + 1;
      return entries.slice(from, from + limit);
    },
    erase(erased) {
      for (const { number, tag } of erased) {
        const index = indexOf(number);
        const entry = index < start ? undefined : entries[index];
        if (entry?.tag !== tag) continue;
        bytes -= entry.bytes;
        entries[index] = entry.withoutEvent();
      }
    },
    clear() {
      entries = [];
      start = 0;
      bytes = 0;
    },
    get size() {
      return entries.length - start;
    },
    get bytes() {
      return bytes;
    },
  };
}
