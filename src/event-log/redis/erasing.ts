import { filterFromArguments, matchesFilter, normalizeEmail } from "../../event/event-filter.ts";
import { examination } from "../block-matches.ts";
import type { RedisClient } from "./connection.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { type LogStates, STATE_FIELDS } from "./log-state.ts";
import type { Reading } from "./reading.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";
import { blockChanges, tailChanges } from "./term-erasure.ts";
import { indexParts, type LookedIndex, matchesIn, wantedBy } from "./term-matching.ts";
import type { IndexView, IndexViews } from "./term-view.ts";

/** Entries of one part of the index that one step erases at the most: some milliseconds, for which appends wait. */
const STEP_ENTRIES = 50;
/** Bytes of stored events that a step reads, about: an inbound event may weigh 25 MB. */
const STEP_BYTES = 4 * 1024 * 1024;

/** Erases the events of one address; resolves to how many there were. */
export type Erase = (link: Link, email: string) => Promise<number>;

/** An entry as erase.lua takes it. */
type PlannedEntry = readonly [number: number, tag: string, countName: string];

export function createErase(keys: RedisKeys, states: LogStates, views: IndexViews, reading: Reading): Erase {
  const fixed = [keys.meta, keys.entries, keys.erased, keys.minute, keys.counts, keys.tail];

  /** The first numbers up to `to`, in one part of the index, that bear what the address is found by. */
  async function find(index: LookedIndex, email: string, to: number, others: ReadonlySet<number>) {
    // What was trimmed is in the index for a while yet.
    const range = { lowest: 0, highest: to };
    const wanted = wantedBy(filterFromArguments({ email }));
    for await (const part of indexParts(index, wanted, range, "oldest-first")) {
      const matches = [...matchesIn(part, range, "oldest-first", examination(Number.POSITIVE_INFINITY))].flat();
      const numbers = matches.map((place) => part.base + place).filter((number) => !others.has(number));
      if (numbers.length > 0) return { base: part.base, numbers: numbers.slice(0, STEP_ENTRIES) };
    }
    return null;
  }

  /** What is to be written into the index so that it knows nothing of these entries of one part, as erase.lua takes it. */
  async function changesOf(
    client: RedisClient,
    { blocks }: IndexView,
    base: number,
    numbers: readonly number[],
  ): Promise<{ readonly block: readonly string[]; readonly args: readonly ScriptValue[] }> {
    if (blocks.includes(base)) {
      const fields = await client.hgetallBuffer(keys.block(base));
      const changes = blockChanges(fields, new Set(numbers.map((number) => number - base)));
      const args = changes.flatMap(({ at, before, after }) => [1, at, before, after]);
      return { block: [keys.block(base)], args: [0, ...args] };
    }
    const changes = tailChanges((await client.getBuffer(keys.tail)) ?? Buffer.alloc(0), new Set(numbers));
    return { block: [], args: [changes.length, ...changes.flatMap(({ at, before, after }) => [at, before, after])] };
  }

  /** Erases the first events up to number `to`; null where there are none any more. Notes in `others` what is another's. */
  async function step(client: RedisClient, email: string, to: number, others: Set<number>): Promise<number | null> {
    const view = await views.open(client);
    const found = view === null ? null : await find({ client, keys, view }, email, to, others);
    if (view === null || found === null) return null;
    const { state } = view;
    const { entries, left } = await reading.fetch(client, state, found.numbers, STEP_BYTES);
    const looked = found.numbers.slice(0, found.numbers.length - left);
    const plan: PlannedEntry[] = [];
    const filter = filterFromArguments({ email });
    for (const { number, tag, event } of entries) {
      if (event === null) continue;
      if (matchesFilter(filter, event)) plan.push([number, tag, countName(event.type, event.subaccount)]);
      else others.add(number);
    }
    const numbers = looked.filter((number) => !others.has(number));
    const { block, args } = await changesOf(client, view, found.base, numbers);
    const changed = await SCRIPTS.erase.run(
      client,
      [...fixed, ...block],
      [state.epoch, keys.channel, JSON.stringify(plan), ...args],
    );
    // Where the index is another by now, the next step sees it.
    return Number(changed ?? 0);
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
