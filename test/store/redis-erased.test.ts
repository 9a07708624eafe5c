import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { numbersOf, originOf } from "../harness/log-suite.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let server: RedisServer;
let eventLog: EventLog;
let keys: RedisKeys;
let made = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  made += 1;
  const connection = { kind: "standalone", url: server.url } as const;
  const opened = openRedisEventLog({ connection, prefix: `erased-${made}`, limits: WIDE_LIMITS });
  onTestFinished(() => opened.close());
  eventLog = opened;
  keys = createKeys(`erased-${made}`);
  await eventLog.append(samples(10));
});

const samples = (count: number) => sampleEvents(count, "event", (i) => ({ email: `reader-${i + 1}@example.com` }));

/** Each of them is about an address of its own. */
async function erase(...numbers: number[]): Promise<void> {
  for (const number of numbers) expect(await eventLog.erase(`reader-${number}@example.com`)).toBe(1);
}

const LIMIT = { entries: 100, bytes: 1_000_000 };

describe("an erased entry of a Redis log", () => {
  it("is read without its event, in its place and with its cursor", async () => {
    const origin = originOf(await eventLog.head());
    const before = (await eventLog.read(origin, LIMIT)).entries;
    await erase(3, 4, 10);
    const { entries } = await eventLog.read(origin, LIMIT);
    expect(entries.map(({ cursor, receivedAt }) => ({ cursor, receivedAt }))).toEqual(
      before.map(({ cursor, receivedAt }) => ({ cursor, receivedAt })),
    );
    const erased = entries.filter(({ event }) => event === null);
    expect(numbersOf(erased)).toEqual([3, 4, 10]);
    expect(erased.every(({ bytes }) => bytes === 0)).toBe(true);
  });

  it("is a position to go on from, at either end of the log too", async () => {
    const { entries } = await eventLog.read(originOf(await eventLog.head()), LIMIT);
    await erase(1, 5, 10);
    for (const [number, following] of [
      [1, 9],
      [5, 5],
      [10, 0],
    ] as const) {
      const position = entries[number - 1] as Position;
      expect((await eventLog.read(position, LIMIT)).entries).toHaveLength(following);
      const foreign = { ...position, tag: "00000000" };
      await expect(eventLog.read(foreign, LIMIT)).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
      const page = await eventLog.find({ filter: [], order: "newest-first", limit: 50, from: position });
      expect(numbersOf(page.entries)).toEqual([9, 8, 7, 6, 4, 3, 2].filter((n) => n < number));
    }
    expect(await eventLog.append(samples(11))).toMatchObject({ appended: 1, head: 11 });
  });

  it("is found under no filter, nor by its id, and is not counted", async () => {
    await erase(2, 9);
    const filter = [{ field: "type", anyOf: ["send"] }] as const;
    for (const asked of [[], filter]) {
      const page = await eventLog.find({ filter: asked, order: "oldest-first", limit: 50 });
      expect(numbersOf(page.entries)).toEqual([1, 3, 4, 5, 6, 7, 8, 10]);
    }
    expect(await eventLog.findById("event-9")).toBeNull();
    const rows = await eventLog.count({ from: 0, to: Date.now() + 60_000, buckets: 1, filter });
    expect(rows).toEqual([{ bucket: 0, type: "send", count: 8 }]);
  });

  it("is trimmed with the log", async () => {
    await erase(1, 2, 5);
    const limits = { ...WIDE_LIMITS, retentionEvents: 6, deduplicationEvents: 1 };
    const connection = { kind: "standalone", url: server.url } as const;
    const narrow = openRedisEventLog({ connection, prefix: `erased-${made}`, limits });
    onTestFinished(() => narrow.close());
    await narrow.trim();
    expect((await server.client.hkeys(keys.erased)).map(Number)).toEqual([5]);
    expect(await server.client.xlen(keys.entries)).toBe(6);
    const { entries } = await narrow.find({ filter: [], order: "oldest-first", limit: 50 });
    expect(numbersOf(entries)).toEqual([6, 7, 8, 9, 10]);
  });
});

describe("an entry that a Redis log has lost", () => {
  it("ends what is read before it, and cannot be passed over", async () => {
    const origin = originOf(await eventLog.head());
    const { entries } = await eventLog.read(origin, LIMIT);
    await server.client.xdel(keys.entries, "6-0");
    expect(numbersOf((await eventLog.read(origin, LIMIT)).entries)).toEqual([1, 2, 3, 4, 5]);
    for (const number of [5, 6]) {
      const position = entries[number - 1] as Position;
      await expect(eventLog.read(position, LIMIT)).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    }
    expect(numbersOf((await eventLog.read(entries[6] as Position, LIMIT)).entries)).toEqual([8, 9, 10]);
  });

  it("does not keep the log from going on, even if all are lost", async () => {
    await server.client.del(keys.entries);
    const lost = await eventLog.head();
    expect(await eventLog.append(samples(12))).toEqual({ appended: 2, duplicates: 10, head: 12 });
    await expect(eventLog.read(lost, LIMIT)).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    await eventLog.renewEpoch(lost.epoch);
    const head = await eventLog.head();
    await eventLog.append(samples(13));
    expect(numbersOf((await eventLog.read(head, LIMIT)).entries)).toEqual([13]);
    const { entries } = await eventLog.find({ filter: [], order: "oldest-first", limit: 50 });
    expect(numbersOf(entries)).toEqual([11, 12, 13]);
    await eventLog.trim();
  });
});
