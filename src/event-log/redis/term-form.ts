import { filterFromArguments } from "../../event/event-filter.ts";
import { examination } from "../block-matches.ts";
import type { RedisClient } from "./connection.ts";
import { type EventIndex, type IndexView, matchesIn } from "./indexed-log.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { type LogStates, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";
import { createSealing } from "./sealing.ts";
import { createTermsOf } from "./term.ts";
import { blockChanges, tailChanges } from "./term-erasure.ts";
import { indexParts } from "./term-matching.ts";
import { createTermViews, type TermView } from "./term-view.ts";

/** Blocks that one trim removes at the most: they have many times the entries that it does. */
const TRIMMED_BLOCKS = 4;

/** They lie in one part of the index. */
const ERASED_AT_ONCE = 50;

export interface TermIndexOptions {
  readonly keys: RedisKeys;
  readonly states: LogStates;
  /** Blocks are made over it, in the background. */
  readonly link: Link;
  /** Bytes of the tail from which on it is made into blocks. */
  readonly tailBytes: number;
}

/** The index of terms: those of the newest entries in a tail, those of the others in blocks. */
export function createTermIndex({ keys, states, link, tailBytes }: TermIndexOptions): EventIndex {
  const openView = createTermViews(keys, states);
  const sealing = createSealing(keys, openView, link, tailBytes);
  const termsOf = createTermsOf();
  return {
    erasedAtOnce: ERASED_AT_ONCE,
    scripts: SCRIPTS.ofTerms,
    async open(client) {
      const view = await openView(client);
      return view && viewOf(client, keys, view);
    },
    added: (events) => ({
      keys: [keys.tail, keys.blocks],
      value: events.map((event) => `${termsOf(event)}\n`).join(""),
    }),
    afterAppend: sealing.afterAppend,
    async planTrim(client, most) {
      const look = client.pipeline().hmget(keys.meta, ...STATE_FIELDS);
      const replies = resultsOf(await look.zrange(keys.blocks, 0, TRIMMED_BLOCKS).exec());
      const [meta, blocks] = replies as [(string | null)[], string[]];
      return {
        state: states.parse(meta),
        entries: most,
        keys: [keys.blocks, ...blocks.slice(0, -1).map((first) => keys.block(Number(first)))],
        values: blocks,
      };
    },
  };
}

function viewOf(client: RedisClient, keys: RedisKeys, view: TermView): IndexView {
  const parts: IndexView["parts"] = (filter, range, order) => indexParts({ client, keys, view }, filter, range, order);
  return {
    state: view.state,
    parts,
    async bearersOf(email, to, others, count) {
      // What was trimmed is in the index for a while yet.
      const range = { lowest: 0, highest: to };
      for await (const part of parts(filterFromArguments({ email }), range, "oldest-first")) {
        const matches = [...matchesIn(part, range, "oldest-first", examination(Number.POSITIVE_INFINITY))].flat();
        const numbers = matches.map((place) => part.base + place).filter((number) => !others.has(number));
        if (numbers.length > 0) return { base: part.base, numbers: numbers.slice(0, count) };
      }
      return null;
    },
    async without(_email, { base, numbers }) {
      if (view.blocks.includes(base)) {
        const fields = await client.hgetallBuffer(keys.block(base));
        const changes = blockChanges(fields, new Set(numbers.map((number) => number - base)));
        const args = changes.flatMap(({ at, before, after }) => [1, at, before, after]);
        return { keys: [keys.tail, keys.block(base)], values: [0, ...args] };
      }
      const changes = tailChanges((await client.getBuffer(keys.tail)) ?? Buffer.alloc(0), new Set(numbers));
      const args = changes.flatMap(({ at, before, after }) => [at, before, after]);
      return { keys: [keys.tail], values: [changes.length, ...args] };
    },
  };
}
