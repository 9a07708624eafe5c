/**
 * The kinds of event, spelled as Mandrill's webhooks spell them (`event`, or `type` for sync events).
 * `other` is ours: a kind that this version does not know; the event's `name` tells which.
 */
export const EVENT_TYPES = [
  "send",
  "deferral",
  "hard_bounce",
  "soft_bounce",
  "delivered",
  "open",
  "click",
  "spam",
  "unsub",
  "reject",
  "blacklist",
  "whitelist",
  "inbound",
  "other",
] as const;

/** One of {@link EVENT_TYPES}. */
export type EventType = (typeof EVENT_TYPES)[number];

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES);

/** Whether `value` is one of {@link EVENT_TYPES}. */
export function isEventType(value: unknown): value is EventType {
  return typeof value === "string" && KNOWN.has(value);
}
