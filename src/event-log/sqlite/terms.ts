import type { Event } from "../../event/event.ts";
import { FILTER_FIELDS, type FilterField, valuesOf } from "../../event/event-filter.ts";

/** What stands for a field in the file. Never given to another field. */
export const FIELD_CODES: Readonly<Record<FilterField, number>> = {
  type: 0,
  email: 1,
  messageId: 2,
  tag: 3,
  subaccount: 4,
};

/** One value under which an event is found. */
export interface Term {
  readonly field: number;
  readonly value: string;
}

/** The terms of an event as they lie beside it in the file, so that trimming need not read it: JSON, `[field, value, …]`. */
export function encodeTerms(event: Event): string {
  const flat: (number | string)[] = [];
  for (const field of FILTER_FIELDS) {
    for (const value of new Set(valuesOf(event, field))) flat.push(FIELD_CODES[field], value);
  }
  return JSON.stringify(flat);
}

export function decodeTerms(encoded: string): Term[] {
  const flat = JSON.parse(encoded) as (number | string)[];
  const terms: Term[] = [];
  for (let i = 0; i < flat.length; i += 2) terms.push({ field: flat[i] as number, value: flat[i + 1] as string });
  return terms;
}
