import type { DatabaseSync } from "node:sqlite";
import { COUNT_MINUTE_MS } from "../event-counts.ts";

/** How many events were appended, a minute, type and subaccount. Minutes are their starts, in milliseconds. */
export interface MinuteCounts {
  /** Counts one event. Written by {@link flush}. */
  add(minute: number, type: string, subaccount: string | undefined): void;
  /** Takes back one event, which was erased: it is counted as that alone. Written by {@link flush}. */
  uncount(minute: number, type: string, subaccount: string | undefined): void;
  flush(): void;
  /** Leaves out what was added and not flushed. */
  discard(): void;
  /** Events of `type` in the minutes from `from`, inclusive, to `to`, exclusive; of `subaccount` alone unless null. */
  sum(from: number, to: number, type: string, subaccount: string | null): number;
  /** Forgets the minutes before `minute`. */
  removeBefore(minute: number): void;
}

const EVERY_EVENT = 0;
const ONE_SUBACCOUNT = 1;
const ERASED_EVENTS = 2;

interface Row {
  readonly scope: number;
  readonly subaccount: string;
  readonly type: string;
}

export function createMinuteCounts(database: DatabaseSync): MinuteCounts {
  const upsert = database.prepare(
    `INSERT INTO counts (scope, subaccount, type, minute, count) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  const total = database.prepare(
    `SELECT sum(count) AS total FROM counts
     WHERE scope = ? AND subaccount = ? AND type = ? AND minute >= ? AND minute < ?`,
  );
  const nextRow = database.prepare(
    `SELECT scope, subaccount, type FROM counts WHERE (scope, subaccount, type) > (?, ?, ?)
     ORDER BY scope, subaccount, type LIMIT 1`,
  );
  const remove = database.prepare("DELETE FROM counts WHERE scope = ? AND subaccount = ? AND type = ? AND minute < ?");
  const pending = new Map<string, Row & { minute: number; count: number }>();

  function count(row: Row, minute: number, events: 1 | -1): void {
    const key = JSON.stringify([row.scope, minute, row.type, row.subaccount]);
    const known = pending.get(key);
    if (known === undefined) pending.set(key, { ...row, minute, count: events });
    else known.count += events;
  }

  function countEach(minute: number, type: string, subaccount: string | undefined, events: 1 | -1): void {
    count({ scope: EVERY_EVENT, subaccount: "", type }, minute, events);
    if (subaccount !== undefined) count({ scope: ONE_SUBACCOUNT, subaccount, type }, minute, events);
  }

  return {
    add: (minute, type, subaccount) => countEach(minute, type, subaccount, 1),
    uncount(minute, type, subaccount) {
      countEach(minute, type, subaccount, -1);
      count({ scope: ERASED_EVENTS, subaccount: "", type: "" }, minute, 1);
    },
    flush() {
      for (const row of pending.values()) {
        upsert.run(row.scope, row.subaccount, row.type, row.minute / COUNT_MINUTE_MS, row.count);
      }
      pending.clear();
    },
    discard: () => pending.clear(),
    sum(from, to, type, subaccount) {
      const scope = subaccount === null ? EVERY_EVENT : ONE_SUBACCOUNT;
      const range = [from / COUNT_MINUTE_MS, to / COUNT_MINUTE_MS] as const;
      return Number(total.get(scope, subaccount ?? "", type, ...range)?.total ?? 0);
    },
    removeBefore(minute) {
      // Minute by minute the rows lie apart: go from series to series, each of which loses its beginning.
      let series: Row | undefined = { scope: -1, subaccount: "", type: "" };
      for (;;) {
        series = nextRow.get(series.scope, series.subaccount, series.type) as Row | undefined;
        if (series === undefined) return;
        remove.run(series.scope, series.subaccount, series.type, minute / COUNT_MINUTE_MS);
      }
    },
  };
}
