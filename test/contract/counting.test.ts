import { expect, it } from "vitest";
import type { Entry } from "../../src/event/entry.ts";
import { type EventFilter, filterFromArguments, matchesFilter } from "../../src/event/event-filter.ts";
import { EVENT_TYPES } from "../../src/event/event-type.ts";
import type { CountQuery, CountRow, EventLog } from "../../src/event-log/event-log.ts";
import { type SampleFields, sampleEvent } from "../harness/event-samples.ts";
import { describeEachLog } from "../harness/log-suite.ts";

const MINUTE_MS = 60_000;

function variedFields(i: number): SampleFields {
  return {
    type: EVENT_TYPES[(i * 5) % 7],
    tags: [i % 3 === 0 ? "third" : "other"],
    subaccount: i % 4 === 0 ? null : `account-${i % 4}`,
    email: `person-${i % 5}@example.com`,
  };
}

const FILTERS: readonly EventFilter[] = [
  [],
  filterFromArguments({ types: ["send"] }),
  filterFromArguments({ types: ["send", "open", "inbound"] }),
  filterFromArguments({ types: [] }),
  filterFromArguments({ subaccount: "account-2" }),
  filterFromArguments({ types: ["open", "click"], subaccount: "account-1" }),
  [
    { field: "subaccount", anyOf: ["account-1", "account-2"] },
    { field: "subaccount", anyOf: ["account-2", "account-3"] },
  ],
  filterFromArguments({ subaccount: "none" }),
];

/** Filters of which the log knows nothing once the entries are trimmed. */
const OTHER_FILTERS: readonly EventFilter[] = [
  filterFromArguments({ tag: "third" }),
  filterFromArguments({ email: "person-3@example.com", types: ["open", "send"] }),
  filterFromArguments({ messageId: "message-count-7" }),
];

/** 40 events or more, one an append, until the log's clock has moved on by so many milliseconds: they lie apart in time. */
async function spreadLog(eventLog: EventLog, milliseconds: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  const spread = () => (entries.at(-1)?.receivedAt ?? 0) - (entries[0]?.receivedAt ?? 0);
  for (let i = 0; i < 40 || spread() < milliseconds; i++) {
    const id = `count-${i}`;
    await eventLog.append([sampleEvent({ id, ...variedFields(i) })]);
    entries.push((await eventLog.findById(id)) as Entry);
  }
  return entries;
}

/** Counts as the contract says: what is held by its time, what is trimmed by its minute's start. */
function expectedCounts(entries: readonly Entry[], oldest: number, query: CountQuery): CountRow[] {
  const { from, to, buckets, filter } = query;
  const counts = new Map<string, number>();
  for (const { event, number, receivedAt } of entries) {
    const time = number < oldest ? Math.floor(receivedAt / MINUTE_MS) * MINUTE_MS : receivedAt;
    if (event === null || time < from || time >= to || !matchesFilter(filter, event)) continue;
    const key = `${Math.floor(((time - from) * buckets) / (to - from))} ${event.type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => {
    const [bucket, type] = key.split(" ") as [string, CountRow["type"]];
    return { bucket: Number(bucket), type, count };
  });
}

const sorted = (rows: readonly CountRow[]) =>
  rows.toSorted((a, b) => a.bucket - b.bucket || EVENT_TYPES.indexOf(a.type) - EVENT_TYPES.indexOf(b.type));

describeEachLog("counting", ({ create }) => {
  it("is exact for what the log holds, at odd borders of spans and buckets", async () => {
    const { eventLog } = await create();
    const entries = await spreadLog(eventLog, 30);
    const [first, last] = [entries[0]?.receivedAt as number, entries.at(-1)?.receivedAt as number];
    const spans = [
      [first, last + 1, 7],
      [first, last, 1],
      [first + 1, last, 13],
      [first - 100, last + 1, 60],
      [first, last + 1, 500],
      [first - MINUTE_MS, last + 90_001, 11],
      [last, last + 1, 1],
      [last + 1, last + 100, 5],
      [first - 3_600_000, first, 5],
    ] as const;
    for (const [from, to, buckets] of spans) {
      for (const filter of [...FILTERS, ...OTHER_FILTERS]) {
        const query = { from, to, buckets, filter };
        expect(sorted(await eventLog.count(query)), JSON.stringify(query)).toEqual(
          sorted(expectedCounts(entries, 1, query)),
        );
      }
    }
  });

  it("goes on by the minute for what is trimmed, where only type and subaccount are asked for", async () => {
    const { eventLog } = await create({ retentionEvents: 5 });
    const entries = await spreadLog(eventLog, 10);
    const { oldest } = await eventLog.head();
    const [first, last] = [entries[0]?.receivedAt as number, entries.at(-1)?.receivedAt as number];
    const minute = Math.floor(first / MINUTE_MS) * MINUTE_MS;
    const spans = [
      [minute, last + 1, 1],
      [minute, minute + 2 * MINUTE_MS, 7],
      [minute - 1, last + 1, 3],
      [minute + 1, last + 1, 3],
      [minute - 10 * MINUTE_MS, minute + 10 * MINUTE_MS, 20],
      [minute, minute + 1, 1],
    ] as const;
    for (const [from, to, buckets] of spans) {
      for (const filter of FILTERS) {
        const query = { from, to, buckets, filter };
        expect(sorted(await eventLog.count(query)), JSON.stringify(query)).toEqual(
          sorted(expectedCounts(entries, oldest, query)),
        );
      }
      for (const filter of OTHER_FILTERS) {
        const query = { from, to, buckets, filter };
        const held = entries.filter(({ number }) => number >= oldest);
        expect(sorted(await eventLog.count(query)), JSON.stringify(query)).toEqual(
          sorted(expectedCounts(held, oldest, query)),
        );
      }
    }
  });

  it("goes on by the minute for what was trimmed by its age, as long as the age allows", async () => {
    const { eventLog } = await create({ retentionMs: 20 });
    const entries = await spreadLog(eventLog, 30);
    await eventLog.trim();
    const { oldest } = await eventLog.head();
    expect(oldest).toBeGreaterThan(1);
    const kept = Math.floor((Date.now() - 20) / MINUTE_MS) * MINUTE_MS;
    const query = { from: kept - 10 * MINUTE_MS, to: kept + MINUTE_MS, buckets: 11, filter: [] };
    // Of the minute before, if this test has seen its end, either answer is right.
    const rows = (await eventLog.count(query)).filter(({ bucket }) => bucket === 10);
    expect(sorted(rows)).toEqual(
      sorted(expectedCounts(entries, oldest, { ...query, from: kept, buckets: 1 })).map((row) => ({
        ...row,
        bucket: 10,
      })),
    );
  });

  it("leaves duplicates out", async () => {
    const { eventLog } = await create();
    const events = [sampleEvent({ id: "once", type: "open" }), sampleEvent({ id: "once", type: "open" })];
    await eventLog.append(events);
    await eventLog.append(events);
    const { receivedAt } = (await eventLog.findById("once")) as Entry;
    expect(await eventLog.count({ from: receivedAt, to: receivedAt + 1, buckets: 1, filter: [] })).toEqual([
      { bucket: 0, type: "open", count: 1 },
    ]);
  });

  it("finds nothing in an empty log", async () => {
    const { eventLog } = await create();
    expect(await eventLog.count({ from: 0, to: Date.now() + MINUTE_MS, buckets: 60, filter: [] })).toEqual([]);
  });
});
