import type { Event } from "./event.ts";
import { isEventType } from "./event-type.ts";
import { parseExactly } from "./exact-json.ts";

/**
 * The form in which a log keeps events: JSON text without line breaks, an object whose first key `v` is the version of
 * the form. A reader takes what it knows of any version's object and ignores the rest, so a new optional field needs no
 * new version; a version is raised when a field changes its meaning.
 */
export interface StoredForm {
  encode(event: Event): string;
  /** @throws where the text is none of this form */
  decode(stored: string): Event;
}

/** Version of {@link WHOLE_EVENTS}. */
export const STORED_VERSION = 1;

/** Keeps every field of an event, wherever it came from. A kind unknown to this version is read as `other`. */
export const WHOLE_EVENTS: StoredForm = {
  encode: ({ rawText: _rawText, ...event }) => `{"v":${STORED_VERSION},${JSON.stringify(event).slice(1)}`,
  decode(stored) {
    const { v: _version, ...event } = parseExactly(stored) as unknown as Event & { v: number };
    if (typeof event.id !== "string" || event.name === undefined)
      throw new TypeError("a stored event lacks its fields");
    return isEventType(event.type) ? (event as Event) : ({ ...(event as object), type: "other" } as Event);
  },
};
