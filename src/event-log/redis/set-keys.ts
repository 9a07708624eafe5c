import type { Event } from "../../event/event.ts";
import { FILTER_FIELDS, valuesOf } from "../../event/event-filter.ts";
import type { RedisKeys } from "./keys.ts";

/** The keys of the sets under which `event` is found, each once: those of its values, and that of type and subaccount. */
export function indexKeysOf(keys: RedisKeys, event: Event): ReadonlySet<string> {
  const indexKeys = new Set<string>();
  for (const field of FILTER_FIELDS) {
    for (const value of valuesOf(event, field)) indexKeys.add(keys.formerIndex(field, value));
  }
  for (const subaccount of valuesOf(event, "subaccount")) {
    indexKeys.add(keys.formerIndex(`${event.type}+subaccount`, subaccount));
  }
  return indexKeys;
}

/** What the list of terms has of an append. */
export interface AppendNote {
  /** Number of its last entry. */
  readonly last: number;
  /** Of the sets that have some of its entries. */
  readonly keys: readonly string[];
}

/** Reads a row of the list of terms, as append-sets.lua writes it. */
export function noteOf(row: string): AppendNote {
  const [, last, , keys] = JSON.parse(row) as [first: number, last: number, receivedAt: number, keys: string[]];
  return { last, keys };
}
