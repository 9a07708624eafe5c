import { matchesFilter } from "../../event/event-filter.ts";
import { examination } from "../block-matches.ts";
import { EXAMINE_LIMIT, type FindPage, type FindQuery } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import { matchingNumbers, type NumberRange, openUpTo } from "./indexed-log.ts";
import type { Indexes } from "./indexes.ts";
import { headOf, type LogState } from "./log-state.ts";
import { judge, type Reading } from "./reading.ts";

/** Bytes of stored events after which a page ends early: 500 inbound events with attachments would fill the memory. */
const PAGE_BYTES = 32 * 1024 * 1024;

export type Find = (client: RedisClient, query: FindQuery) => Promise<FindPage>;

export function createFind(indexes: Indexes, reading: Reading): Find {
  /** The state, and the numbers that a page may hold; none where it goes on from what is trimmed, newest first. */
  async function begin(
    client: RedisClient,
    { order, from, since }: FindQuery,
  ): Promise<{ state: LogState; range: NumberRange | null }> {
    const positions = [from, since].filter((position) => position !== undefined);
    const { state, tags } = await reading.look(client, ...positions.map(({ number }) => number));
    const verdicts = positions.map((position, i) => judge(state, position, tags[i] ?? null));
    const oldestFirst = order === "oldest-first";
    const gap = positions.find(
      (position, i) => verdicts[i] === "foreign" || (verdicts[i] === "expired" && (oldestFirst || position === since)),
    );
    if (gap !== undefined) throw await reading.gap(client, gap);
    if (verdicts.includes("expired")) return { state, range: null };
    const range = {
      lowest: Math.max(state.oldest, (since?.number ?? 0) + 1, oldestFirst ? (from?.number ?? 0) + 1 : 0),
      highest: from === undefined || oldestFirst ? state.number : from.number - 1,
    };
    return { state, range };
  }

  return async (client, query) => {
    const { state, range } = await begin(client, query);
    const head = headOf(state);
    if (range === null || range.lowest > range.highest) return { entries: [], hasMore: false, end: null, head };
    const { matching, examined } = await indexes.run(client, async (index) => {
      const view = query.filter.length === 0 ? null : await openUpTo(index, client, state);
      const examined = examination(EXAMINE_LIMIT);
      const matching: number[] = [];
      for await (const some of matchingNumbers(view, query, range, examined)) {
        matching.push(...some);
        // One more than asked for tells that more follow.
        if (matching.length > query.limit) break;
      }
      return { matching, examined };
    });
    const numbers = matching.slice(0, query.limit);
    const fetched = await reading.fetch(client, state, numbers, PAGE_BYTES);
    const { left } = fetched;
    // Values that share a term are told apart here.
    const entries = fetched.entries.filter(({ event }) => event !== null && matchesFilter(query.filter, event));
    const full = matching.length > query.limit || left > 0;
    const lastLooked = full ? numbers[numbers.length - left - 1] : examined.last;
    if (lastLooked === undefined) return { entries, hasMore: full || examined.stopped, end: null, head };

    const last = entries.at(-1);
    const tag = last?.number === lastLooked ? last.tag : (await reading.look(client, lastLooked)).tags[0];
    // Trimmed meanwhile: newest first nothing older is left, and oldest first only the log's beginning leads on.
    if (tag == null) return { entries, hasMore: false, end: last?.cursor ?? null, head };
    const end = state.codec.encode({ epoch: state.epoch, number: lastLooked, tag });
    return { entries, hasMore: full || examined.stopped, end, head };
  };
}
