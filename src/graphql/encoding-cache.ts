import type { Entry } from "../event/entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import { createTickMap } from "./tick-map.ts";

/**
 * Bytes of encodings kept over all groups: what lets 5,000 clients that reconnect at once share the encodings of
 * what they missed, bounded whatever the number of groups.
 */
const MAX_BYTES = 64 * 1024 * 1024;

/** What an encoding costs beside its own bytes: the buffer, its place in the map and in the order. */
const OVERHEAD_BYTES = 250;

/** Encodings by group. */
export interface Encodings {
  get(group: object, entry: Entry): Buffer | undefined;
  add(group: object, entry: Entry, encoding: Buffer): void;
}

/** Those that are kept for who comes back, the oldest forgotten first. */
export interface EncodingCache extends Encodings {
  /** Forgets what is kept for a group: it has no subscribers left. */
  drop(group: object): void;
  /** Forgets what is kept of these entries: their events were erased. */
  erase(erased: readonly MarkedEntry[]): void;
}

/** By the entry's number, with its tag: after a gap the same number may be another entry. The entry is not kept. */
type ByNumber = Map<number, { readonly tag: string; readonly encoding: Buffer }>;

export function createEncodingCache(maxBytes: number = MAX_BYTES): EncodingCache {
  const byGroup = new WeakMap<object, ByNumber>();
  // Oldest first. What was dropped with its group stays in it until it is more than half.
  let order: { readonly encodings: ByNumber; readonly number: number }[] = [];
  let start = 0;
  let kept = 0;
  let bytes = 0;

  const forget = (encodings: ByNumber, number: number): void => {
    const known = encodings.get(number);
    if (known === undefined) return;
    encodings.delete(number);
    kept -= 1;
    bytes -= known.encoding.length + OVERHEAD_BYTES;
  };

  return {
    get(group, { number, tag }) {
      const known = byGroup.get(group)?.get(number);
      return known?.tag === tag ? known.encoding : undefined;
    },
    add(group, { number, tag }, encoding) {
      let encodings = byGroup.get(group);
      if (encodings === undefined) {
        encodings = new Map();
        byGroup.set(group, encodings);
      }
      forget(encodings, number);
      encodings.set(number, { tag, encoding });
      order.push({ encodings, number });
      kept += 1;
      bytes += encoding.length + OVERHEAD_BYTES;
      while (bytes > maxBytes) {
        const oldest = order[start];
        if (oldest === undefined) break;
        start += 1;
        forget(oldest.encodings, oldest.number);
      }
      if (order.length > 2 * kept + 1_000) {
        order = order.slice(start).filter((one) => one.encodings.has(one.number));
        start = 0;
      }
    },
    drop(group) {
      const encodings = byGroup.get(group);
      if (encodings === undefined) return;
      byGroup.delete(group);
      for (const number of [...encodings.keys()]) forget(encodings, number);
    },
    erase(erased) {
      const numbers = new Set(erased.map(({ number }) => number));
      // Whatever bears such a number: an encoding can be made again.
      for (const { encodings, number } of order) if (numbers.has(number)) forget(encodings, number);
    },
  };
}

/** Those of the tick, for groups whose subscribers want the same entry by other filters. */
export function createTickEncodings(): Encodings {
  const byGroup = createTickMap<object, Map<Entry, Buffer>>(() => new Map());
  return {
    get: (group, entry) => byGroup(group).get(entry),
    add: (group, entry, encoding) => byGroup(group).set(entry, encoding),
  };
}
