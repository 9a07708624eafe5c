import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FILTER_FIELDS, type FilterField } from "../../event/event-filter.ts";
import { COUNT_MINUTE_MS } from "../event-counts.ts";
import type { MovingCount, MovingEntry, MovingRemainder, MovingState } from "../moving-log.ts";
import type { LogFile } from "./log-file.ts";
import { revokedTokensPath } from "./revoked-tokens.ts";
import { decodeTerms, FIELD_CODES } from "./terms.ts";
import { openUnusedLogFile } from "./unused-log-file.ts";

/** A log in a file that nobody else has open, to be carried elsewhere. Reading it changes nothing. */
export interface LeavingLog {
  readonly state: MovingState;
  /** Number of the first entry that is known, be it by its id alone; `number + 1` of the state where there is none. */
  readonly first: number;
  /** The entries from `number` on, oldest first, read as they are asked for. */
  entriesFrom(number: number): Iterable<MovingEntry>;
  /** The tag of entry `number`; null where it is not known. */
  tagOf(number: number): string | null;
  remainder(): MovingRemainder;
  close(): void;
}

/** Milliseconds to wait for a command that is at the list of revoked tokens. */
const BUSY_TIMEOUT = 5_000;

const FIELD_OF: ReadonlyMap<number, FilterField> = new Map(FILTER_FIELDS.map((field) => [FIELD_CODES[field], field]));

/** Opens the file, which must be there; rejects with LOG_UNAVAILABLE as {@link openUnusedLogFile} does. */
export function openLeavingLog(path: string): LeavingLog {
  const file = openUnusedLogFile(path);
  const { database, state, cursorKey } = file;
  const { epoch, number, tag, receivedAt, oldest, countsFrom } = state;
  const following = database.prepare(
    `SELECT number, tag, received_at, id, terms, stored, events.number IS NOT NULL AS has_event
     FROM entries LEFT JOIN events USING (number) WHERE number >= ? ORDER BY number`,
  );
  const tagOf = database.prepare("SELECT tag FROM entries WHERE number = ?");
  const first = database.prepare("SELECT min(number) AS first FROM entries").get()?.first as number | null;
  return {
    state: {
      ...{ epoch, number, tag, receivedAt, oldest },
      cursorKey: Buffer.from(cursorKey).toString("hex"),
      countsFrom: Math.floor(countsFrom / COUNT_MINUTE_MS),
    },
    first: first ?? number + 1,
    *entriesFrom(from) {
      for (const row of following.iterate(from)) {
        const isHeld = (row.number as number) >= oldest && row.has_event === 1;
        yield {
          number: row.number as number,
          tag: row.tag as string,
          receivedAt: row.received_at as number,
          id: row.id as string,
          stored: isHeld ? (row.stored as string | null) : undefined,
          terms: isHeld && row.stored !== null ? termsOf(row.terms as string) : [],
        };
      }
    },
    tagOf: (asked) => (tagOf.get(asked)?.tag as string | undefined) ?? null,
    remainder() {
      const counts = countsOf(file);
      const requests = database.prepare("SELECT request FROM requests ORDER BY number DESC").all();
      return {
        minutes: minutesOf(file),
        counts,
        requests: requests.map(({ request }) => request as string),
        revoked: revokedIn(revokedTokensPath(path)),
      };
    },
    close: file.close,
  };
}

function termsOf(encoded: string): MovingEntry["terms"] {
  return decodeTerms(encoded).map(({ field, value }) => ({ field: FIELD_OF.get(field) as FilterField, value }));
}

/** The file counts all events of a type, and besides those of each subaccount: the others have none. */
function countsOf({ database, state }: LogFile): readonly MovingCount[] {
  const rows = database
    .prepare(
      `SELECT minute, type, subaccount, count FROM counts WHERE scope = 1 AND minute >= :from
       UNION ALL
       SELECT minute, type, NULL, total.count - coalesce(
         (SELECT sum(one.count) FROM counts AS one
          WHERE one.scope = 1 AND one.type = total.type AND one.minute = total.minute), 0)
       FROM counts AS total WHERE scope = 0 AND minute >= :from`,
    )
    .all({ from: state.countsFrom / COUNT_MINUTE_MS }) as unknown as MovingCount[];
  return rows.filter(({ count }) => count > 0);
}

/**
 * Where the entries of a minute are gone, its first number is told by the counts: numbers are dense, and so it lies as
 * far below that of the next minute as it has events, erased ones too.
 */
function minutesOf({ database, state }: LogFile): ReadonlyMap<number, number> {
  const minutes = new Map<number, number>();
  const known = database.prepare(
    `SELECT min(number) AS number, received_at / ${COUNT_MINUTE_MS} AS minute FROM entries GROUP BY minute`,
  );
  for (const row of known.iterate()) minutes.set(row.minute as number, row.number as number);
  const totals = database.prepare(
    "SELECT minute, sum(count) AS total FROM counts WHERE scope IN (0, 2) AND minute >= ? GROUP BY minute ORDER BY minute DESC",
  );
  let next = state.number + 1;
  for (const { minute, total } of totals.iterate(state.countsFrom / COUNT_MINUTE_MS)) {
    next -= total as number;
    minutes.set(minute as number, next);
  }
  return minutes;
}

function revokedIn(path: string): MovingRemainder["revoked"] {
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    const rows = database.prepare("SELECT token_id AS tokenId, until FROM revoked WHERE until >= ?").all(Date.now());
    return rows.map(({ tokenId, until }) => ({ tokenId: tokenId as string, until: until as number }));
  } finally {
    database.close();
  }
}
