import { ServiceError } from "../../error.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import { EVENT_TYPES } from "../../event/event-type.ts";
import { type Examination, examination } from "../block-matches.ts";
import { createCountTotals } from "../count-totals.ts";
import { bucketStarts, isCountedByMinute } from "../event-counts.ts";
import { COUNT_LIMIT, type CountQuery, type CountRow } from "../event-log.ts";
import { BLOCK_SIZE, listPlaces, type Places } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import { type EventIndex, type IndexView, matchesIn, type NumberRange, openUpTo } from "./indexed-log.ts";
import type { Indexes } from "./indexes.ts";
import type { RedisKeys } from "./keys.ts";
import type { LogState } from "./log-state.ts";
import { SCRIPTS } from "./script.ts";
import { addTrimmed } from "./trimmed-counts.ts";

/** Times that one script searches at the most: in a busy minute each takes some 20 looks at entries. */
const TIMES_AT_ONCE = 50;

export type Count = (client: RedisClient, query: CountQuery) => Promise<readonly CountRow[]>;

/**
 * What the log holds is counted in the index, exactly. What it has trimmed is counted by the minute; where the
 * oldest entry lies within a minute, what the log holds of that minute is taken off.
 */
export function createCount(keys: RedisKeys, indexes: Indexes): Count {
  async function countIn(index: EventIndex, client: RedisClient, query: CountQuery): Promise<readonly CountRow[]> {
    const view = await index.open(client);
    if (view === null || view.state.number === 0) return [];
    const { state } = view;
    const { filter } = query;
    const starts = bucketStarts(query);
    const totals = createCountTotals();
    const firsts = await firstsAt(client, keys, state, starts);
    const byMinute = isCountedByMinute(filter);
    const examined = examination(byMinute ? Number.POSITIVE_INFINITY : COUNT_LIMIT);
    await addHeld(view, filter, firsts, examined, (bucket, type) => totals.add(bucket, type, 1));
    if (examined.stopped) {
      throw new ServiceError(
        "LIMIT_EXCEEDED",
        `More than ${COUNT_LIMIT} events would have to be looked at: ask for a shorter span, or a rarer filter.`,
      );
    }
    if (byMinute && state.oldest > 1) {
      const parted = await addTrimmed(client, { keys, state, filter, starts, totals });
      // What is still held of the minute that the oldest entry parts was counted twice.
      if (parted !== null) {
        const reached = await openUpTo(index, client, { number: parted.last, epoch: state.epoch });
        const borders = [state.oldest, parted.last + 1];
        await addHeld(reached, filter, borders, examined, (_, type) => totals.add(parted.bucket, type, -1));
      }
    }
    return totals.rows();
  }

  return async (client, query) =>
    query.to <= query.from ? [] : indexes.run(client, (index) => countIn(index, client, query));
}

/** For each time the first entry received at or after it; the head's number and one where there is none. */
async function firstsAt(
  client: RedisClient,
  keys: RedisKeys,
  state: LogState,
  times: readonly number[],
): Promise<number[]> {
  const firsts: number[] = [];
  for (let from = 0; from < times.length; from += TIMES_AT_ONCE) {
    const args = [state.oldest, state.number, ...times.slice(from, from + TIMES_AT_ONCE)];
    firsts.push(...((await SCRIPTS.borders.run(client, [keys.minutes, keys.entries], args)) as number[]));
  }
  return firsts;
}

const TYPES = { field: "type", anyOf: EVENT_TYPES } as const;
const NO_TYPE = -1;

/** Calls `each` for what the log holds that matches, with the bucket: bucket `i` has the numbers from `firsts[i]` on. */
async function addHeld(
  view: IndexView,
  filter: EventFilter,
  firsts: readonly number[],
  examined: Examination,
  each: (bucket: number, type: (typeof EVENT_TYPES)[number]) => void,
): Promise<void> {
  const range: NumberRange = { lowest: firsts[0] as number, highest: (firsts.at(-1) as number) - 1 };
  if (range.lowest > range.highest) return;
  let bucket = 0;
  for await (const part of view.parts([TYPES, ...filter], range, "oldest-first")) {
    const [byType = [], ...conditions] = part.conditions;
    const types = typesOf(byType);
    const fewest = part.fewest === undefined || part.fewest === 0 ? undefined : part.fewest - 1;
    const looked = { ...part, ...(conditions.length === 0 ? { conditions: [byType] } : { conditions, fewest }) };
    for (const places of matchesIn(looked, range, "oldest-first", examined)) {
      for (const place of places) {
        const type = EVENT_TYPES[types[place] as number];
        while (part.base + place >= (firsts[bucket + 1] as number)) bucket += 1;
        if (type !== undefined) each(bucket, type);
      }
    }
    if (examined.stopped) return;
  }
}

/** Which of EVENT_TYPES each place has. */
function typesOf(byType: readonly Places[]): Int8Array {
  const types = new Int8Array(BLOCK_SIZE).fill(NO_TYPE);
  for (const [type, places] of byType.entries()) {
    for (const place of listPlaces(places)) types[place] = type;
  }
  return types;
}
