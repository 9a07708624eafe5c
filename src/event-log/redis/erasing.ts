import { normalizeEmail } from "../../event/event-filter.ts";
import type { RedisClient } from "./connection.ts";
import { countName, indexKeysOf, type RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { type LogStates, STATE_FIELDS } from "./log-state.ts";
import type { Reading } from "./reading.ts";
import { SCRIPTS } from "./script.ts";

/**
 * Entries that one step erases at the most: each may lie in an append of its own, whose terms are rewritten, and those
 * of 1,000 events take Redis some milliseconds.
 */
const STEP_ENTRIES = 10;
/** Bytes of stored events that a step reads, about: an inbound event may weigh 25 MB. */
const STEP_BYTES = 4 * 1024 * 1024;

/** Erases the events of one address; resolves to how many there were. */
export type Erase = (link: Link, email: string) => Promise<number>;

/** An entry as erase.lua takes it. */
type PlannedEntry = readonly [number: number, tag: string, countName: string, places: readonly number[]];

export function createErase(keys: RedisKeys, states: LogStates, reading: Reading): Erase {
  const fixed = [keys.meta, keys.entries, keys.terms, keys.erased, keys.minute, keys.counts];

  /** Erases the first entries up to number `to`; null where there are none any more. */
  async function step(client: RedisClient, address: string, to: number): Promise<number | null> {
    const state = states.parse(await client.hmget(keys.meta, ...STATE_FIELDS));
    if (state === null) return null;
    const found = await client.zrangebyscore(address, "-inf", to, "LIMIT", 0, STEP_ENTRIES);
    const { entries, left } = await reading.fetch(client, state, found.map(Number), STEP_BYTES);
    const held = new Map(entries.map((entry) => [entry.number, entry]));
    const places = new Map([[address, 1]]);
    const placeOf = (key: string): number => {
      const place = places.get(key) ?? places.size + 1;
      places.set(key, place);
      return place;
    };
    const plan = found.slice(0, found.length - left).map((text): PlannedEntry => {
      const { number, tag, event } = held.get(Number(text)) ?? { number: Number(text), tag: "", event: null };
      // Of an entry that Redis has lost no more is known than where it was found.
      const indexKeys = event === null ? [] : indexKeysOf(keys, event);
      const name = event === null ? "" : countName(event.type, event.subaccount);
      return [number, tag, name, [...new Set([1, ...Array.from(indexKeys, placeOf)])]];
    });
    const args = [keys.channel, JSON.stringify(plan)];
    const erased = await SCRIPTS.erase.run(client, [...fixed, ...places.keys()], args);
    return found.length === 0 ? null : Number(erased);
  }

  return async (link, email) => {
    const address = keys.index("email", normalizeEmail(email));
    // What comes in from now on is not waited for: there may be no end of it.
    const state = await link.run(async (client) => states.parse(await client.hmget(keys.meta, ...STATE_FIELDS)));
    if (state === null) return 0;
    for (let erased = 0; ; ) {
      const more = await link.run((client) => step(client, address, state.number));
      if (more === null) return erased;
      erased += more;
    }
  };
}
