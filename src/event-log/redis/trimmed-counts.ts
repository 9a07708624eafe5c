import type { EventFilter } from "../../event/event-filter.ts";
import { EVENT_TYPES, type EventType, isEventType } from "../../event/event-type.ts";
import type { CountTotals } from "../count-totals.ts";
import { admittedValues, COUNT_MINUTE_MS } from "../event-counts.ts";
import type { RedisClient } from "./connection.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { LogState } from "./log-state.ts";
import { inPipeline } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";

export interface TrimmedCount {
  readonly keys: RedisKeys;
  readonly state: LogState;
  /** Conditions on type and subaccount alone. */
  readonly filter: EventFilter;
  /** Where the buckets begin, and last where the last one ends. */
  readonly starts: readonly number[];
  readonly totals: CountTotals;
}

/** As trimmed.lua replies it. */
type TrimmedReply = [whole: string[], minute?: string, counts?: string | null, last?: string];

/** The minute that the oldest entry lies in, of which all was added. */
export interface PartedMinute {
  readonly bucket: number;
  /** Number of the last entry that was received in it. */
  readonly last: number;
}

/**
 * Adds the minutes in which something was trimmed, each to the bucket that its start lies in; of one in which the
 * oldest entry lies, what the log still holds as well.
 */
export async function addTrimmed(client: RedisClient, count: TrimmedCount): Promise<PartedMinute | null> {
  const { keys, state, filter, starts, totals } = count;
  const from = Math.max(Math.ceil((starts[0] as number) / COUNT_MINUTE_MS), state.countsFrom);
  const to = Math.ceil((starts.at(-1) as number) / COUNT_MINUTE_MS) - 1;
  if (from > to) return null;
  const select = createSelection(filter);
  let bucket = 0;
  const add = (minute: string, counted: ReadonlyMap<EventType, number>) => {
    while (Number(minute) * COUNT_MINUTE_MS >= (starts[bucket + 1] as number)) bucket += 1;
    for (const [type, number] of counted) totals.add(bucket, type, number);
  };

  const fixed = [keys.meta, keys.minutes, keys.counts, keys.minute];
  const reply = (await SCRIPTS.trimmed.run(client, fixed, [from, to, state.oldest])) as TrimmedReply;
  const [whole, parted, countsOfParted, last] = reply;
  const texts = await inPipeline(client, whole, (pipeline, minute) => pipeline.hget(keys.counts, minute));
  for (const [i, minute] of whole.entries()) add(minute, select(texts[i] as string | null));
  if (parted === undefined) return null;
  add(parted, select(countsOfParted ?? null));
  return { bucket, last: Number(last) };
}

/** Adds up by type those counts of a minute that a filter admits; of none where they are gone. */
type Selection = (counts: string | null) => ReadonlyMap<EventType, number>;

function createSelection(filter: EventFilter): Selection {
  const types = admittedValues(filter, "type") ?? EVENT_TYPES;
  const subaccounts = admittedValues(filter, "subaccount");
  const names = subaccounts && new Set(types.flatMap((type) => subaccounts.map((name) => countName(type, name))));
  return (counts) => {
    const selected = new Map<EventType, number>();
    for (const [name, count] of Object.entries(JSON.parse(counts ?? "{}") as Record<string, number>)) {
      const type = name.split(":", 1)[0] as string;
      if (!isEventType(type) || !(names === null ? types.includes(type) : names.has(name))) continue;
      selected.set(type, (selected.get(type) ?? 0) + count);
    }
    return selected;
  };
}
