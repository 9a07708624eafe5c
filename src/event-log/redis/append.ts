import type { Event } from "../../event/event.ts";
import { encodeStoredEvent } from "../../event/stored-event.ts";
import type { AppendResult, LogLimits } from "../event-log.ts";
import { newLog, newTags } from "./candidate.ts";
import type { RedisClient } from "./connection.ts";
import { countName, indexKeysOf, type RedisKeys } from "./keys.ts";
import { SCRIPTS } from "./script.ts";

/**
 * Bytes of stored events up to which a message carries them: Redis cuts a subscriber that falls 32 MB behind, and
 * what it cuts must not be a few large batches.
 */
const MESSAGE_BYTES = 256 * 1024;

/** What an append did, and how much Redis holds after it. */
export interface Appended extends AppendResult {
  readonly entriesKept: number;
  readonly idsKept: number;
}

export type Append = (client: RedisClient, events: readonly Event[]) => Promise<Appended>;

export function createAppend(keys: RedisKeys, limits: LogLimits): Append {
  const fixed = [keys.meta, keys.entries, keys.terms, keys.ids, keys.minutes, keys.minute, keys.counts];
  const { deduplicationMs, deduplicationEvents } = limits;
  return async (client, events) => {
    const { indexKeys, plan } = planOf(keys, events);
    const tags = newTags(events.length);
    const args: (string | number)[] = [
      ...newLog(),
      deduplicationMs,
      deduplicationEvents,
      keys.channel,
      MESSAGE_BYTES,
      plan,
    ];
    for (const [i, event] of events.entries()) args.push(event.id, tags[i] as string, encodeStoredEvent(event));
    const reply = await SCRIPTS.append.run(client, [...fixed, ...indexKeys], args);
    const [appended, duplicates, head, entriesKept, idsKept] = reply as [number, number, number, number, number];
    return { appended, duplicates, head, entriesKept, idsKept };
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
