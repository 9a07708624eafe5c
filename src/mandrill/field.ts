import type { Json } from "../event/event.ts";

/**
 * Readers of one field each. A field that is missing, mistyped or out of range is null: none of them throws, so that
 * no element of a batch can fail it.
 */

/** A field as it comes: undefined where it is missing. */
export type Field = Json | undefined;

/** An object of JSON, read by name. */
export type Fields = { readonly [name: string]: Field };

/** What is read where no object is. */
export const NO_FIELDS: Fields = {};

/** An object that holds something: PHP writes an empty one as `[]`, so `{}`, `[]` and null are alike. */
export function fields(value: Field): Fields | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  for (const _name in value) return JSON.isRawJSON(value) ? null : (value as Fields);
  return null;
}

/** The members of a list: PHP writes one whose indices have holes as an object. */
export function list(value: Field): readonly Field[] {
  return Array.isArray(value) ? value : Object.values(fields(value) ?? NO_FIELDS);
}

/** Text as it can be sent as UTF-8: a lone surrogate becomes U+FFFD (the event's `raw` keeps it). */
export function text(value: Field): string | null {
  return typeof value === "string" ? value.toWellFormed() : null;
}

/**
 * Characters of a value that events are found by. An address has at most 320 (RFC 5321), a tag of Mandrill's 50: a
 * longer one is no such thing, and is not to become a megabyte in every index.
 */
export const MAX_TERM_LENGTH = 1_024;

/** Text that events are found by. */
export function term(value: Field): string | null {
  return typeof value === "string" && value !== "" && value.length <= MAX_TERM_LENGTH ? value.toWellFormed() : null;
}

/** A whole number that GraphQL's Int holds: 32 bits, signed. */
export function int(value: Field): number | null {
  return typeof value === "number" && (value | 0) === value ? value | 0 : null;
}

/** A finite number, or one spelled as text. */
export function float(value: Field): number | null {
  if (typeof value === "string") return /^-?\d+(?:\.\d+)?$/.test(value) ? float(Number(value)) : null;
  // JSON knows no -0: adding 0 makes it 0.
  return typeof value === "number" && Number.isFinite(value) ? value + 0 : null;
}

export function boolean(value: Field): boolean | null {
  return typeof value === "boolean" ? value : null;
}

/** What RFC 3339 can spell: the years 0 to 9999. Milliseconds since the Unix epoch. */
const EARLIEST = Date.parse("0000-01-01T00:00:00.000Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * A moment in milliseconds since the Unix epoch: from seconds since then (a number, or its digits as text), or from
 * "YYYY-MM-DD HH:MM:SS", which Mandrill means as UTC.
 */
export function moment(value: Field): number | null {
  const seconds = float(value);
  if (seconds === null) return typeof value === "string" ? calendarMoment(value) : null;
  const moment = Math.round(seconds * 1_000);
  return moment >= EARLIEST && moment <= LATEST ? moment + 0 : null;
}

function calendarMoment(value: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z?$/.exec(value);
  if (parts === null) return null;
  const second = `${parts[1]}T${parts[2]}`;
  const moment = Date.parse(`${second}Z`);
  // Date.parse takes the 31st of February for the 3rd of March.
  return Number.isNaN(moment) || new Date(moment).toISOString().slice(0, second.length) !== second ? null : moment;
}
