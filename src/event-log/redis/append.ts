import type { Event } from "../../event/event.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import type { AppendResult, LogLimits } from "../event-log.ts";
import { newLog, newTags } from "./candidate.ts";
import type { RedisClient } from "./connection.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { OwnBatches } from "./own-batches.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";
import { createTermsOf } from "./term.ts";

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
  /** Bytes of the index that are in no block yet. */
  readonly tailBytes: number;
}

type AppendCounts = [
  appended: number,
  duplicates: number,
  head: number,
  entriesKept: number,
  idsKept: number,
  tailBytes: number,
];

/** What append.lua is given of a batch: of its events nothing is left but text, while Redis has its time. */
export type PreparedBatch = readonly ScriptValue[];

/** Appending a batch in two steps, the first of which needs no Redis. */
export interface Append {
  prepare(events: readonly Event[]): PreparedBatch;
  send(client: RedisClient, batch: PreparedBatch): Promise<Appended>;
}

/** @param own where a batch is kept whose entries need not come back; null where they are always sent */
export function createAppend(keys: RedisKeys, limits: LogLimits, form: StoredForm, own: OwnBatches | null): Append {
  const { meta, entries, ids, minutes, minute, counts, tail, blocks } = keys;
  const touched = [meta, entries, ids, minutes, minute, counts, tail, blocks];
  const termsOf = createTermsOf();
  const { deduplicationMs, deduplicationEvents } = limits;
  return {
    prepare(events) {
      const tags = newTags(events.length);
      const heads = events.map(({ id }, i) => `${tags[i]} ${id}`).join("\n");
      const terms = events.map((event) => `${termsOf(event)}\n`).join("");
      const stored = events.map(form.encode);
      const name = own?.keep({ tags, stored }) ?? "";
      const settings = [deduplicationMs, deduplicationEvents, keys.channel, MESSAGE_BYTES];
      return [...newLog(), ...settings, name, placesByCount(events), heads, terms, ...stored];
    },
    async send(client, batch) {
      const reply = await SCRIPTS.append.run(client, touched, batch);
      const [appended, duplicates, head, entriesKept, idsKept, tailBytes, headTag] = reply as [
        ...AppendCounts,
        headTag: string,
      ];
      return { appended, duplicates, head, headTag, entriesKept, idsKept, tailBytes };
    },
  };
}

/** Which events of the batch each count is for, by its name: JSON. */
function placesByCount(events: readonly Event[]): string {
  const places: Record<string, number[]> = {};
  // Events of one kind and subaccount often follow one another.
  let last: { readonly type: string; readonly subaccount: string | null; readonly places: number[] } | undefined;
  for (const [i, { type, subaccount }] of events.entries()) {
    if (last?.type !== type || last.subaccount !== subaccount) {
      const name = countName(type, subaccount);
      places[name] ??= [];
      last = { type, subaccount, places: places[name] };
    }
    last.places.push(i + 1);
  }
  return JSON.stringify(places);
}
