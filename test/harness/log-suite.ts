import { afterAll, afterEach, beforeAll, describe } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import type { Entry } from "../../src/event/entry.ts";
import type { Event } from "../../src/event/event.ts";
import type { EventLog, FindPage, FindQuery, Head, LogLimits } from "../../src/event-log/event-log.ts";
import { sampleEvent } from "./event-samples.ts";
import { IMPLEMENTATIONS, type Implementation, type LogStore, type LogStores } from "./implementations.ts";
import { WIDE_LIMITS } from "./wide-limits.ts";

/** What a suite makes its logs with; each is removed after its test. */
export interface LogSuite {
  readonly implementation: Implementation;
  create(limits?: Partial<LogLimits>): Promise<LogStore>;
}

/** Runs `suite` once for every implementation of the event log. */
export function describeEachLog(title: string, suite: (logs: LogSuite) => void): void {
  describe.each(IMPLEMENTATIONS)(`$name: ${title}`, (implementation) => {
    let stores: LogStores;
    let made: LogStore[] = [];
    beforeAll(async () => {
      stores = await implementation.start();
    });
    afterEach(async () => {
      for (const store of made) await store.destroy();
      made = [];
    });
    afterAll(() => stores.stop());
    suite({
      implementation,
      async create(limits = {}) {
        const store = await stores.create({ ...WIDE_LIMITS, ...limits });
        made.push(store);
        return store;
      },
    });
  });
}

/** The place before the first entry of the log whose head this is. */
export function originOf({ epoch }: Head): Position {
  return { epoch, number: 0, tag: "AAAAAAAA" };
}

/** Every entry that the log holds, oldest first. */
export async function entriesOf(eventLog: EventLog): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let from: string | null = null; ; ) {
    const page: FindPage = await eventLog.find({
      filter: [],
      order: "oldest-first",
      limit: 500,
      from: from === null ? undefined : ((await eventLog.positionOf(from)) ?? undefined),
    });
    entries.push(...page.entries);
    if (!page.hasMore) return entries;
    from = page.end;
  }
}

/** Every page that a query leads to, each asked for with the end of the one before. */
export async function pagesOf(eventLog: EventLog, query: FindQuery): Promise<FindPage[]> {
  const pages: FindPage[] = [];
  for (let from = query.from; ; ) {
    const page = await eventLog.find({ ...query, from });
    pages.push(page);
    if (!page.hasMore) return pages;
    if (page.end === null) throw new Error("a page that has more must say from where");
    from = (await eventLog.positionOf(page.end)) ?? undefined;
  }
}

/** Appends in batches of 1,000 that do not wait for each other. */
export async function appendMany(eventLog: EventLog, events: readonly Event[]): Promise<void> {
  const batches: Promise<unknown>[] = [];
  for (let i = 0; i < events.length; i += 1_000) batches.push(eventLog.append(events.slice(i, i + 1_000)));
  await Promise.all(batches);
}

let ticks = 0;

/** Appends one event after the other, with ids of their own, until the log's clock is past `time`. */
export async function untilClockPasses(eventLog: EventLog, time: number): Promise<void> {
  for (let receivedAt = 0; receivedAt <= time; ) {
    ticks += 1;
    const id = `tick-${ticks}`;
    await eventLog.append([sampleEvent({ id })]);
    receivedAt = (await eventLog.findById(id))?.receivedAt ?? 0;
  }
}

export const idsOf = (entries: readonly Entry[]) => entries.map(({ event }) => event?.id);
export const numbersOf = (entries: readonly Entry[]) => entries.map(({ number }) => number);
