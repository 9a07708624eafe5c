import type { RedisClient } from "./connection.ts";
import { readRows } from "./entry-rows.ts";
import { indexKeysOf, type RedisKeys } from "./keys.ts";
import { type LogState, type LogStates, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";

/** Entries that one run removes at the most, about: an append waits no longer than for one run. */
export const RUN_ENTRIES = 500;
/** Appends whose terms are read before it is known how many entries they have. */
const FIRST_APPENDS = 8;
/** Entries, and bytes of them, that are read at once where there are no terms of theirs. */
const FIRST_ROWS = 100;
const ROWS_BYTES = 4 * 1024 * 1024;

/** Entries that follow one another, and were received at one time. */
type Span = readonly [first: number, last: number, receivedAt: number];

/** An append as append.lua notes it in the terms. */
type AppendTerms = readonly [first: number, last: number, receivedAt: number, indexKeys: readonly string[]];

/** The oldest entries, and every index key that they stand under. */
export interface TrimPlan {
  readonly state: LogState;
  /** Oldest first, without a hole where they come from the terms. */
  readonly spans: readonly Span[];
  readonly indexKeys: ReadonlySet<string>;
}

export interface TrimPlans {
  /** What is to be looked at next; null where there is no log. */
  read(client: RedisClient): Promise<TrimPlan | null>;
}

export function createTrimPlans(keys: RedisKeys, states: LogStates): TrimPlans {
  /** As many appends, or entries, as make a run if they are like those of the last. */
  let appends = FIRST_APPENDS;
  let rowsAtOnce = FIRST_ROWS;

  function fromTerms(state: LogState, terms: readonly AppendTerms[]): TrimPlan {
    const spans: Span[] = [];
    const indexKeys = new Set<string>();
    let next = state.oldestKept;
    let entries = 0;
    for (const [first, last, receivedAt, names] of terms) {
      // Of entries that are gone: the script drops it.
      if (last < next) continue;
      if (first > next || entries >= RUN_ENTRIES) break;
      spans.push([next, last, receivedAt]);
      for (const name of names) indexKeys.add(name);
      entries += last - next + 1;
      next = last + 1;
    }
    if (spans.length > 0)
      appends = Math.max(2, Math.min(RUN_ENTRIES, Math.ceil((RUN_ENTRIES / entries) * spans.length)));
    return { state, spans, indexKeys };
  }

  /** From the entries themselves: an instance of an earlier version has appended them, and noted no terms. */
  async function fromEntries(client: RedisClient): Promise<TrimPlan | null> {
    const { state, rows } = await readRows(client, keys, states, 0, rowsAtOnce);
    if (state === null) return null;
    const bytes = rows.reduce((sum, { stored }) => sum + (stored?.length ?? 0), 0);
    rowsAtOnce = Math.max(1, Math.min(RUN_ENTRIES, Math.floor((ROWS_BYTES / (bytes + 1)) * rows.length)));
    const indexKeys = new Set<string>();
    for (const { stored } of rows) {
      if (stored === null) continue;
      for (const key of indexKeysOf(keys, state.codec.decodeEvent(stored))) indexKeys.add(key);
    }
    return { state, spans: rows.map(({ number, receivedAt }) => [number, number, receivedAt]), indexKeys };
  }

  return {
    async read(client) {
      const pipeline = client
        .pipeline()
        .hmget(keys.meta, ...STATE_FIELDS)
        .lrange(keys.terms, 0, appends - 1);
      const [meta, texts] = resultsOf(await pipeline.exec()) as [(string | null)[], string[]];
      const state = states.parse(meta);
      if (state === null) return null;
      const plan = fromTerms(
        state,
        texts.map((text) => JSON.parse(text) as AppendTerms),
      );
      return plan.spans.length > 0 ? plan : fromEntries(client);
    },
  };
}
