import type { EventFilter } from "../../event/event-filter.ts";
import { EVENT_TYPES, type EventType, isEventType } from "../../event/event-type.ts";
import type { CountTotals } from "../count-totals.ts";
import { admittedValues, COUNT_MINUTE_MS } from "../event-counts.ts";
import type { RedisClient } from "./connection.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { LogState } from "./log-state.ts";
import { inPipeline } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";

/** One index key of the entries of one type that a filter on type and subaccount alone matches. */
export interface TypeKey {
  readonly type: EventType;
  readonly key: string;
}

export interface TrimmedCount {
  readonly keys: RedisKeys;
  readonly state: LogState;
  /** Conditions on type and subaccount alone. */
  readonly filter: EventFilter;
  /** The index keys of what the filter matches. */
  readonly typeKeys: readonly TypeKey[];
  /** Where the buckets begin, and last where the last one ends. */
  readonly starts: readonly number[];
  readonly totals: CountTotals;
}

/** As trimmed.lua replies it. */
type TrimmedReply = [whole: string[], minute?: string, counts?: string | null, held?: number[]];

/** Adds what was trimmed, by the start of the minute in which it was received. */
export async function addTrimmed(client: RedisClient, count: TrimmedCount): Promise<void> {
  const { keys, state, filter, typeKeys, starts, totals } = count;
  const from = Math.max(Math.ceil((starts[0] as number) / COUNT_MINUTE_MS), state.countsFrom);
  const to = Math.ceil((starts.at(-1) as number) / COUNT_MINUTE_MS) - 1;
  if (from > to) return;
  const select = createSelection(filter);
  let bucket = 0;
  const add = (minute: string, counted: ReadonlyMap<EventType, number>) => {
    while (Number(minute) * COUNT_MINUTE_MS >= (starts[bucket + 1] as number)) bucket += 1;
    for (const [type, number] of counted) totals.add(bucket, type, number);
  };

  const [whole, parted, countsOfParted, held] = (await SCRIPTS.trimmed.run(
    client,
    [keys.minutes, keys.counts, keys.minute, ...typeKeys.map(({ key }) => key)],
    [from, to, state.oldest],
  )) as TrimmedReply;
  const texts = await inPipeline(client, whole, (pipeline, minute) => pipeline.hget(keys.counts, minute));
  for (const [i, minute] of whole.entries()) add(minute, select(texts[i] as string | null));
  if (parted === undefined) return;
  const trimmed = new Map(select(countsOfParted ?? null));
  for (const [i, { type }] of typeKeys.entries()) {
    trimmed.set(type, (trimmed.get(type) ?? 0) - (held?.[i] ?? 0));
  }
  add(parted, trimmed);
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
