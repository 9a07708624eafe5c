import type { EventFilter } from "../../event/event-filter.ts";
import type { Order } from "../block-matches.ts";
import { BLOCK_SIZE, encodePlaces, type Places } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import type { IndexPart, IndexView, NumberRange } from "./indexed-log.ts";
import type { RedisKeys } from "./keys.ts";
import { SCRIPTS } from "./script.ts";
import { termOf } from "./term.ts";
import { fieldsOf, placesIn, recordOf } from "./term-block.ts";
import { firstFrom, placesOfTerms, type TermCode, termCode } from "./term-tail.ts";
import type { TermView } from "./term-view.ts";

/** The index as it is looked through. */
interface LookedIndex {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly view: TermView;
}

/** Entries of the tail that are looked at together: a common match fills a page with the first. */
const TAIL_PART = 2_048;
/**
 * Blocks that are read at once: few at first, of which a common match fills the page, and then many. A command costs
 * more than what it brings, and a log of a million entries has some 100.
 */
const FIRST_BLOCKS = 8;
const MOST_BLOCKS = 128;

/** What is looked for in the index: the terms of each condition of a filter. */
type Wanted = readonly (readonly TermCode[])[];

function wantedBy(filter: EventFilter): Wanted {
  return filter.map(({ field, anyOf }) => [...new Set(anyOf)].map((value) => termCode(termOf(field, value))));
}

/** Does what {@link IndexView.parts} is to do. */
export async function* indexParts(
  index: LookedIndex,
  filter: EventFilter,
  range: NumberRange,
  order: Order,
): AsyncGenerator<IndexPart, void> {
  const wanted = wantedBy(filter);
  // A condition without values holds for nothing.
  if (wanted.some(({ length }) => length === 0)) return;
  if (order === "newest-first") yield* tailParts(index.view, wanted, range, order);
  yield* blockParts(index, wanted, range, order);
  if (order === "oldest-first") yield* tailParts(index.view, wanted, range, order);
}

function* tailParts({ tail }: TermView, wanted: Wanted, range: NumberRange, order: Order): Generator<IndexPart, void> {
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
