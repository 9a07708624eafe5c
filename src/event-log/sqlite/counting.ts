import { ServiceError } from "../../error.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import { EVENT_TYPES, type EventType } from "../../event/event-type.ts";
import { examination } from "../block-matches.ts";
import { type CountTotals, createCountTotals } from "../count-totals.ts";
import { admittedValues, bucketStarts, COUNT_MINUTE_MS, isCountedByMinute, minuteOf } from "../event-counts.ts";
import { COUNT_LIMIT, type CountQuery, type CountRow } from "../event-log.ts";
import { BLOCK_SIZE, blockOf, listPlaces, placeOf } from "../places.ts";
import type { LogFile } from "./log-file.ts";
import { matchingNumbers, type NumberRange } from "./matching.ts";
import type { MinuteCounts } from "./minute-counts.ts";
import type { Postings } from "./postings.ts";
import { FIELD_CODES } from "./terms.ts";
import type { Timeline } from "./timeline.ts";

export type Count = (query: CountQuery) => readonly CountRow[];

const NO_TYPE = -1;

/**
 * What the log holds is counted in the index, exactly. What it has trimmed is counted by the minute; where the
 * oldest entry lies within a minute, what the log holds of that minute is taken off.
 */
export function createCount({ state }: LogFile, postings: Postings, counts: MinuteCounts, timeline: Timeline): Count {
  /** Which of EVENT_TYPES each place of a block has. */
  function typesOf(block: number) {
    const types = new Int8Array(BLOCK_SIZE).fill(NO_TYPE);
    for (const [t, value] of EVENT_TYPES.entries()) {
      const [row] = postings.atOrAbove({ field: FIELD_CODES.type, value }, block, 1);
      if (row?.block !== block) continue;
      for (const place of listPlaces(row.places)) types[place] = t;
    }
    return types;
  }

  /** Calls `each` with the type of every entry in `range` that matches, oldest first. */
  function forEachHeld(filter: EventFilter, range: NumberRange, each: (number: number, type: EventType) => void): void {
    const examined = examination(isCountedByMinute(filter) ? Number.POSITIVE_INFINITY : COUNT_LIMIT);
    let block = -1;
    let types = new Int8Array();
    for (const numbers of matchingNumbers(postings, filter, range, "oldest-first", examined)) {
      const reached = blockOf(numbers[0] ?? 0);
      if (reached !== block) types = typesOf(reached);
      block = reached;
      for (const number of numbers) {
        const type = EVENT_TYPES[types[placeOf(number)] as number];
        if (type !== undefined) each(number, type);
      }
    }
    if (!examined.stopped) return;
    throw new ServiceError(
      "LIMIT_EXCEEDED",
      `More than ${COUNT_LIMIT} events would have to be looked at: ask for a shorter span, or a rarer filter.`,
    );
  }

  function addHeld({ filter }: CountQuery, starts: readonly number[], totals: CountTotals): void {
    const from = timeline.firstAt(starts[0] as number, state.oldest, state.number);
    const firsts = [from];
    for (const start of starts.slice(1)) {
      firsts.push(timeline.firstAt(start, firsts.at(-1) as number, state.number));
    }
    let bucket = 0;
    forEachHeld(filter, { lowest: from, highest: (firsts.at(-1) as number) - 1 }, (number, type) => {
      while (number >= (firsts[bucket + 1] as number)) bucket += 1;
      totals.add(bucket, type, 1);
    });
  }

  function addTrimmed({ filter }: CountQuery, starts: readonly number[], totals: CountTotals): void {
    const types = admittedValues(filter, "type") ?? EVENT_TYPES;
    const subaccounts = admittedValues(filter, "subaccount") ?? [null];
    const parted = minuteOf(timeline.receivedAt(state.oldest));
    const nextMinute = (time: number) => minuteOf(time + COUNT_MINUTE_MS - 1);
    for (const [bucket, start] of starts.slice(0, -1).entries()) {
      const from = Math.max(nextMinute(start), state.countsFrom);
      const to = Math.min(nextMinute(starts[bucket + 1] as number), parted + COUNT_MINUTE_MS);
      if (from >= to) continue;
      for (const type of types as readonly EventType[]) {
        for (const subaccount of subaccounts) {
          totals.add(bucket, type, counts.sum(from, to, type, subaccount));
        }
      }
      if (to <= parted) continue;
      const held = timeline.firstAt(parted + COUNT_MINUTE_MS, state.oldest, state.number) - 1;
      forEachHeld(filter, { lowest: state.oldest, highest: held }, (_, type) => totals.add(bucket, type, -1));
    }
  }

  return (query) => {
    const totals = createCountTotals();
    if (state.number === 0 || query.to <= query.from) return [];
    const starts = bucketStarts(query);
    addHeld(query, starts, totals);
    if (state.oldest > 1 && isCountedByMinute(query.filter)) addTrimmed(query, starts, totals);
    return totals.rows();
  };
}
