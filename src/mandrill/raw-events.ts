import type { Json } from "../event/event.ts";
import { parseExactly } from "../event/exact-json.ts";
import type { StoredForm } from "../event/stored-event.ts";
import { parseEvent } from "./parse-event.ts";

/** Version of the form: raised when one of its fields changes its meaning. */
export const RAW_EVENTS_VERSION = 1;

/** What is kept of an event: all else is read from `raw`. */
interface StoredRaw {
  readonly v: number;
  readonly id: string;
  readonly webhook: string | null;
  readonly traceParent?: string | undefined;
  readonly raw: Json;
}

/**
 * Characters of a raw event up to which its own text is kept. PHP spells a Cyrillic letter with six: written anew, a
 * long mail takes a third.
 */
const MAX_TEXT = 4_096;

/** A stored event is one line; line breaks between values are all that JSON allows. */
function isKept(rawText: string | undefined): rawText is string {
  return rawText !== undefined && rawText.length <= MAX_TEXT && !rawText.includes("\n");
}

/**
 * Keeps an event as Mandrill sent it, and parses it when it is read: half of what the parsed event beside its raw form
 * would take, and what a later version understands better it understands in an older log too. For events that
 * {@link parseEvent} has made; the events of no other would come back.
 */
export const RAW_EVENTS: StoredForm = {
  encode({ id, webhook, traceParent, raw, rawText }) {
    // Written by hand: of an event that is kept in its own text, this is all that has to be written.
    const trace = traceParent === undefined ? "" : `"traceParent":${JSON.stringify(traceParent)},`;
    const head = `{"v":${RAW_EVENTS_VERSION},"id":${JSON.stringify(id)},"webhook":${JSON.stringify(webhook)},${trace}`;
    return `${head}"raw":${isKept(rawText) ? rawText : JSON.stringify(raw)}}`;
  },
  decode(stored) {
    const { id, webhook, traceParent, raw } = parseExactly(stored) as unknown as StoredRaw;
    if (typeof id !== "string" || raw === undefined) throw new TypeError("a stored event lacks its fields");
    const event = parseEvent(raw, id, webhook);
    return traceParent === undefined ? event : { ...event, traceParent };
  },
};
