import type { Event } from "../../event/event.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import type { Order } from "../block-matches.ts";
import { encodePlaces } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import { type EventIndex, type IndexPart, type IndexView, type NumberRange, spansOf } from "./indexed-log.ts";
import type { RedisKeys } from "./keys.ts";
import { FORMER_LAYOUT, type LogState, type LogStates, requireLayout, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";
import { indexKeysOf, noteOf } from "./set-keys.ts";

/** Numbers that are looked at first: a common match fills a page with them. */
const FIRST_SPAN = 2_048;
/** Rows of the terms that are read before it is known how many entries they have. */
const FIRST_ROWS = 8;

/**
 * The index of the layout before: under each value by which entries are found a sorted set of their numbers, and a list
 * of the appends with the sets of each. An instance of the version before finds, trims and erases what this one has
 * appended, and this one what that has.
 */
export function createSetIndex(keys: RedisKeys, states: LogStates): EventIndex {
  /** As many rows as make a run if they are like those of the last. */
  let rows = FIRST_ROWS;
  return {
    layout: FORMER_LAYOUT,
    scripts: SCRIPTS.ofSets,
    async open(client) {
      const state = states.parse(await client.hmget(keys.meta, ...STATE_FIELDS));
      if (state === null) return null;
      requireLayout(state, FORMER_LAYOUT);
      return viewOf(client, keys, state);
    },
    added(events) {
      const placesByKey = new Map<string, number[]>();
      for (const [i, event] of events.entries()) {
        for (const key of indexKeysOf(keys, event)) {
          const places = placesByKey.get(key) ?? [];
          places.push(i + 1);
          placesByKey.set(key, places);
        }
      }
      return { keys: [keys.terms, ...placesByKey.keys()], value: JSON.stringify([...placesByKey.values()]) };
    },
    afterAppend() {},
    async planTrim(client, most) {
      const look = client.pipeline().hmget(keys.meta, ...STATE_FIELDS);
      const replies = resultsOf(await look.lrange(keys.terms, 0, rows - 1).exec());
      const [meta, texts] = replies as [(string | null)[], string[]];
      const state = states.parse(meta);
      const indexKeys = new Set<string>();
      const oldest = state?.oldestKept ?? 0;
      let next = oldest;
      for (const note of texts.map(noteOf)) {
        if (next - oldest >= most) break;
        // Of entries that are gone: trimming drops it.
        if (note.last < next) continue;
        for (const key of note.keys) indexKeys.add(key);
        next = note.last + 1;
      }
      const entries = next - oldest;
      if (entries > 0) rows = Math.max(2, Math.min(most, Math.ceil((most / entries) * texts.length)));
      // Without a row there is nothing to take out of sets.
      return { state, entries: texts.length === 0 ? most : entries, keys: [keys.terms, ...indexKeys], values: [] };
    },
  };
}

function viewOf(client: RedisClient, keys: RedisKeys, state: LogState): IndexView {
  async function* parts(filter: EventFilter, range: NumberRange, order: Order): AsyncGenerator<IndexPart, void> {
    const wanted = filter.map(({ field, anyOf }) => [...new Set(anyOf)].map((value) => keys.formerIndex(field, value)));
    if (wanted.some(({ length }) => length === 0)) return;
    for (const { lowest, highest } of spansOf(range, order, FIRST_SPAN)) {
      const pipeline = client.pipeline();
      for (const key of wanted.flat()) pipeline.zrangebyscore(key, lowest, highest);
      // The sets go once the log has the other layout: these were all there if it has it not yet.
      const replies = resultsOf(await pipeline.hget(keys.meta, "layout").exec());
      requireLayout({ layout: replies.pop() as string }, FORMER_LAYOUT);
      const places = (replies as string[][]).map((found) =>
        encodePlaces(found.map((number) => Number(number) - lowest)),
      );
      const conditions = wanted.map(({ length }) => places.splice(0, length));
      if (conditions.every((condition) => condition.some(({ length }) => length > 0))) {
        yield { base: lowest, last: highest, conditions };
      }
    }
  }

  return {
    state,
    parts,
    async bearersOf(email, to, others, count) {
      const found = await client.zrangebyscore(keys.formerIndex("email", email), "-inf", to, "LIMIT", 0, count);
      const numbers = found.map(Number).filter((number) => !others.has(number));
      return { base: 0, numbers };
    },
    async without(email, { numbers }, events) {
      const address = keys.formerIndex("email", email);
      const places = new Map([[address, 1]]);
      const placeOf = (key: string): number => {
        const place = places.get(key) ?? places.size + 1;
        places.set(key, place);
        return place;
      };
      const erased = numbers.map((number) => {
        const event: Event | undefined = events.get(number);
        // Of an entry that Redis has lost no more is known than where it was found.
        const indexKeys = event === undefined ? [] : indexKeysOf(keys, event);
        return [number, ...new Set([1, ...Array.from(indexKeys, placeOf)])];
      });
      return { keys: [keys.terms, ...places.keys()], values: [JSON.stringify(erased)] };
    },
  };
}
