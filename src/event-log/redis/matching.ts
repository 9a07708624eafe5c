import type { EventFilter, FilterField } from "../../event/event-filter.ts";
import { admittedValues } from "../event-counts.ts";
import type { FindQuery } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { inPipeline } from "./pipeline.ts";

/** Candidates taken at once: few at first, where a common match fills the page at once, then more and more. */
const FIRST_BLOCK = 128;
const LARGEST_BLOCK = 2_048;

/** Entries from `lowest` to `highest`, both inclusive. */
export interface NumberRange {
  readonly lowest: number;
  readonly highest: number;
}

/** How far a look at candidates has gone. */
export interface Examination {
  readonly limit: number;
  count: number;
  /** The candidate looked at last. */
  last: number | undefined;
  /** Whether candidates are left that the limit did not allow. */
  stopped: boolean;
}

export function examination(limit: number): Examination {
  return { limit, count: 0, last: undefined, stopped: false };
}

/** The index keys of each condition: it holds for the numbers that any of its keys has. */
export type KeySets = readonly (readonly string[])[];

export function keySetsOf(keys: RedisKeys, filter: EventFilter): KeySets {
  const sets: string[][] = [];
  const admit = (field: FilterField, values: readonly string[] | null) => {
    if (values !== null) sets.push(values.map((value) => keys.index(field, value)));
  };
  const types = admittedValues(filter, "type");
  const subaccounts = admittedValues(filter, "subaccount");
  if (types !== null && subaccounts !== null) sets.push(keysOfBoth(keys, types, subaccounts));
  else {
    admit("type", types);
    admit("subaccount", subaccounts);
  }
  admit("email", admittedValues(filter, "email"));
  admit("messageId", admittedValues(filter, "messageId"));
  for (const { field, anyOf } of filter) {
    if (field === "tag") admit("tag", [...new Set(anyOf)]);
  }
  return sets;
}

/** What a tenant asks of one type: few entries, where both the type and the tenant may have many. */
function keysOfBoth(keys: RedisKeys, types: readonly string[], subaccounts: readonly string[]): string[] {
  return types.flatMap((type) => subaccounts.map((subaccount) => keys.indexOfBoth(type, subaccount)));
}

/** The sizes of key sets: what each key has, added up, within `range` where there is one. */
export async function sizesOf(client: RedisClient, sets: KeySets, range?: NumberRange): Promise<number[]> {
  const sizes = (await inPipeline(client, sets.flat(), (pipeline, key) =>
    range === undefined ? pipeline.zcard(key) : pipeline.zcount(key, range.lowest, range.highest),
  )) as number[];
  let from = 0;
  return sets.map(({ length }) => {
    from += length;
    return sizes.slice(from - length, from).reduce((sum, size) => sum + size, 0);
  });
}

/** The key sets, that of the fewest entries first. */
export function smallestFirst(sets: KeySets, sizes: readonly number[]): KeySets {
  const order = sets.map((_, i) => i).sort((a, b) => (sizes[a] as number) - (sizes[b] as number));
  return order.map((i) => sets[i] as readonly string[]);
}

/**
 * The numbers in `range` that every key set has, in `order`, in blocks. Candidates come from the first set, and no
 * entry is fetched; of no sets at all every number is one. Notes in `examined` what was looked at.
 */
export async function* matchingBlocks(
  client: RedisClient,
  [first, ...others]: KeySets,
  range: NumberRange,
  order: FindQuery["order"],
  examined: Examination,
): AsyncGenerator<readonly number[], void> {
  let { lowest, highest } = range;
  for (let size = FIRST_BLOCK; lowest <= highest; size = Math.min(size * 4, LARGEST_BLOCK)) {
    const allowed = Math.min(size, examined.limit - examined.count);
    const candidates = await take(client, first, { lowest, highest }, order, Math.max(allowed, 1));
    const last = candidates.at(-1);
    if (last === undefined) return;
    if (allowed <= 0) {
      examined.stopped = true;
      return;
    }
    const matching = await keepMatching(client, candidates, others);
    examined.count += candidates.length;
    examined.last = last;
    yield matching;
    if (order === "newest-first") highest = last - 1;
    else lowest = last + 1;
  }
}

/** The first `count` numbers of `range` that any of `keys` has, each once. */
async function take(
  client: RedisClient,
  keys: readonly string[] | undefined,
  { lowest, highest }: NumberRange,
  order: FindQuery["order"],
  count: number,
): Promise<readonly number[]> {
  const newestFirst = order === "newest-first";
  if (keys === undefined) {
    const length = Math.min(count, highest - lowest + 1);
    return Array.from({ length }, (_, i) => (newestFirst ? highest - i : lowest + i));
  }
  const found = (await inPipeline(client, keys, (pipeline, key) =>
    newestFirst
      ? pipeline.zrevrangebyscore(key, highest, lowest, "LIMIT", 0, count)
      : pipeline.zrangebyscore(key, lowest, highest, "LIMIT", 0, count),
  )) as string[][];
  if (found.length === 1) return (found[0] as string[]).map(Number);
  // Each key gives its first `count`, so none of the first of all of them is missing.
  const merged = [...new Set(found.flat())].map(Number).sort((a, b) => (newestFirst ? b - a : a - b));
  return merged.slice(0, count);
}

/** Those of `candidates` that each of `sets` has. */
async function keepMatching(
  client: RedisClient,
  candidates: readonly number[],
  sets: KeySets,
): Promise<readonly number[]> {
  let kept = candidates;
  for (const keys of sets) {
    if (kept.length === 0) return kept;
    const members = await membership(client, keys, kept);
    kept = kept.filter((_, i) => members.some((has) => has[i] !== null));
  }
  return kept;
}

/** For each key, and in it for each number, its score or null. */
export async function membership(
  client: RedisClient,
  keys: readonly string[],
  numbers: readonly number[],
): Promise<(string | null)[][]> {
  return (await inPipeline(client, keys, (pipeline, key) => pipeline.zmscore(key, ...numbers.map(String)))) as (
    | string
    | null
  )[][];
}
