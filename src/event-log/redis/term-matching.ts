import type { EventFilter } from "../../event/event-filter.ts";
import { blockMatches, type Examination, type Order } from "../block-matches.ts";
import type { FindQuery } from "../event-log.ts";
import { BLOCK_SIZE, encodePlaces, type Places } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { SCRIPTS } from "./script.ts";
import { termOf } from "./term.ts";
import { fieldsOf, placesIn, recordOf } from "./term-block.ts";
import { firstFrom, placesOfTerms, type TermCode, termCode } from "./term-tail.ts";
import type { IndexView } from "./term-view.ts";

/** Entries from `lowest` to `highest`, both inclusive. */
export interface NumberRange {
  readonly lowest: number;
  readonly highest: number;
}

/** The index as it is looked through. */
export interface LookedIndex {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly view: IndexView;
}

/** Entries of the tail that are looked at together: a common match fills a page with the first. */
const TAIL_PART = 2_048;
/**
 * Blocks that are read at once: few at first, of which a common match fills the page, and then many. A command costs
 * more than what it brings, and a log of a million entries has some 100.
 */
const FIRST_BLOCKS = 8;
const MOST_BLOCKS = 128;

/** A part of the index: what it has of a condition's values stands under the condition's place in the filter. */
export interface IndexPart {
  /** Number of the entry at place 0. */
  readonly base: number;
  /** Last number that it may have. */
  readonly last: number;
  readonly conditions: readonly (readonly Places[])[];
}

/** What is looked for in the index: the terms of each condition of a filter. */
export type Wanted = readonly (readonly TermCode[])[];

export function wantedBy(filter: EventFilter): Wanted {
  return filter.map(({ field, anyOf }) => [...new Set(anyOf)].map((value) => termCode(termOf(field, value))));
}

/**
 * The parts of the index that `range` lies in, in `order`, with the places of what is wanted; without those blocks that
 * have nothing of a condition, and so no match.
 */
export async function* indexParts(
  index: LookedIndex,
  wanted: Wanted,
  range: NumberRange,
  order: Order,
): AsyncGenerator<IndexPart, void> {
  // A condition without values holds for nothing.
  if (wanted.some(({ length }) => length === 0)) return;
  if (order === "newest-first") yield* tailParts(index.view, wanted, range, order);
  yield* blockParts(index, wanted, range, order);
  if (order === "oldest-first") yield* tailParts(index.view, wanted, range, order);
}

function* tailParts({ tail }: IndexView, wanted: Wanted, range: NumberRange, order: Order): Generator<IndexPart, void> {
  const newestFirst = order === "newest-first";
  const terms = wanted.flat();
  let from = firstFrom(tail, range.lowest);
  let to = firstFrom(tail, range.highest + 1);
  while (from < to) {
    const begin = newestFirst
      ? Math.max(from, firstFrom(tail, (tail.numbers[to - 1] as number) - TAIL_PART + 1))
      : from;
    const base = tail.numbers[begin] as number;
    const end = newestFirst ? to : Math.min(to, firstFrom(tail, base + TAIL_PART));
    const places = placesOfTerms(tail, terms, begin, end, base).map(encodePlaces);
    yield { base, last: tail.numbers[end - 1] as number, conditions: byCondition(wanted, places) };
    if (newestFirst) to = begin;
    else from = end;
  }
}

async function* blockParts(
  { client, keys, view: { blocks, tail, state } }: LookedIndex,
  wanted: Wanted,
  { lowest, highest }: NumberRange,
  order: Order,
): AsyncGenerator<IndexPart, void> {
  const tailFirst = tail.length > 0 ? (tail.numbers[0] as number) : state.number + 1;
  const spans = blocks
    // A block that was made of a part of this tail meanwhile has nothing that the tail has not.
    .filter((first) => first < tailFirst)
    .map((first, i, known) => ({ first, last: Math.min(known[i + 1] ?? tailFirst, first + BLOCK_SIZE) - 1 }))
    .filter(({ first, last }) => last >= lowest && first <= highest);
  if (order === "newest-first") spans.reverse();
  const terms = wanted.flat();
  const looked = wanted.flatMap((condition) => [
    condition.length,
    ...condition.flatMap((term) => [...fieldsOf(term), recordOf(term)]),
  ]);
  for (let from = 0, count = FIRST_BLOCKS; from < spans.length; from += count, count = MOST_BLOCKS) {
    const group = spans.slice(from, from + count);
    const names = group.map(({ first }) => keys.block(first));
    // By one command: what the client does for each would take longer than Redis takes for all.
    const replies = (await SCRIPTS.lookup.runForBytes(client, names, looked)) as (Buffer | null)[][];
    for (const [i, { first, last }] of group.entries()) {
      const values = replies[i] ?? [];
      if (values.length === 0) continue;
      const places = terms.map((term, k) => placesIn(term, values[2 * k] ?? null, values[2 * k + 1] ?? null));
      yield { base: first, last, conditions: byCondition(wanted, places) };
    }
  }
}

function byCondition(wanted: Wanted, places: readonly Places[]): readonly (readonly Places[])[] {
  let from = 0;
  return wanted.map(({ length }) => {
    from += length;
    return places.slice(from - length, from);
  });
}

/** The places of a part that match all of its conditions, of the numbers in `range`, some at a time. */
export function matchesIn(
  { base, last, conditions }: IndexPart,
  range: NumberRange,
  order: Order,
  examined: Examination,
): Generator<readonly number[]> {
  const lowest = Math.max(range.lowest - base, 0);
  return blockMatches(conditions, { base, lowest, highest: Math.min(range.highest, last) - base, order }, examined);
}

/**
 * The numbers in `range` that match the filter, in the order asked for, some at a time. No entry is fetched: `examined`
 * counts the candidates, which are those of the condition that the fewest entries of a part meet. Without conditions
 * every number is one, and no index is needed.
 */
export async function* matchingNumbers(
  index: LookedIndex | null,
  { filter, order }: Pick<FindQuery, "filter" | "order">,
  range: NumberRange,
  examined: Examination,
): AsyncGenerator<readonly number[], void> {
  const parts = index === null ? wholeParts(range, order) : indexParts(index, wantedBy(filter), range, order);
  for await (const part of parts) {
    for (const places of matchesIn(part, range, order, examined)) yield places.map((place) => part.base + place);
    if (examined.stopped) return;
  }
}

function* wholeParts({ lowest, highest }: NumberRange, order: Order): Generator<IndexPart, void> {
  for (let from = lowest, to = highest; from <= to; ) {
    const base = order === "newest-first" ? Math.max(from, to - BLOCK_SIZE + 1) : from;
    const last = Math.min(to, base + BLOCK_SIZE - 1);
    yield { base, last, conditions: [] };
    if (order === "newest-first") to = base - 1;
    else from = last + 1;
  }
}
