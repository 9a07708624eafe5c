import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MarkedEntry } from "../../../src/event-log/event-log.ts";
import { createFeed } from "../../../src/hub/feed.ts";
import { createRecentEntries } from "../../../src/hub/recent-entries.ts";
import { createScriptedLog, type ScriptedLog } from "../../harness/scripted-log.ts";

/** A feed that has begun, what it keeps, and what it was told to forget. */
async function startFeed(log: ScriptedLog) {
  const recentEntries = createRecentEntries({ maxEntries: 100, maxBytes: 1e9 });
  const forgotten: MarkedEntry[] = [];
  const feed = createFeed({
    eventLog: log,
    recentEntries,
    logger: pino({ level: "silent" }),
    onEntries() {},
    onGap() {},
    onErased: (erased) => forgotten.push(...erased),
  });
  onTestFinished(() => feed.stop());
  feed.start();
  await feed.begun();
  await idle();
  return { feed, recentEntries, forgotten };
}

/** Resolves when everything that needs no I/O has run its course. */
const idle = () => new Promise((resolve) => setImmediate(resolve));

const five = () => Array.from({ length: 5 }, () => ({}));

describe("a feed whose log erases events", () => {
  it("keeps their places without them, in a resume from memory too", async () => {
    const log = createScriptedLog();
    const { feed, recentEntries, forgotten } = await startFeed(log);
    const entries = log.append(five());
    // Not handed out yet.
    log.erase(2, 5);
    expect(recentEntries.after(1, 10).map(({ isErased }) => isErased)).toEqual([true, false, false, true]);
    expect(entries.every((entry) => recentEntries.holds(entry))).toBe(true);
    expect(feed.position).toMatchObject({ number: 5, tag: entries[4]?.tag });
    expect(forgotten.map(({ number }) => number)).toEqual([2, 5]);
    log.append([{}]);
    await idle();
    expect(recentEntries.after(4, 10).map(({ number, isErased }) => [number, isErased])).toEqual([
      [5, true],
      [6, false],
    ]);
  });

  it("forgets what a read under way has read of them before", async () => {
    const log = createScriptedLog();
    const { feed, recentEntries, forgotten } = await startFeed(log);
    const answered = Promise.withResolvers<void>();
    log.answerLater = answered.promise;
    const [first, second] = log.append([{}, {}], "number");
    // Read as it was, and on its way when it is erased.
    log.erase(1);
    answered.resolve();
    await feed.reached(second!);
    await idle();
    expect(recentEntries.holds(first!)).toBe(true);
    expect(recentEntries.after(0, 10).map(({ isErased }) => isErased)).toEqual([true, false]);
    expect(forgotten.map(({ number }) => number)).toEqual([1, 1]);
  });

  it("keeps nothing in memory where it may have missed being told", async () => {
    const log = createScriptedLog();
    const { recentEntries } = await startFeed(log);
    log.append(five());
    await idle();
    expect(recentEntries.size).toBe(5);
    log.append([{}]);
    log.wake({});
    expect(recentEntries.size).toBe(0);
    await idle();
    log.append([{}, {}]);
    await idle();
    expect(recentEntries.size).toBe(2);
  });
});
