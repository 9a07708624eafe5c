import type { Event } from "../../src/event/event.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { parseEvent } from "../../src/mandrill/parse-event.ts";
import { RAW_EVENTS } from "../../src/mandrill/raw-events.ts";

const DAY = 86_400_000;
const BATCH = 1_000;
/** Events that bear each rare value, whatever the size of the log. */
export const RARE = 20;

/** What each filter finds often, seldom and never. The number of events that bear a common value is a share of all. */
export const VALUES = {
  type: { common: "delivered", rare: "spam", none: "unsub" },
  email: { common: "common@example.com", rare: "rare@example.com", none: "none@example.com" },
  messageId: { common: "common-message", rare: "rare-message", none: "no-message" },
  tag: { common: "newsletter", rare: "anniversary", none: "never" },
  subaccount: { common: "shop", rare: "press", none: "nobody" },
} as const;

/** Keeps `events` for as long as the bench runs. */
export function limitsFor(events: number): LogLimits {
  return { retentionEvents: events, retentionMs: 30 * DAY, deduplicationMs: 7 * DAY, deduplicationEvents: 1_000_000 };
}

/** Bytes of the stored form of an event in the middle of the log. */
export function storedBytes(events: number): number {
  return Buffer.byteLength(RAW_EVENTS.encode(eventAt(Math.floor(events / 2) + 2, events)));
}

/** Appends `events` events of about 300 bytes, past HTTP: a million would take Mandrill some time. */
export async function fillLog(eventLog: EventLog, events: number, say: (done: number) => void): Promise<void> {
  for (let from = 0; from < events; from += BATCH) {
    const count = Math.min(BATCH, events - from);
    await eventLog.append(Array.from({ length: count }, (_, i) => eventAt(from + i, events)));
    if ((from / BATCH) % 100 === 99) say(from + count);
  }
}

/** The event at `index` of a log of `size`: its rare values lie evenly over the log. */
function eventAt(index: number, size: number): Event {
  const isRare = index % Math.floor(size / RARE) === 7;
  // Delivered every second time; the rest are opens, and these alone have no common tag.
  const isDelivered = index % 2 === 0;
  const pick = (field: keyof typeof VALUES, isCommon: boolean, other: string): string => {
    if (isRare) return VALUES[field].rare;
    return isCommon ? VALUES[field].common : other;
  };
  const email = pick("email", index % 10 === 1, `user-${index % Math.ceil(size / 10)}@example.com`);
  const messageId = pick("messageId", index % 100 === 3, `message-${Math.floor(index / 3)}`);
  const subaccount = pick("subaccount", index % 4 === 1, `unit-${index % 50}`);
  const type = pick("type", isDelivered, "open");
  const tag = pick("tag", isDelivered, "receipt");
  const raw = {
    event: type,
    ts: 1_795_467_660 + Math.floor(index / 1_000),
    _id: messageId,
    msg: { _id: messageId, email, subject: "Your order has left our house", tags: [tag], state: "sent", subaccount },
  };
  return parseEvent(raw, `benchmark-${String(index).padStart(12, "0")}`, null);
}
