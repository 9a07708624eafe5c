import { cursorUnknown, ServiceError } from "../error.ts";
import type { Position } from "../event/cursor.ts";
import type { Entry } from "../event/entry.ts";
import { matchesFilter } from "../event/event-filter.ts";
import { isLive, type LiveEntry } from "../event/live-entry.ts";
import type { ReadLimit } from "../event-log/event-log.ts";
import { type Feed, isSame, type ReadableLog } from "./feed.ts";
import type { Line } from "./line.ts";
import type { RecentEntries } from "./recent-entries.ts";
import { Run, type RunKind, type Subscriber } from "./subscriber.ts";

/** Entries of one step through memory: between two, other subscribers have their turn. */
const STEP = 250;

/** One read of the log. Each of many slow readers may keep as much while it waits for its peer. */
const READ_LIMIT: ReadLimit = { entries: 250, bytes: 512 * 1024 };

/** What is offered at once: results are made of it, for this one subscriber maybe, whether there is room or not. */
const OFFER_BYTES = 64 * 1024;

export interface CatchUpOptions {
  readonly eventLog: ReadableLog;
  /** Bounds how many read the log at once. */
  readonly readers: Line;
  readonly feed: Feed;
  readonly recentEntries: RecentEntries;
  /** Makes the subscriber live, at the feed's position. */
  readonly join: (subscriber: Subscriber) => void;
}

/**
 * Brings a subscriber from the cursor `after` to the feed's position, without a seam: reads the log until the place
 * lies within the entries in memory, goes through these, and joins in the same synchronous step in which it has
 * reached the newest. Every chunk is checked, so that a trim which overtakes the replay ends it with CURSOR_EXPIRED.
 * It goes at the pace of its reader and needs no buffer of live events meanwhile.
 */
export async function catchUp(subscriber: Subscriber, after: string, options: CatchUpOptions): Promise<void> {
  try {
    await options.feed.begun();
    const position = await options.eventLog.positionOf(after);
    if (position === null) {
      // The log itself tells where it begins and ends.
      await options.eventLog.read({ epoch: "", number: 0, tag: "" }, { entries: 1, bytes: 1 });
      throw cursorUnknown(null, null);
    }
    await replay(subscriber, position, options);
  } catch (error) {
    subscriber.end(asServiceError(error));
  }
}

async function replay(subscriber: Subscriber, from: Position, options: CatchUpOptions): Promise<void> {
  const { eventLog, readers, feed, recentEntries, join } = options;
  let place = from;
  while (!subscriber.ended) {
    let entries: readonly Entry[];
    let kind: RunKind = "older";
    if (feed.position !== null && isSame(place, feed.position)) {
      join(subscriber);
      return;
    }
    if (recentEntries.holds(place)) {
      entries = recentEntries.after(place.number, STEP);
      kind = "recent";
    } else {
      // Only while it reads: a reader that is slow to take what was read must not hold the others up.
      await readers.enter();
      const chunk = await eventLog.read(place, READ_LIMIT).finally(readers.leave);
      entries = chunk.entries;
      // The log's newest entry, and the feed has yet to read it.
      if (entries.length === 0) await feed.reached(place);
    }
    const newest = entries.at(-1);
    if (newest === undefined) continue;
    const reached = await hand(subscriber, entries, kind, newest);
    place = reached;
    subscriber.servedTo = reached.cursor;
  }
}

/**
 * Offers what the subscriber wants of `entries`, waiting for its reader where the sink is full. Returns the entry up to
 * which it has: what follows one for which it has waited is taken anew from memory, where it may have been erased.
 */
async function hand(subscriber: Subscriber, entries: readonly Entry[], kind: RunKind, newest: Entry): Promise<Entry> {
  const wanted = entries.filter(
    (entry): entry is LiveEntry => isLive(entry) && matchesFilter(subscriber.filter, entry.event),
  );
  for (const part of parts(wanted)) {
    const run = new Run(subscriber.group, part, kind);
    let hasWaited = false;
    for (let taken = 0; taken < part.length; ) {
      if (subscriber.ended) return newest;
      taken = subscriber.sink.offer(run, taken);
      subscriber.servedTo = part[taken - 1]?.cursor ?? subscriber.servedTo;
      if (taken < part.length || !subscriber.sink.hasRoom) {
        await subscriber.sink.drained();
        hasWaited = true;
      }
    }
    if (hasWaited && kind === "recent") return part.at(-1) ?? newest;
  }
  return newest;
}

/** The same entries in parts of {@link OFFER_BYTES} at the most, where one alone is not larger. */
function* parts(entries: readonly LiveEntry[]): Generator<readonly LiveEntry[]> {
  let first = 0;
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    if (index > first && bytes + entry.bytes > OFFER_BYTES) {
      yield entries.slice(first, index);
      first = index;
      bytes = 0;
    }
    bytes += entry.bytes;
  }
  if (first < entries.length) yield entries.slice(first);
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError("INTERNAL", "Unexpected error.", {}, error);
}
