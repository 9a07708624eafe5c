import type { Event } from "../../event/event.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import type { AppendResult, LogLimits } from "../event-log.ts";
import { newLog, newTags } from "./candidate.ts";
import type { RedisClient } from "./connection.ts";
import type { EventIndex } from "./indexed-log.ts";
import type { Indexes } from "./indexes.ts";
import { countName, type RedisKeys } from "./keys.ts";
import type { OwnBatches } from "./own-batches.ts";
import type { ScriptValue } from "./script.ts";

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

type AppendCounts = [
  appended: number,
  duplicates: number,
  head: number,
  entriesKept: number,
  idsKept: number,
  unsealedBytes: number,
];

/** What append.lua is given of a batch: of its events nothing is left but text, while Redis has its time. */
export interface PreparedBatch {
  /** That which it is indexed in. */
  readonly index: EventIndex;
  readonly keys: readonly string[];
  readonly args: readonly ScriptValue[];
  readonly stored: readonly string[];
}

/** Appending a batch in two steps, the first of which needs no Redis. */
export interface Append {
  prepare(events: readonly Event[]): PreparedBatch;
  send(client: RedisClient, batch: PreparedBatch): Promise<Appended>;
}

export interface AppendOptions {
  readonly keys: RedisKeys;
  readonly indexes: Indexes;
  readonly limits: LogLimits;
  readonly form: StoredForm;
  /** Where a batch is kept whose entries need not come back; null where they are always sent. */
  readonly own: OwnBatches | null;
}

export function createAppend({ keys, indexes, limits, form, own }: AppendOptions): Append {
  const fixed = [keys.meta, keys.entries, keys.ids, keys.minutes, keys.minute, keys.counts, keys.terms];
  const { deduplicationMs, deduplicationEvents } = limits;

  function prepareFor(index: EventIndex, events: readonly Event[]): PreparedBatch {
    const tags = newTags(events.length);
    const heads = events.map(({ id }, i) => `${tags[i]} ${id}`).join("\n");
    const added = index.added(events);
    const stored = events.map(form.encode);
    const name = own?.keep({ tags, stored }) ?? "";
    const settings = [deduplicationMs, deduplicationEvents, keys.channel, MESSAGE_BYTES];
    const args = [...newLog(), ...settings, name, placesByCount(events), heads, added.value, ...stored];
    return { index, keys: [...fixed, ...added.keys], args, stored };
  }

  return {
    prepare: (events) => prepareFor(indexes.current(), events),
    send: (client, batch) =>
      indexes.run(client, async (index) => {
        const fitting = index === batch.index ? batch : prepareFor(index, batch.stored.map(form.decode));
        const reply = await index.scripts.append.run(client, fitting.keys, fitting.args);
        const [appended, duplicates, head, entriesKept, idsKept, unsealedBytes, headTag] = reply as [
          ...AppendCounts,
          headTag: string,
        ];
        index.afterAppend(unsealedBytes);
        return { appended, duplicates, head, headTag, entriesKept, idsKept };
      }),
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
