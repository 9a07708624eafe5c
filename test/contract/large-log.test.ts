import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import { type EventFilter, filterFromArguments } from "../../src/event/event-filter.ts";
import { COUNT_LIMIT, type EventLog, EXAMINE_LIMIT } from "../../src/event-log/event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { IMPLEMENTATIONS, type LogStore, type LogStores } from "../harness/implementations.ts";
import { appendMany, pagesOf } from "../harness/log-suite.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const EVENTS = COUNT_LIMIT + 10;
const RARE = 777;

/** Two conditions that never hold together, though each holds for half of the log. */
const NEVER: EventFilter = [
  { field: "tag", anyOf: ["even"] },
  { field: "tag", anyOf: ["odd"] },
];

describe.each(IMPLEMENTATIONS)("$name: a log of more events than a look may examine", (implementation) => {
  let stores: LogStores;
  let store: LogStore;
  let eventLog: EventLog;
  let from: number;

  beforeAll(async () => {
    stores = await implementation.start();
    store = await stores.create(WIDE_LIMITS);
    eventLog = store.eventLog;
    from = Date.now() - 60_000;
    const fieldsOf = (i: number) =>
      ({
        type: i % 2 === 0 ? "open" : "click",
        tags: ["every", i % 2 === 0 ? "even" : "odd", ...(i === RARE ? ["rare"] : [])],
        messageId: null,
      }) as const;
    for (let i = 0; i < EVENTS; i += 20_000) {
      await appendMany(
        eventLog,
        sampleEvents(Math.min(20_000, EVENTS - i), `part-${i}`, (k) => fieldsOf(i + k)),
      );
    }
  });
  afterAll(async () => {
    await store.destroy();
    await stores.stop();
  });

  it.each(["newest-first", "oldest-first"] as const)("is looked through in parts, %s", async (order) => {
    const pages = await pagesOf(eventLog, { filter: NEVER, order, limit: 50 });
    expect(pages.flatMap(({ entries }) => entries)).toEqual([]);
    // Half of the entries are candidates, so a page goes over twice as many numbers as it examines.
    expect(pages.length).toBeGreaterThanOrEqual(Math.floor(EVENTS / 2 / EXAMINE_LIMIT));
    const ends = await Promise.all(pages.map(({ end }) => (end === null ? null : eventLog.positionOf(end))));
    let before = order === "newest-first" ? EVENTS + 1 : 0;
    for (const [i, end] of ends.entries()) {
      if (!pages[i]?.hasMore) continue;
      const { number } = end as Position;
      const passed = order === "newest-first" ? before - number : number - before;
      expect(passed).toBeGreaterThan(0);
      expect(passed).toBeLessThanOrEqual(2 * EXAMINE_LIMIT + 1);
      before = number;
    }
  });

  it.each(["newest-first", "oldest-first"] as const)(
    "shows its one rare event on the first page, %s",
    async (order) => {
      for (const filter of [
        filterFromArguments({ tag: "rare" }),
        filterFromArguments({ tag: "rare", types: ["click"] }),
      ]) {
        const page = await eventLog.find({ filter, order, limit: 50 });
        expect(page).toMatchObject({ entries: [{ number: RARE + 1 }], hasMore: false });
      }
    },
  );

  it("is counted by type whatever its size, and by a tag only as far as the limit", async () => {
    const count = (filter: EventFilter) => eventLog.count({ from, to: Date.now() + 1_000, buckets: 60, filter });
    const totals = async (filter: EventFilter) => (await count(filter)).reduce((sum, row) => sum + row.count, 0);
    expect(await totals([])).toBe(EVENTS);
    expect(await totals(filterFromArguments({ types: ["open"] }))).toBe(EVENTS / 2);
    expect(await totals(filterFromArguments({ tag: "even" }))).toBe(EVENTS / 2);
    expect(await totals(filterFromArguments({ tag: "rare" }))).toBe(1);
    await expect(count(filterFromArguments({ tag: "every" }))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});
