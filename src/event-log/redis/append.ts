import type { Event } from "../../event/event.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import type { AppendResult, LogLimits } from "../event-log.ts";
import { newLog, newTags } from "./candidate.ts";
import type { RedisClient } from "./connection.ts";
import { countName, indexKeysOf, type RedisKeys } from "./keys.ts";
import type { OwnBatches } from "./own-batches.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";

/**
 * Bytes of stored events up to which a message carries them: Redis cuts a subscriber that falls 32 MB behind, and
 * what it cuts must not be a few large batches.
 */
const MESSAGE_BYTES = 256 * 1024;

/** What an append did, and how much Redis holds after it. */
export interface Appended extends AppendResult {
  /** Of the newest entry after it: of one before, where all were duplicates. */
  readonly headTag: string;
  readonly entriesKept: number;
  readonly idsKept: number;
}

type AppendCounts = [appended: number, duplicates: number, head: number, entriesKept: number, idsKept: number];

/** A batch as append.lua takes it: of its events nothing is left but text, while Redis has its time. */
export interface PreparedBatch {
  readonly keys: readonly string[];
  readonly args: readonly ScriptValue[];
}

/** Appending a batch in two steps, the first of which needs no Redis. */
export interface Append {
  prepare(events: readonly Event[]): PreparedBatch;
  send(client: RedisClient, batch: PreparedBatch): Promise<Appended>;
}

/** @param own where a batch is kept whose entries need not come back; null where they are always sent */
export function createAppend(keys: RedisKeys, limits: LogLimits, form: StoredForm, own: OwnBatches | null): Append {
  const fixed = [keys.meta, keys.entries, keys.terms, keys.ids, keys.minutes, keys.minute, keys.counts];
  const { deduplicationMs, deduplicationEvents } = limits;
  return {
    prepare(events) {
      const { indexKeys, plan } = planOf(keys, events);
      const tags = newTags(events.length);
      const heads = events.map(({ id }, i) => `${tags[i]} ${id}`).join("\n");
      const stored = events.map(form.encode);
      const name = own?.keep({ tags, stored }) ?? "";
      const settings = [deduplicationMs, deduplicationEvents, keys.channel, MESSAGE_BYTES];
      return { keys: [...fixed, ...indexKeys], args: [...newLog(), ...settings, name, plan, heads, ...stored] };
    },
    async send(client, batch) {
      const reply = await SCRIPTS.append.run(client, batch.keys, batch.args);
      const [appended, duplicates, head, entriesKept, idsKept, headTag] = reply as [...AppendCounts, headTag: string];
      return { appended, duplicates, head, headTag, entriesKept, idsKept };
    },
  };
}

/** The index keys of the batch, and which of its events each of them and each count is for. */
function planOf(keys: RedisKeys, events: readonly Event[]): { indexKeys: Iterable<string>; plan: string } {
  const placesByKey = new Map<string, number[]>();
  const placesByCount = new Map<string, number[]>();
  for (const [i, event] of events.entries()) {
    for (const key of indexKeysOf(keys, event)) add(placesByKey, key, i + 1);
    add(placesByCount, countName(event.type, event.subaccount), i + 1);
  }
  const plan = JSON.stringify({ keys: [...placesByKey.values()], counts: Object.fromEntries(placesByCount) });
  return { indexKeys: placesByKey.keys(), plan };
}

function add(places: Map<string, number[]>, name: string, place: number): void {
  const known = places.get(name);
  if (known === undefined) places.set(name, [place]);
  else known.push(place);
}
