import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { filterFromArguments } from "../../src/event/event-filter.ts";
import { BLOCK_SIZE } from "../../src/event-log/places.ts";
import { openLeavingLog } from "../../src/event-log/sqlite/leaving-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { appendMany, numbersOf } from "../harness/log-suite.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const ADA = "ada@example.com";

async function openLog() {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-erasing-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "events.db");
  const eventLog = await openSqliteEventLog({ file, limits: WIDE_LIMITS });
  onTestFinished(() => eventLog.close());
  return { file, eventLog };
}

describe("an erasure in SQLite", () => {
  it("reaches rows of the index that were kept in memory, in every block", async () => {
    const { eventLog } = await openLog();
    const hers = new Set([1, 7, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 300]);
    const count = BLOCK_SIZE + 400;
    const events = sampleEvents(count, "event", (i) => ({ email: hers.has(i + 1) ? ADA : null, tags: ["all"] }));
    await appendMany(eventLog, events);
    const tagged = { filter: filterFromArguments({ tag: "all" }), order: "oldest-first", limit: 8 } as const;
    const counted = { from: 0, to: Date.now() + 60_000, buckets: 1, filter: tagged.filter };
    expect(numbersOf((await eventLog.find(tagged)).entries)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await eventLog.count(counted)).toEqual([{ bucket: 0, type: "send", count }]);
    expect(await eventLog.erase(ADA)).toBe(hers.size);
    expect(numbersOf((await eventLog.find(tagged)).entries)).toEqual([2, 3, 4, 5, 6, 8, 9, 10]);
    const newest = await eventLog.find({ ...tagged, order: "newest-first", limit: 500 });
    expect(numbersOf(newest.entries).filter((number) => hers.has(number))).toEqual([]);
    expect(await eventLog.count(counted)).toEqual([{ bucket: 0, type: "send", count: count - hers.size }]);
  });

  it("leaves the numbers of each minute known to whoever moves the log", async () => {
    const { file, eventLog } = await openLog();
    await eventLog.append(sampleEvents(50, "event", (i) => ({ email: i % 2 === 0 ? ADA : null, subaccount: "acme" })));
    await eventLog.erase(ADA);
    await eventLog.close();
    const leaving = openLeavingLog(file);
    onTestFinished(() => leaving.close());
    const { minutes, counts } = leaving.remainder();
    expect(Math.min(...minutes.values())).toBe(1);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(25);
    const erased = [...leaving.entriesFrom(1)].filter(({ stored }) => stored === null);
    expect(erased.map(({ number, terms }) => [number, terms])).toEqual(
      Array.from({ length: 25 }, (_, i) => [2 * i + 1, []]),
    );
  });
});
