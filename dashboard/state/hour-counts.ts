import type { Client } from "urql";
import { EventCountsDocument, type EventType } from "../generated/graphql.ts";
import { type Cell, createCell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import type { EventFeed } from "./event-feed.ts";
import { EVENT_TYPES } from "./event-types.ts";
import type { Filter } from "./view-link.ts";

const MINUTE = 60_000;
/** Bars in the plot: minutes of an hour, the current one included. */
export const MINUTES = 60;
/** The counts are asked for anew this often; between, every event that arrives is added. Milliseconds. */
const REFRESH = 15_000;
/** Between two drawings while events arrive. Milliseconds. */
const CALM = 500;

/** Events of the last hour, by minute and type. Immutable. */
export interface HourCounts {
  /** Where the first minute begins. Milliseconds since the Unix epoch, by the service's clock. */
  readonly from: number;
  /** {@link MINUTES} numbers a type. */
  readonly byType: Readonly<Record<EventType, readonly number[]>>;
}

export interface HourCountsWatch {
  readonly counts: Pick<Cell<HourCounts>, "get" | "subscribe">;
  /** Counts what matches recipient and tag; types are all counted, so that one sees what else there is. */
  show(filter: Filter): void;
  /** Asks anew: after a reconnect, for instance. */
  refresh(): void;
}

export interface HourCountsOptions {
  readonly client: Client;
  readonly feed: EventFeed;
  readonly clock: Clock;
  /** Whether the service is to be asked now. */
  readonly mayAsk: () => boolean;
}

export function watchHourCounts({ client, feed, clock, mayAsk }: HourCountsOptions): HourCountsWatch {
  let filter: Pick<Filter, "email" | "tag"> | undefined;
  let counted = emptyCounts(clock.now());
  const counts = createCell<HourCounts>(counted);
  let generation = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const refresh = (): void => {
    if (filter === undefined) return;
    generation += 1;
    const mine = generation;
    const empty = emptyCounts(clock.now());
    const { email, tag } = filter;
    const [from, to] = [new Date(empty.from), new Date(empty.from + MINUTES * MINUTE)].map((date) =>
      date.toISOString(),
    );
    void client
      .query(EventCountsDocument, {
        from: from as string,
        to: to as string,
        buckets: MINUTES,
        email: email || null,
        tag: tag || null,
      })
      .toPromise()
      .then(({ data }) => {
        if (generation !== mine || data === undefined) return;
        for (const row of data.eventCounts) add(empty, row.type, Date.parse(row.from), row.count);
        counted = empty;
        counts.set(copyOf(counted));
      });
  };

  feed.onArrival(({ type, receivedAt }) => {
    const at = Date.parse(receivedAt);
    if (at >= counted.from + MINUTES * MINUTE) counted = movedOn(counted, at);
    add(counted, type, at, 1);
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      counts.set(copyOf(counted));
    }, CALM);
  });
  setInterval(() => {
    if (mayAsk()) refresh();
  }, REFRESH);

  return {
    counts,
    show(next) {
      filter = next;
      refresh();
    },
    refresh,
  };
}

type Counting = { from: number; byType: Record<EventType, number[]> };

function emptyCounts(now: number): Counting {
  const byType = Object.fromEntries(EVENT_TYPES.map((type) => [type, new Array<number>(MINUTES).fill(0)]));
  return { from: (Math.floor(now / MINUTE) + 1 - MINUTES) * MINUTE, byType: byType as Record<EventType, number[]> };
}

function add({ from, byType }: Counting, type: EventType, at: number, count: number): void {
  const minute = Math.floor((at - from) / MINUTE);
  const row = byType[type];
  if (minute >= 0 && minute < MINUTES) row[minute] = (row[minute] ?? 0) + count;
}

/** The same counts, seen from a later minute. */
function movedOn(counts: Counting, now: number): Counting {
  const next = emptyCounts(now);
  const steps = (next.from - counts.from) / MINUTE;
  for (const type of EVENT_TYPES) {
    next.byType[type] = next.byType[type].map((_, minute) => counts.byType[type][minute + steps] ?? 0);
  }
  return next;
}

function copyOf({ from, byType }: Counting): HourCounts {
  const copy = EVENT_TYPES.map((type) => [type, [...byType[type]]]);
  return { from, byType: Object.fromEntries(copy) as HourCounts["byType"] };
}
