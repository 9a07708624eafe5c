import type { Entry } from "../event/entry.ts";

/**
 * Bytes of encodings kept over all groups: what lets 5,000 clients that reconnect at once share the encodings of
 * what they missed, bounded whatever the number of groups.
 */
const MAX_BYTES = 64 * 1024 * 1024;

/** Encodings of recent entries by group, the oldest forgotten first. */
export interface EncodingCache {
  get(group: object, entry: Entry): Buffer | undefined;
  add(group: object, entry: Entry, encoding: Buffer): void;
}

export function createEncodingCache(maxBytes: number = MAX_BYTES): EncodingCache {
  // By entry and not by its number: after a gap the same number may be another entry.
  const byGroup = new WeakMap<object, Map<Entry, Buffer>>();
  let order: { readonly encodings: Map<Entry, Buffer>; readonly entry: Entry; readonly bytes: number }[] = [];
  let start = 0;
  let bytes = 0;
  return {
    get: (group, entry) => byGroup.get(group)?.get(entry),
    add(group, entry, encoding) {
      let encodings = byGroup.get(group);
      if (encodings === undefined) {
        encodings = new Map();
        byGroup.set(group, encodings);
      }
      encodings.set(entry, encoding);
      order.push({ encodings, entry, bytes: encoding.length });
      bytes += encoding.length;
      while (bytes > maxBytes && start < order.length) {
        const oldest = order[start];
        start += 1;
        if (oldest === undefined) break;
        oldest.encodings.delete(oldest.entry);
        bytes -= oldest.bytes;
      }
      if (start * 2 > order.length) {
        order = order.slice(start);
        start = 0;
      }
    },
  };
}
