import { hash } from "node:crypto";
import type { Event } from "../../event/event.ts";
import { FILTER_FIELDS, type FilterField, valuesOf } from "../../event/event-filter.ts";

/** Characters of a term: 48 bits in base64url. */
export const TERM_LENGTH = 8;

/**
 * What stands in the index for a value under a field: the first 48 bits of a SHA-1, so that it is short, of one length,
 * and tells nobody an address. Two values of a log of a million share one about once in 500 logs; whoever fetches an
 * entry compares the values themselves.
 */
export function termOf(field: FilterField, value: string): string {
  // Not well-formed UTF-16 would lose in UTF-8 what sets it apart from others.
  const text = value.isWellFormed() ? `=${value}` : JSON.stringify(value);
  return hash("sha1", `${field}${text}`, "base64url").slice(0, TERM_LENGTH);
}

/**
 * Values of a field that are remembered with their terms, and characters of one: most come again before long. Not so a
 * message's id, whose next event may be days away.
 */
const MOST_REMEMBERED = 2_000;
const LONGEST_REMEMBERED = 100;
const SELDOM_REPEATED: FilterField = "messageId";

/** The terms of events, that of the type first, one behind the other. */
export type TermsOf = (event: Event) => string;

export function createTermsOf(): TermsOf {
  const fields = FILTER_FIELDS.map((field) => {
    return { field, known: field === SELDOM_REPEATED ? null : new Map<string, string>() };
  });
  return (event) => {
    let terms = "";
    for (const { field, known } of fields) {
      for (const value of valuesOf(event, field)) {
        if (known === null) {
          terms += termOf(field, value);
          continue;
        }
        let term = known.get(value);
        if (term === undefined) {
          term = termOf(field, value);
          if (known.size === MOST_REMEMBERED) known.clear();
          if (value.length <= LONGEST_REMEMBERED) known.set(value, term);
        }
        terms += term;
      }
    }
    return terms;
  };
}
