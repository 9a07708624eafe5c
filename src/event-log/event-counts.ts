import type { EventFilter, FilterField } from "../event/event-filter.ts";
import type { CountQuery } from "./event-log.ts";

/** Milliseconds for which one kept count stands: what the log has trimmed is known by the minute alone. */
export const COUNT_MINUTE_MS = 60_000;

/** The fields that the kept counts tell apart. */
const COUNTED_FIELDS: ReadonlySet<FilterField> = new Set(["type", "subaccount"]);

/**
 * Where the buckets begin, and last where the last one ends: bucket `i` holds the times from `starts[i]`, inclusive,
 * to `starts[i + 1]`, exclusive. Whole milliseconds, so that the parts of an odd span differ by one at the most.
 */
export function bucketStarts({ from, to, buckets }: CountQuery): readonly number[] {
  return Array.from({ length: buckets + 1 }, (_, i) => from + Math.ceil((i * (to - from)) / buckets));
}

/** The start of the minute in which `time` lies, both in milliseconds since the Unix epoch. */
export function minuteOf(time: number): number {
  return Math.floor(time / COUNT_MINUTE_MS) * COUNT_MINUTE_MS;
}

/** Whether the kept counts can answer for `filter`: it has conditions on type and subaccount alone. */
export function isCountedByMinute(filter: EventFilter): boolean {
  return filter.every(({ field }) => COUNTED_FIELDS.has(field));
}

/**
 * The values that `filter` admits under a field of which an event has one value at the most; null where it does
 * not limit them.
 */
export function admittedValues(filter: EventFilter, field: Exclude<FilterField, "tag">): readonly string[] | null {
  let admitted: readonly string[] | null = null;
  for (const condition of filter) {
    if (condition.field !== field) continue;
    admitted = admitted === null ? [...new Set(condition.anyOf)] : admitted.filter((v) => condition.anyOf.includes(v));
  }
  return admitted;
}
