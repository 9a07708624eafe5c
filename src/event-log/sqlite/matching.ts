import type { Condition, EventFilter } from "../../event/event-filter.ts";
import { blockMatches, type Examination, type Order } from "../block-matches.ts";
import { BLOCK_SIZE, blockOf } from "../places.ts";
import type { Posting, Postings } from "./postings.ts";
import { FIELD_CODES, type Term } from "./terms.ts";

/** Numbers to look among, both inclusive. */
export interface NumberRange {
  readonly lowest: number;
  readonly highest: number;
}

/** Rows that are read at once of a term whose rows are used one after the other. */
const READ_AHEAD = 16;

/** Goes through the rows of one term in one direction. */
class TermRows {
  readonly #postings: Postings;
  readonly #term: Term;
  readonly #order: Order;
  #rows: readonly Posting[] = [];
  #next = 0;
  #wanted = 1;
  #ended = false;

  constructor(postings: Postings, term: Term, order: Order) {
    this.#postings = postings;
    this.#term = term;
    this.#order = order;
  }

  /** The row at `block`, else the nearest beyond it; `block` never goes back. */
  seek(block: number): Posting | undefined {
    while (this.#next < this.#rows.length) {
      const row = this.#rows[this.#next] as Posting;
      if (this.#order === "newest-first" ? row.block <= block : row.block >= block) return row;
      this.#next += 1;
    }
    if (this.#ended) return undefined;
    const last = this.#rows.at(-1);
    const wasNext = last !== undefined && Math.abs(block - last.block) === 1;
    this.#wanted = wasNext ? Math.min(this.#wanted * 2, READ_AHEAD) : 1;
    this.#rows =
      this.#order === "newest-first"
        ? this.#postings.atOrBelow(this.#term, block, this.#wanted)
        : this.#postings.atOrAbove(this.#term, block, this.#wanted);
    this.#next = 0;
    this.#ended = this.#rows.length === 0;
    return this.#rows[0];
  }
}

/** Where many values differ, the next row lies farthest: with those fields first, few rows of the others are read. */
const RAREST_FIRST = ["messageId", "email", "tag", "subaccount", "type"] as const;

function termRows(postings: Postings, filter: EventFilter, order: Order): TermRows[][] {
  const rank = ({ field }: Condition) => RAREST_FIRST.indexOf(field);
  return filter
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ field, anyOf }) =>
      [...new Set(anyOf)].map((value) => new TermRows(postings, { field: FIELD_CODES[field], value }, order)),
    );
}

/** The nearest rows, at `block` or beyond it, of any of `terms`. */
function nearestRows(terms: readonly TermRows[], block: number, order: Order): Posting[] {
  let nearest: Posting[] = [];
  for (const term of terms) {
    const row = term.seek(block);
    if (row === undefined) continue;
    const ahead = nearest[0] === undefined ? 0 : row.block - nearest[0].block;
    if (ahead === 0) nearest.push(row);
    else if (order === "newest-first" ? ahead > 0 : ahead < 0) nearest = [row];
  }
  return nearest;
}

/** The first block, at `from` or beyond it, in which every condition has rows; with the rows of each. */
function nextCommonBlock(
  conditions: readonly TermRows[][],
  from: number,
  order: Order,
): { block: number; found: Posting[][] } | undefined {
  for (let block = from; ; ) {
    const found: Posting[][] = [];
    let reached = block;
    for (const terms of conditions) {
      const rows = nearestRows(terms, reached, order);
      if (rows[0] === undefined) return undefined;
      reached = rows[0].block;
      found.push(rows);
    }
    if (reached === block) return { block, found };
    block = reached;
  }
}

/**
 * The numbers in `range` that match `filter`, part by part, each of one block, in `order`. The candidates of a block
 * are those of the condition that has the fewest there: it is those that `examined` counts. Where the filter is empty,
 * numbers whose event was erased are among the result.
 */
export function* matchingNumbers(
  postings: Postings,
  filter: EventFilter,
  { lowest, highest }: NumberRange,
  order: Order,
  examined: Examination,
): Generator<readonly number[]> {
  const newestFirst = order === "newest-first";
  const conditions = termRows(postings, filter, order);
  const [first, final] = newestFirst ? [highest, lowest] : [lowest, highest];
  for (let from = blockOf(first); lowest <= highest && !examined.stopped; ) {
    const common = nextCommonBlock(conditions, from, order);
    if (common === undefined || (newestFirst ? common.block < blockOf(final) : common.block > blockOf(final))) return;
    const base = common.block * BLOCK_SIZE;
    const range = {
      base,
      lowest: Math.max(lowest - base, 0),
      highest: Math.min(highest - base, BLOCK_SIZE - 1),
      order,
    };
    const placesHere = common.found.map((rows) => rows.map(({ places }) => places));
    for (const matches of blockMatches(placesHere, range, examined)) yield matches.map((place) => base + place);
    from = newestFirst ? common.block - 1 : common.block + 1;
  }
}
