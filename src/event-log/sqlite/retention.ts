import { minuteOf } from "../event-counts.ts";
import type { LogLimits } from "../event-log.ts";
import type { LogFile, LogState } from "./log-file.ts";
import type { MinuteCounts } from "./minute-counts.ts";
import type { Postings } from "./postings.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Trimming has two steps. An entry is gone for every reader as soon as `oldest` lies above it; its rows are swept
 * away afterwards, some with each append and the rest after a trim, so that no transaction is long.
 */
export interface Retention {
  /** Moves `oldest` up to what the limits' count allows. */
  trimByCount(draft: LogState): void;
  /** Moves `oldest` up to what the limits' age allows; answers the number of entries trimmed. */
  trimByAge(draft: LogState): number;
  /** Deletes rows of up to `limit` trimmed entries and of as many that the deduplication window let go. */
  sweep(draft: LogState, limit: number): { readonly more: boolean };
}

const hourOf = (time: number) => Math.floor(time / 3_600_000);

interface Swept {
  readonly number: number;
  readonly terms: string;
}

export function createRetention(
  { database }: LogFile,
  limits: LogLimits,
  postings: Postings,
  counts: MinuteCounts,
  timeline: Timeline,
): Retention {
  const trimmedEvents = database.prepare("SELECT number, terms FROM events WHERE number < ? ORDER BY number LIMIT ?");
  const deleteEvents = database.prepare("DELETE FROM events WHERE number <= ?");
  const firstEntry = database.prepare("SELECT number, received_at FROM entries ORDER BY number LIMIT 1");
  const deleteEntries = database.prepare("DELETE FROM entries WHERE number < ? AND (number <= ? OR received_at <= ?)");

  /** The newest entry is never trimmed, whatever the limits. */
  const raiseOldest = (draft: LogState, number: number) => {
    draft.oldest = Math.max(draft.oldest, Math.min(number, Math.max(draft.number, 1)));
  };

  /** What an entry must pass to be out of the deduplication window. */
  const windowOf = (draft: LogState) => ({
    number: draft.number - limits.deduplicationEvents,
    receivedAt: Math.max(Date.now(), draft.receivedAt) - limits.deduplicationMs,
  });

  function sweepEvents(draft: LogState, limit: number): boolean {
    const swept = trimmedEvents.all(draft.oldest, limit) as unknown as Swept[];
    const last = swept.at(-1);
    if (last === undefined) return false;
    postings.remove(swept);
    deleteEvents.run(last.number);
    return swept.length === limit;
  }

  function sweepEntries(draft: LogState, limit: number): boolean {
    const first = firstEntry.get() as { number: number; received_at: number } | undefined;
    if (first === undefined) return false;
    const window = windowOf(draft);
    if (first.number > window.number && first.received_at > window.receivedAt) return false;
    const below = Math.min(draft.oldest, first.number + limit);
    const { changes } = deleteEntries.run(below, window.number, window.receivedAt);
    return Number(changes) === limit;
  }

  return {
    trimByCount: (draft) => raiseOldest(draft, draft.number - Math.max(limits.retentionEvents, 1) + 1),
    trimByAge(draft) {
      const before = draft.oldest;
      const cutoff = Math.max(Date.now(), draft.receivedAt) - limits.retentionMs;
      raiseOldest(draft, timeline.firstAt(cutoff, draft.oldest, draft.number));
      // Counts go with the age, but never those of a minute from which the log still holds an entry.
      const held = draft.number === 0 ? cutoff : timeline.receivedAt(draft.oldest);
      const countsFrom = minuteOf(Math.min(cutoff, held));
      // Their rows go once an hour: it takes a look at every series.
      if (hourOf(countsFrom) > hourOf(draft.countsFrom)) counts.removeBefore(countsFrom);
      draft.countsFrom = Math.max(draft.countsFrom, countsFrom);
      return draft.oldest - before;
    },
    sweep(draft, limit) {
      const events = sweepEvents(draft, limit);
      const entries = sweepEntries(draft, limit);
      return { more: events || entries };
    },
  };
}
