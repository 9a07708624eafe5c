import { logUnavailable } from "../../error.ts";
import type { Event } from "../../event/event.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import { blockMatches, type Examination, type Order } from "../block-matches.ts";
import type { FindQuery } from "../event-log.ts";
import { BLOCK_SIZE, type Places } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import type { LogState } from "./log-state.ts";
import type { IndexScripts, ScriptValue } from "./script.ts";

/** Entries from `lowest` to `highest`, both inclusive. */
export interface NumberRange {
  readonly lowest: number;
  readonly highest: number;
}

/** A part of the index: what it has of a condition's values stands under the condition's place in the filter. */
export interface IndexPart {
  /** Number of the entry at place 0. */
  readonly base: number;
  /** Last number that it may have. */
  readonly last: number;
  readonly conditions: readonly (readonly Places[])[];
  /** Place of the condition that has the candidates, where the others have only what they have of these. */
  readonly fewest?: number | undefined;
}

/** Some entries that bear an address, of one part of the index. */
export interface Bearers {
  readonly base: number;
  /** Ascending. */
  readonly numbers: readonly number[];
}

/** What a script is given for its part that knows the index. */
export interface IndexArguments {
  readonly keys: readonly string[];
  readonly values: readonly ScriptValue[];
}

/** The index as it was at one moment. */
export interface IndexView {
  /** The log's state then: every entry up to its head is indexed. */
  readonly state: LogState;
  /**
   * The parts of the index that `range` lies in, in `order`, with the places of what each condition wants; without
   * those that have nothing of a condition, and so no match.
   */
  parts(filter: EventFilter, range: NumberRange, order: Order): AsyncGenerator<IndexPart, void>;
  /**
   * The first entries up to number `to` that bear `email`, without `others`, `count` at the most: perhaps none, of which
   * the index has something yet all the same. Null where it has nothing.
   */
  bearersOf(email: string, to: number, others: ReadonlySet<number>, count: number): Promise<Bearers | null>;
  /** How erase.lua takes them out of it; `events` has those that are held. */
  without(email: string, bearers: Bearers, events: ReadonlyMap<number, Event>): Promise<IndexArguments>;
}

/** What is to be trimmed next. */
export interface TrimPlan extends IndexArguments {
  /** Null where there is no log. */
  readonly state: LogState | null;
  /** Entries that may be removed at the most. */
  readonly entries: number;
}

/** By what entries are found: the form of it is all that the layouts of a log differ in. */
export interface EventIndex {
  /** Entries that one step erases at the most: some milliseconds, for which appends wait. */
  readonly erasedAtOnce: number;
  readonly scripts: IndexScripts;
  /** The index, not older than the call; null where there is no log. */
  open(client: RedisClient): Promise<IndexView | null>;
  /** How append.lua indexes a batch. */
  added(events: readonly Event[]): { readonly keys: readonly string[]; readonly value: ScriptValue };
  /** Does in the background what is due where an append has left so many bytes that are in no block. */
  afterAppend(unsealedBytes: number): void;
  /** @param most entries to remove at once, about */
  planTrim(client: RedisClient, most: number): Promise<TrimPlan>;
}

/** The index of this epoch, where it has entry `number`. Rejects with LOG_UNAVAILABLE where it has not. */
export async function openUpTo(
  index: EventIndex,
  client: RedisClient,
  { number, epoch }: Pick<LogState, "number" | "epoch">,
): Promise<IndexView> {
  const view = await index.open(client);
  if (view?.state.epoch === epoch && view.state.number >= number) return view;
  throw logUnavailable("The log in Redis is another by now.");
}

/** The places of a part that match all of its conditions, of the numbers in `range`, some at a time. */
export function matchesIn(
  { base, last, conditions, fewest }: IndexPart,
  range: NumberRange,
  order: Order,
  examined: Examination,
): Generator<readonly number[]> {
  const lowest = Math.max(range.lowest - base, 0);
  const inBlock = { base, lowest, highest: Math.min(range.highest, last) - base, order };
  return blockMatches(conditions, inBlock, examined, fewest);
}

/**
 * The numbers in `range` that match the filter, in the order asked for, some at a time. No entry is fetched: `examined`
 * counts the candidates, which are those of the condition that the fewest entries of a part meet. Without conditions
 * every number is one, and no index is needed.
 */
export async function* matchingNumbers(
  view: IndexView | null,
  { filter, order }: Pick<FindQuery, "filter" | "order">,
  range: NumberRange,
  examined: Examination,
): AsyncGenerator<readonly number[], void> {
  const parts = view === null ? wholeParts(range, order) : view.parts(filter, range, order);
  for await (const part of parts) {
    for (const places of matchesIn(part, range, order, examined)) yield places.map((place) => part.base + place);
    if (examined.stopped) return;
  }
}

function* wholeParts(range: NumberRange, order: Order): Generator<IndexPart, void> {
  for (const { lowest, highest } of spansOf(range, order, BLOCK_SIZE)) {
    yield { base: lowest, last: highest, conditions: [] };
  }
}

/** A range in pieces, in `order`: the first of so many numbers, the others of a block's. */
export function* spansOf({ lowest, highest }: NumberRange, order: Order, first: number): Generator<NumberRange, void> {
  for (let from = lowest, to = highest, size = first; from <= to; size = BLOCK_SIZE) {
    const begin = order === "newest-first" ? Math.max(from, to - size + 1) : from;
    const end = Math.min(to, begin + size - 1);
    yield { lowest: begin, highest: end };
    if (order === "newest-first") to = begin - 1;
    else from = end + 1;
  }
}
