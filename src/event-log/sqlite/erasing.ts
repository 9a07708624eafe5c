import { dirname } from "node:path";
import { logUnavailable } from "../../error.ts";
import { normalizeEmail } from "../../event/event-filter.ts";
import { minuteOf } from "../event-counts.ts";
import type { MarkedEntry } from "../event-log.ts";
import { BLOCK_SIZE, listPlaces } from "../places.ts";
import type { LogFile } from "./log-file.ts";
import type { MinuteCounts } from "./minute-counts.ts";
import type { Postings } from "./postings.ts";
import { decodeTerms, FIELD_CODES, type Term } from "./terms.ts";

/** Entries that one transaction erases at the most: some milliseconds, for which appends wait. */
const STEP_ENTRIES = 100;

/** Erasing a recipient's events, and then every byte of them. */
export interface Erasing {
  /** Erases the first events of `email` up to number `to`; none where there are none any more. */
  erase(email: string, to: number): readonly MarkedEntry[];
  /**
   * Writes the file anew, without what was deleted from it: SQLite leaves that where it was until the place is used
   * again, and copies of index rows where they lay before. Takes as long as that takes.
   */
  scrub(): void;
}

interface Held {
  readonly tag: string;
  readonly receivedAt: number;
  readonly terms: string;
}

export function createErasing(file: LogFile, postings: Postings, counts: MinuteCounts): Erasing {
  const { database, path } = file;
  const firstEvent = database.prepare("SELECT min(number) AS number FROM events");
  const select = database.prepare(
    "SELECT tag, received_at AS receivedAt, terms FROM entries JOIN events USING (number) WHERE number = ?",
  );
  const update = database.prepare("UPDATE events SET terms = '[]', stored = NULL WHERE number = ?");

  /** The first numbers that bear `term`: some that are there, and before them all that were swept. */
  function firstNumbers(term: Term, to: number): { readonly swept: number[]; readonly there: number[] } {
    const first = (firstEvent.get()?.number ?? Number.POSITIVE_INFINITY) as number;
    const swept: number[] = [];
    const there: number[] = [];
    for (let block = 0; ; ) {
      const [row] = postings.atOrAbove(term, block, 1);
      if (row === undefined) return { swept, there };
      for (const place of listPlaces(row.places)) {
        const number = row.block * BLOCK_SIZE + place;
        if (number > to || there.length === STEP_ENTRIES) return { swept, there };
        (number < first ? swept : there).push(number);
      }
      block = row.block + 1;
    }
  }

  function eraseEvent(number: number): { readonly entry: MarkedEntry; readonly terms: readonly Term[] } {
    const { tag, receivedAt, terms: encoded } = select.get(number) as unknown as Held;
    const terms = decodeTerms(encoded);
    const valueUnder = (field: number) => terms.find((term) => term.field === field)?.value;
    counts.uncount(minuteOf(receivedAt), valueUnder(FIELD_CODES.type) as string, valueUnder(FIELD_CODES.subaccount));
    update.run(number);
    return { entry: { number, tag }, terms };
  }

  return {
    erase(email, to) {
      const address = { field: FIELD_CODES.email, value: normalizeEmail(email) };
      try {
        return file.transaction(() => {
          const { swept, there } = firstNumbers(address, to);
          const erased = there.map(eraseEvent);
          postings.take([
            ...swept.map((number) => ({ number, terms: [address] })),
            ...erased.map(({ entry: { number }, terms }) => ({ number, terms })),
          ]);
          counts.flush();
          return erased.map(({ entry }) => entry);
        });
      } catch (error) {
        counts.discard();
        throw error;
      }
    },
    scrub() {
      // The copy that VACUUM makes belongs where the space is: a container's /tmp is often its memory.
      database.exec(`PRAGMA temp_store_directory = '${dirname(path).replaceAll("'", "''")}'`);
      database.exec("VACUUM");
      const { busy } = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
      if (busy !== 0) throw logUnavailable("The event log's file is being copied: erase again when that is over.");
    },
  };
}
