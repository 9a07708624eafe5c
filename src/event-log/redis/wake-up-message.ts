import { Entry } from "../../event/entry.ts";
import type { WakeUp } from "../event-log.ts";
import type { LogStates } from "./log-state.ts";
import type { OwnBatches } from "./own-batches.ts";

const NEWLINE = 0x0a;
const TAG_LENGTH = 8;

interface MessageHead {
  /** Number and tag of each entry whose event was erased, and then nothing else. */
  readonly x?: readonly (readonly [number: number, tag: string])[];
  /** Epoch. */
  readonly e: string;
  /** Number and tag of the entry before. */
  readonly p: number;
  readonly pt: string;
  /** receivedAt of all of them. */
  readonly r: number;
  /** The newest number. */
  readonly n: number;
  /** Name of the batch, where it stands for the entries, and the places (from 1) of its duplicates. */
  readonly b?: string;
  readonly d?: readonly number[];
}

/** An entry's tag, and its stored event as text or as UTF-8. */
type TaggedEvent = readonly [tag: string, stored: string | Buffer];

/**
 * A message of erase.lua: a line of JSON. Or of append.lua: a line of JSON, then, where they are small enough, a line
 * for each entry with its tag and its stored event. A stored event is JSON and holds no line break. What cannot be read
 * says that something has come.
 */
export function readWakeUpMessage(received: Buffer, states: LogStates, own: OwnBatches): WakeUp {
  try {
    const end = received.indexOf(NEWLINE);
    const head = JSON.parse(received.toString("utf8", 0, end === -1 ? received.length : end)) as MessageHead;
    if (head.x !== undefined) return Object.freeze({ erased: head.x.map(([number, tag]) => ({ number, tag })) });
    const { e: epoch, p: before, pt, r: receivedAt, n: number } = head;
    const { known } = states;
    const tagged = end === -1 ? ownEvents(head, own) : eventsOf(received.subarray(end + 1));
    // Under another epoch's key the entries would get cursors of a log that is no more: the look learns the new one.
    if (tagged === null || known?.epoch !== epoch) return Object.freeze({ number });
    const entries = tagged.map(([tag, stored], i): Entry => {
      const bytes = Buffer.byteLength(stored);
      return new Entry({ epoch, number: before + i + 1, tag }, receivedAt, stored, bytes, known.codec);
    });
    const run = Object.freeze({ follows: Object.freeze({ epoch, number: before, tag: pt }), entries });
    return Object.freeze({ number, run });
  } catch {
    return Object.freeze({});
  }
}

/** What the message would have brought, of a batch that this process has appended itself. */
function ownEvents({ b: name, d: duplicates = [] }: MessageHead, own: OwnBatches): TaggedEvent[] | null {
  const batch = name === undefined ? null : own.take(name);
  if (batch === null) return null;
  const left = new Set(duplicates);
  const places = Array.from(batch.tags.keys()).filter((i) => !left.has(i + 1));
  return places.map((i) => [batch.tags[i] as string, batch.stored[i] as string]);
}

function eventsOf(received: Buffer): TaggedEvent[] {
  // What was received may be a small part of a large buffer, which its entries would keep in memory. As bytes they are
  // none of the garbage collector's business.
  const text = Buffer.from(received);
  const tagged: TaggedEvent[] = [];
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf(NEWLINE, from);
    const to = end === -1 ? text.length : end;
    tagged.push([text.toString("latin1", from, from + TAG_LENGTH), text.subarray(from + TAG_LENGTH, to)]);
    from = to + 1;
  }
  return tagged;
}
