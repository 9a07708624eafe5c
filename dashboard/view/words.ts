const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long, in one unit and for people: `12 s`, `3 min`, `2 h`, `5 days`. */
export function span(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  if (length < MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < HOUR) return `${Math.floor(length / MINUTE)} min`;
  if (length < 2 * DAY) return `${Math.floor(length / HOUR)} h`;
  return `${Math.floor(length / DAY)} days`;
}

/** How long ago: `just now`, `12 s ago`. */
export function ago(milliseconds: number): string {
  return milliseconds < 2 * SECOND ? "just now" : `${span(milliseconds)} ago`;
}

/** How late: `at once`, `4 s late`. */
export function late(milliseconds: number): string {
  return milliseconds < SECOND ? "at once" : `${span(milliseconds)} late`;
}

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** The time of day, with the day where it is not today. */
export function moment(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return (isToday ? TIME : DAY_AND_TIME).format(at);
}

/** Date, time and zone in full. */
export function exactly(at: number): string {
  return EXACT.format(at);
}

const NUMBER = new Intl.NumberFormat();

/** A number as people write it: `12,345`. */
export function figure(number: number): string {
  return NUMBER.format(number);
}

/** A count and its noun: `1 event`, `12 events`. */
export function count(number: number, noun: string): string {
  return `${figure(number)} ${noun}${number === 1 ? "" : "s"}`;
}

const KILOBYTE = 1_024;

export function bytes(size: number): string {
  if (size < KILOBYTE) return `${size} B`;
  if (size < KILOBYTE ** 2) return `${Math.round(size / KILOBYTE)} kB`;
  return `${(size / KILOBYTE ** 2).toFixed(1)} MB`;
}
