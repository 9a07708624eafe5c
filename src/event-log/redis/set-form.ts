import type { ChainableCommander } from "ioredis";
import type { Event } from "../../event/event.ts";
import type { EventFilter } from "../../event/event-filter.ts";
import type { Order } from "../block-matches.ts";
import { encodePlaces, type Places } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import { type EventIndex, type IndexPart, type IndexView, type NumberRange, spansOf } from "./indexed-log.ts";
import type { RedisKeys } from "./keys.ts";
import { FORMER_LAYOUT, type LogState, type LogStates, requireLayout, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";
import { indexKeysOf, noteOf } from "./set-keys.ts";

/** Numbers that are looked at first: a common match fills a page with them. */
const FIRST_SPAN = 2_048;
/** Spans that are asked at once whether there is anything in them. */
const SPANS = 64;
/** Each may lie in an append of its own, whose row of the terms is rewritten. */
const ERASED_AT_ONCE = 10;
/** Rows of the terms that are read before it is known how many entries they have. */
const FIRST_ROWS = 8;

/** The sets of each condition. */
type Wanted = readonly (readonly string[])[];

/**
 * The index of the former layout: under each value by which entries are found a sorted set of their numbers, and a list
 * of the appends with the sets of each. An instance of the version before finds, trims and erases what this one has
 * appended, and this one what that has.
 */
export function createSetIndex(keys: RedisKeys, states: LogStates): EventIndex {
  /** As many rows as make a run if they are like those of the last. */
  let rows = FIRST_ROWS;
  return {
    erasedAtOnce: ERASED_AT_ONCE,
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
      return { keys: [...placesByKey.keys()], value: JSON.stringify([...placesByKey.values()]) };
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
      // Without a row nobody knows the sets.
      return { state, entries: texts.length === 0 ? most : entries, keys: [keys.terms, ...indexKeys], values: [] };
    },
  };
}

function viewOf(client: RedisClient, keys: RedisKeys, state: LogState): IndexView {
  /** What the commands reply that `add` queues: of sets that were all there. */
  async function ask<T>(add: (pipeline: ChainableCommander) => void): Promise<readonly T[]> {
    const pipeline = client.pipeline();
    add(pipeline);
    // The sets go once the log has the other layout: they were there if it has it not yet.
    const replies = resultsOf(await pipeline.hget(keys.meta, "layout").exec());
    requireLayout({ layout: replies.pop() as string }, FORMER_LAYOUT);
    return replies as T[];
  }

  /** The part of one span, where each condition has so many entries in it. */
  async function partOf(
    { lowest, highest }: NumberRange,
    wanted: Wanted,
    sizes: readonly number[],
  ): Promise<IndexPart> {
    const fewest = sizes.indexOf(Math.min(...sizes));
    const inSpan = (pipeline: ChainableCommander, i: number) => {
      for (const key of wanted[i] ?? []) pipeline.zrangebyscore(key, lowest, highest);
    };
    const placesOf = (numbers: readonly string[]): Places => encodePlaces(numbers.map((text) => Number(text) - lowest));
    const known = await ask<string[]>((pipeline) => inSpan(pipeline, fewest));
    if (wanted.length === 1) return { base: lowest, last: highest, conditions: [known.map(placesOf)] };
    const candidates = [...new Set(known.flat())].sort((a, b) => Number(a) - Number(b));
    // Trimmed since they were counted.
    if (candidates.length === 0) return { base: lowest, last: highest, conditions: wanted.map(() => []) };
    /** Whether it takes less to ask of each candidate than to read all that the condition has. */
    const isAsked = wanted.map(({ length }, i) => candidates.length * length < (sizes[i] as number));
    const others = await ask<(string | null)[]>((pipeline) => {
      for (const [i, sets] of wanted.entries()) {
        if (i === fewest) continue;
        if (isAsked[i] === false) inSpan(pipeline, i);
        else for (const key of sets) pipeline.zmscore(key, ...candidates);
      }
    });
    let next = 0;
    const conditions = wanted.map((sets, i) => {
      if (i === fewest) return known.map(placesOf);
      return sets.map(() => {
        const reply = others[next++] ?? [];
        return placesOf(isAsked[i] === false ? (reply as string[]) : candidates.filter((_, k) => reply[k] !== null));
      });
    });
    return { base: lowest, last: highest, conditions, fewest };
  }

  async function* parts(filter: EventFilter, range: NumberRange, order: Order): AsyncGenerator<IndexPart, void> {
    const wanted = filter.map(({ field, anyOf }) => [...new Set(anyOf)].map((value) => keys.formerIndex(field, value)));
    if (wanted.some(({ length }) => length === 0)) return;
    const spans = [...spansOf(range, order, FIRST_SPAN)];
    for (let from = 0, count = 1; from < spans.length; from += count, count = SPANS) {
      const group = spans.slice(from, from + count);
      const counts = await ask<number>((pipeline) => {
        for (const { lowest, highest } of group) {
          for (const key of wanted.flat()) pipeline.zcount(key, lowest, highest);
        }
      });
      let next = 0;
      for (const span of group) {
        const sizes = wanted.map((sets) => sets.reduce((sum) => sum + (counts[next++] as number), 0));
        if (sizes.every((size) => size > 0)) yield await partOf(span, wanted, sizes);
      }
    }
  }

  return {
    state,
    parts,
    async bearersOf(email, to, others, count) {
      const address = keys.formerIndex("email", email);
      const found = await client.zrangebyscore(address, "-inf", to, "LIMIT", 0, count + others.size);
      const numbers = found.map(Number).filter((number) => !others.has(number));
      // A row of the terms may have the address yet: of an append of which a part was trimmed.
      return { base: 0, numbers: numbers.slice(0, count) };
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
