import type { Event } from "../../event/event.ts";
import { filterFromArguments, matchesFilter, normalizeEmail } from "../../event/event-filter.ts";
import type { RedisClient } from "./connection.ts";
import type { Indexes } from "./indexes.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { type LogStates, STATE_FIELDS } from "./log-state.ts";
import type { Reading } from "./reading.ts";

/** Bytes of stored events that a step reads, about: an inbound event may weigh 25 MB. */
const STEP_BYTES = 4 * 1024 * 1024;

/** Erases the events of one address; resolves to how many there were. */
export type Erase = (link: Link, email: string) => Promise<number>;

/** An entry as erase.lua takes it. */
type PlannedEntry = readonly [number: number, tag: string, countName: string];

export function createErase(keys: RedisKeys, states: LogStates, indexes: Indexes, reading: Reading): Erase {
  const fixed = [keys.meta, keys.entries, keys.erased, keys.minute, keys.counts];

  /** Erases the first entries up to number `to`; null where there are none any more. Notes in `others` what is another's. */
  function step(client: RedisClient, email: string, to: number, others: Set<number>): Promise<number | null> {
    return indexes.run(client, async (index) => {
      const view = await index.open(client);
      const bearers = view && (await view.bearersOf(email, to, others, index.erasedAtOnce));
      if (view === null || bearers === null) return null;
      const { state } = view;
      const { entries, left } = await reading.fetch(client, state, bearers.numbers, STEP_BYTES);
      const looked = bearers.numbers.slice(0, bearers.numbers.length - left);
      const plan: PlannedEntry[] = [];
      const events = new Map<number, Event>();
      const filter = filterFromArguments({ email });
      for (const { number, tag, event } of entries) {
        if (event === null) continue;
        if (matchesFilter(filter, event)) {
          plan.push([number, tag, countName(event.type, event.subaccount)]);
          events.set(number, event);
        } else {
          others.add(number);
        }
      }
      const numbers = looked.filter((number) => !others.has(number));
      const changes = await view.without(email, { ...bearers, numbers }, events);
      const changed = await index.scripts.erase.run(
        client,
        [...fixed, ...changes.keys],
        [state.epoch, keys.channel, JSON.stringify(plan), ...changes.values],
      );
      // Where the index is another by now, the next step sees it.
      return bearers.numbers.length === 0 ? null : Number(changed ?? 0);
    });
  }

  return async (link, email) => {
    // What comes in from now on is not waited for: there may be no end of it.
    const state = await link.run(async (client) => states.parse(await client.hmget(keys.meta, ...STATE_FIELDS)));
    if (state === null) return 0;
    const others = new Set<number>();
    for (let erased = 0; ; ) {
      const more = await link.run((client) => step(client, normalizeEmail(email), state.number, others));
      if (more === null) return erased;
      erased += more;
    }
  };
}
