import { ServiceError } from "../../error.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import { EVENT_TYPES, type EventType } from "../../event/event-type.ts";
import { type CountTotals, createCountTotals } from "../count-totals.ts";
import { admittedValues, bucketStarts, isCountedByMinute } from "../event-counts.ts";
import { COUNT_LIMIT, type CountQuery, type CountRow } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import type { LogState } from "./log-state.ts";
import { examination, keySetsOf, matchingBlocks, membership, sizesOf, smallestFirst } from "./matching.ts";
import { inPipeline } from "./pipeline.ts";
import type { Reading } from "./reading.ts";
import { SCRIPTS } from "./script.ts";
import { addTrimmed, type TypeKey } from "./trimmed-counts.ts";

/** Times that one script searches at the most: in a busy minute each takes some 20 looks at entries. */
const TIMES_AT_ONCE = 50;

export type Count = (client: RedisClient, query: CountQuery) => Promise<readonly CountRow[]>;

/**
 * What the log holds is counted in the indexes, exactly. What it has trimmed is counted by the minute; where the
 * oldest entry lies within a minute, what the log holds of that minute is taken off.
 */
export function createCount(keys: RedisKeys, reading: Reading): Count {
  return async (client, query) => {
    if (query.to <= query.from) return [];
    const { state } = await reading.look(client);
    if (state.number === 0) return [];
    const starts = bucketStarts(query);
    const totals = createCountTotals();
    const firsts = await firstsAt(client, keys, state, starts);
    if (isCountedByMinute(query.filter)) {
      const typeKeys = typeKeysOf(keys, query.filter);
      await addByIndex(client, typeKeys, firsts, totals);
      if (state.oldest > 1) await addTrimmed(client, { keys, state, filter: query.filter, typeKeys, starts, totals });
    } else {
      await addByLooking(client, keys, query.filter, firsts, totals);
    }
    return totals.rows();
  };
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

function typeKeysOf(keys: RedisKeys, filter: EventFilter): TypeKey[] {
  const subaccounts = admittedValues(filter, "subaccount");
  return admittedTypes(filter).flatMap((type): TypeKey[] =>
    subaccounts === null
      ? [{ type, key: keys.index("type", type) }]
      : subaccounts.map((subaccount) => ({ type, key: keys.indexOfBoth(type, subaccount) })),
  );
}

function admittedTypes(filter: EventFilter): readonly EventType[] {
  const admitted = admittedValues(filter, "type");
  return admitted === null ? EVENT_TYPES : EVENT_TYPES.filter((type) => admitted.includes(type));
}

/** Counts by the indexes alone; `firsts` has the first number of each bucket, and last that behind the last one. */
async function addByIndex(
  client: RedisClient,
  typeKeys: readonly TypeKey[],
  firsts: readonly number[],
  totals: CountTotals,
): Promise<void> {
  const range = { lowest: firsts[0] as number, highest: (firsts.at(-1) as number) - 1 };
  const sizes = await sizesOf(
    client,
    typeKeys.map(({ key }) => [key]),
    range,
  );
  const cells = typeKeys
    .filter((_, i) => (sizes[i] as number) > 0)
    .flatMap(({ type, key }) =>
      firsts.slice(0, -1).map((first, bucket) => ({ bucket, type, key, first, next: firsts[bucket + 1] as number })),
    )
    .filter(({ first, next }) => first < next);
  const counts = (await inPipeline(client, cells, (pipeline, { key, first, next }) =>
    pipeline.zcount(key, first, next - 1),
  )) as number[];
  for (const [i, { bucket, type }] of cells.entries()) totals.add(bucket, type, counts[i] as number);
}

/** Counts by looking at the entries of the smallest index, within the limit of that. */
async function addByLooking(
  client: RedisClient,
  keys: RedisKeys,
  filter: EventFilter,
  firsts: readonly number[],
  totals: CountTotals,
): Promise<void> {
  const range = { lowest: firsts[0] as number, highest: (firsts.at(-1) as number) - 1 };
  const sets = keySetsOf(keys, filter);
  const typeKeys = admittedTypes(filter).map((type) => ({ type, key: keys.index("type", type) }));
  const sizes = await sizesOf(client, [...sets, ...typeKeys.map(({ key }) => [key])], range);
  if (Math.min(...sizes.slice(0, sets.length)) > COUNT_LIMIT) {
    throw new ServiceError(
      "LIMIT_EXCEEDED",
      `More than ${COUNT_LIMIT} events would have to be looked at: ask for a shorter span, or a rarer filter.`,
    );
  }
  const commonest = typeKeys
    .map((typeKey, i) => ({ ...typeKey, size: sizes[sets.length + i] as number }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size);
  const examined = examination(Number.POSITIVE_INFINITY);
  let bucket = 0;
  for await (const block of matchingBlocks(client, smallestFirst(sets, sizes), range, "oldest-first", examined)) {
    const types = await typesOf(client, commonest, block);
    for (const [i, number] of block.entries()) {
      while (number >= (firsts[bucket + 1] as number)) bucket += 1;
      const type = types[i];
      if (type !== undefined) totals.add(bucket, type, 1);
    }
  }
}

/** The type of each of `numbers`. The commonest is asked first, and only of what is left the next. */
async function typesOf(
  client: RedisClient,
  typeKeys: readonly TypeKey[],
  numbers: readonly number[],
): Promise<(EventType | undefined)[]> {
  const types = new Array<EventType | undefined>(numbers.length);
  let open = numbers.map((_, i) => i);
  for (const { type, key } of typeKeys) {
    if (open.length === 0) break;
    const [has] = await membership(
      client,
      [key],
      open.map((i) => numbers[i] as number),
    );
    const rest: number[] = [];
    for (const [k, i] of open.entries()) {
      if (has?.[k] == null) rest.push(i);
      else types[i] = type;
    }
    open = rest;
  }
  return types;
}
