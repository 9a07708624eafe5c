import { ServiceError } from "../error.ts";
import type { FilterArguments } from "../event/event-filter.ts";
import { EVENT_TYPES, isEventType } from "../event/event-type.ts";

/** How long a poll waits where it has a place and does not say. Seconds: less than the minute that proxies allow. */
const DEFAULT_WAIT = 25;
/** A connection that waits costs its memory: five minutes are more than any proxy allows. Seconds. */
const MAX_WAIT = 300;

/** Ways to say who asks, which are read elsewhere. */
const CREDENTIALS = ["ticket"];
const FILTERS = ["types", "email", "messageId", "tag", "subaccount"] as const;
const PARAMETERS: readonly string[] = [...FILTERS, "after", "raw", "wait", ...CREDENTIALS];

/** What a request for events asks for. */
export interface EventsQuery {
  readonly filter: FilterArguments;
  /** The cursor to go on from; null: from now on. */
  readonly after: string | null;
  /** Whether `raw`, `text` and `html` are asked for. */
  readonly raw: boolean;
  /** How long a poll that finds nothing waits for something. Milliseconds. */
  readonly wait: number;
}

/**
 * Reads the query parameters of a URL. Throws BAD_USER_INPUT for what it does not know: a filter that is misspelled
 * must not give everything.
 * @param lastEventId the header that an EventSource sends when it comes back: wins over `after`, which it repeats
 */
export function readEventsQuery(url: string, lastEventId: string | undefined): EventsQuery {
  const given = parametersOf(url);
  const after = (lastEventId === "" ? undefined : lastEventId) ?? given.get("after") ?? null;
  return {
    filter: {
      types: typesOf(given.get("types")),
      email: given.get("email"),
      messageId: given.get("messageId"),
      tag: given.get("tag"),
      subaccount: given.get("subaccount"),
    },
    after,
    raw: switchOf("raw", given.get("raw")),
    wait: waitOf(given.get("wait"), after !== null) * 1_000,
  };
}

function parametersOf(url: string): ReadonlyMap<string, string> {
  const start = url.indexOf("?");
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(start === -1 ? "" : url.slice(start + 1))) {
    if (!PARAMETERS.includes(name)) {
      const known = PARAMETERS.filter((each) => !CREDENTIALS.includes(each)).join(", ");
      throw badInput(name, `There is no parameter ${JSON.stringify(name)}; there are ${known}.`);
    }
    if (given.has(name)) throw badInput(name, `${name} stands twice; give several types with commas between them.`);
    if (value === "") throw badInput(name, `${name} is empty: leave it out.`);
    given.set(name, value);
  }
  return given;
}

function typesOf(value: string | undefined): FilterArguments["types"] {
  return value?.split(",").map((each) => {
    const type = each.trim();
    if (isEventType(type)) return type;
    throw badInput("types", `There is no type ${JSON.stringify(type)}; there are ${EVENT_TYPES.join(", ")}.`);
  });
}

function switchOf(name: string, value: string | undefined): boolean {
  if (value === undefined || value === "0" || value === "false") return false;
  if (value === "1" || value === "true") return true;
  throw badInput(name, `${name} is 1 or 0.`);
}

function waitOf(value: string | undefined, hasPlace: boolean): number {
  // Who has no place yet is told the one to begin at.
  if (value === undefined) return hasPlace ? DEFAULT_WAIT : 0;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (seconds <= MAX_WAIT) return seconds;
  throw badInput("wait", `wait is a number of seconds, from 0 to ${MAX_WAIT}.`);
}

function badInput(argument: string, message: string): ServiceError {
  return new ServiceError("BAD_USER_INPUT", message, { argument });
}
