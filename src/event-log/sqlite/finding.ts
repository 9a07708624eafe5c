import { examination } from "../block-matches.ts";
import { EXAMINE_LIMIT, type FindQuery } from "../event-log.ts";
import type { LogFile } from "./log-file.ts";
import { matchingNumbers, type NumberRange } from "./matching.ts";
import type { Postings } from "./postings.ts";
import type { Reading } from "./reading.ts";
import type { StoredEntry, StoredPage } from "./store-calls.ts";

/** Bytes of stored events after which a page ends early: 500 inbound events with attachments would fill the memory. */
const PAGE_BYTES = 32 * 1024 * 1024;

export type Find = (query: FindQuery) => StoredPage;

export function createFind({ state }: LogFile, postings: Postings, reading: Reading): Find {
  /** The numbers that a page may hold: none, where it goes on from what is trimmed, newest first. */
  function rangeOf({ order, from, since }: FindQuery): NumberRange {
    if (since !== undefined && reading.locate(since) === "expired") throw reading.expired();
    const lowest = Math.max(state.oldest, (since?.number ?? 0) + 1);
    if (from === undefined) return { lowest, highest: state.number };
    const expired = reading.locate(from) === "expired";
    if (order === "newest-first") return { lowest, highest: from.number - 1 };
    if (expired) throw reading.expired();
    return { lowest: Math.max(lowest, from.number + 1), highest: state.number };
  }

  return (query) => {
    const range = rangeOf(query);
    const head = reading.head();
    const entries: StoredEntry[] = [];
    const examined = examination(EXAMINE_LIMIT);
    let bytes = 0;
    for (const numbers of matchingNumbers(postings, query.filter, range, query.order, examined)) {
      for (const number of numbers) {
        const entry = reading.entry(number);
        if (entry.stored === null) continue;
        const last = entries.at(-1);
        if (last !== undefined && (entries.length >= query.limit || bytes >= PAGE_BYTES)) {
          return { entries, hasMore: true, end: reading.positionOf(last.number), head };
        }
        entries.push(entry);
        bytes += Buffer.byteLength(entry.stored);
      }
    }
    const end = examined.last === undefined ? null : reading.positionOf(examined.last);
    return { entries, hasMore: examined.stopped, end, head };
  };
}
