import { EVENT_TYPES, type EventType } from "../event/event-type.ts";
import type { CountRow } from "./event-log.ts";

/** Counts by bucket and type, added up in any order. */
export interface CountTotals {
  add(bucket: number, type: EventType, count: number): void;
  /** By bucket, then by type in the order of EVENT_TYPES; without the zeros. */
  rows(): CountRow[];
}

export function createCountTotals(): CountTotals {
  const buckets = new Map<number, Map<EventType, number>>();
  return {
    add(bucket, type, count) {
      let types = buckets.get(bucket);
      if (types === undefined) {
        types = new Map();
        buckets.set(bucket, types);
      }
      types.set(type, (types.get(type) ?? 0) + count);
    },
    rows() {
      const sorted = [...buckets].toSorted(([a], [b]) => a - b);
      return sorted.flatMap(([bucket, types]) =>
        EVENT_TYPES.map((type) => ({ bucket, type, count: types.get(type) ?? 0 })).filter(({ count }) => count > 0),
      );
    },
  };
}
