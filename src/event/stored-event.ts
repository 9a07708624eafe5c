import type { Event } from "./event.ts";
import { isEventType } from "./event-type.ts";
import { parseExactly } from "./exact-json.ts";

/**
 * Version of the stored form. A reader takes what it knows of any version's object and ignores the rest, so a
 * new optional field needs no new version; raise it when a field changes its meaning.
 */
export const STORED_VERSION = 1;

/** The form in which both logs keep an event: JSON text, `v` first. */
export function encodeStoredEvent(event: Event): string {
  return `{"v":${STORED_VERSION},${JSON.stringify(event).slice(1)}`;
}

/** Reads the stored form of this version and of its neighbours. A kind unknown to this version becomes `other`. */
export function decodeStoredEvent(stored: string): Event {
  const { v: _version, ...event } = parseExactly(stored) as unknown as Event & { v: number };
  return isEventType(event.type) ? (event as Event) : ({ ...(event as object), type: "other" } as Event);
}
