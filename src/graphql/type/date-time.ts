import { GraphQLError, Kind } from "graphql";
import { builder } from "../builder.ts";

/** The span that four digits of year can write, milliseconds since the Unix epoch. */
const FIRST = Date.parse("0000-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

// RFC 3339, section 5.6: date-time. "T" and "Z" may be in lower case, and any number of digits may follow the point.
const DATE_TIME =
  /^(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** Milliseconds since the Unix epoch; null for what is no RFC 3339 date-time of the years 0 to 9999 in UTC. */
export function parseDateTime(text: string): number | null {
  const match = DATE_TIME.exec(text);
  if (match === null) return null;
  const [, date = "", hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date takes the 31st of February for a day in March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return null;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE_MS * (sign === "-" ? -1 : 1);
  const seconds = midnight + (Number(hour) * 60 + Number(minute)) * MINUTE_MS + Number(second) * 1000 - offset;
  // A leap second is the last of a day in UTC; Unix time counts it as the next day's first.
  if (second === "60" && seconds % DAY_MS !== 0) return null;
  const time = seconds + Number(fraction.slice(0, 3).padEnd(3, "0"));
  return time >= FIRST && time <= LAST ? time : null;
}

function parse(value: unknown): number {
  const time = typeof value === "string" ? parseDateTime(value) : null;
  if (time !== null) return time;
  throw new GraphQLError(
    "DateTime must be a string in the format of RFC 3339, with a time zone: 2025-03-14T15:09:26.535Z.",
    { extensions: { code: "BAD_USER_INPUT" } },
  );
}

builder.scalarType("DateTime", {
  description:
    "A moment, as an RFC 3339 string. Answers are always in UTC with milliseconds (`2025-03-14T15:09:26.535Z`); " +
    "arguments may have any offset and precision.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc3339",
  serialize(time) {
    if (time >= FIRST && time <= LAST) return new Date(time).toISOString();
    throw new RangeError("a DateTime lies in the years 0 to 9999");
  },
  parseValue: parse,
  parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
});
