import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/event/event.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { createKeys, indexKeysOf, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "./wide-limits.ts";

/** Trimming keeps one entry more than that, for it has a slack. */
const NARROW_LIMITS: LogLimits = { ...WIDE_LIMITS, retentionEvents: 5, deduplicationEvents: 5 };

let server: RedisServer;
let keys: RedisKeys;
let eventLog: EventLog;
let made = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  made += 1;
  keys = createKeys(`terms-${made}`);
  eventLog = open(WIDE_LIMITS);
  await server.client.flushall();
});

function open(limits: LogLimits): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const opened = openRedisEventLog({ connection, prefix: `terms-${made}`, limits });
  onTestFinished(() => opened.close());
  return opened;
}

function varied(count: number, prefix: string): Event[] {
  return sampleEvents(count, prefix, (i) => ({ email: `${prefix}-${i}@example.com`, tags: [prefix, `${i % 7}`] }));
}

async function appendEach(...batches: readonly (readonly Event[])[]): Promise<void> {
  for (const batch of batches) await eventLog.append(batch);
}

/** First and last number of each append noted. */
async function spans(): Promise<unknown> {
  const terms = await server.client.lrange(keys.terms, 0, -1);
  return terms.map((text) => (JSON.parse(text) as number[]).slice(0, 2));
}

/** Nothing is left in Redis but what is indexed of `kept`. */
async function expectOnly(kept: readonly Event[]): Promise<void> {
  const expected = new Set([keys.meta, keys.entries, keys.terms, keys.ids, keys.minutes, keys.minute]);
  for (const event of kept) for (const key of indexKeysOf(keys, event)) expected.add(key);
  // Whether a minute went by meanwhile is no matter.
  const found = (await server.client.keys("*")).filter((key) => key !== keys.counts);
  expect(found.sort()).toEqual([...expected].sort());
  const oldest = Number(await server.client.hget(keys.meta, "oldest"));
  for (const key of found.filter((name) => name.includes(":i:"))) {
    const [lowest] = await server.client.zrange(key, 0, 0);
    expect(Number(lowest)).toBeGreaterThanOrEqual(oldest);
  }
}

describe("the terms of a Redis log", () => {
  it("go with the last entry of their append", async () => {
    const newest = varied(6, "newest");
    await appendEach(varied(40, "a"), varied(700, "b"), varied(1, "c"), newest);
    expect(await spans()).toEqual([
      [1, 40],
      [41, 740],
      [741, 741],
      [742, 747],
    ]);
    await open({ ...NARROW_LIMITS, retentionEvents: 500 }).trim();
    expect((await spans()) as unknown[]).toHaveLength(3);
    await open(NARROW_LIMITS).trim();
    expect(await spans()).toEqual([[742, 747]]);
    await expectOnly(newest);
  });

  it("may be missing, as of entries that an earlier version has appended: the entries tell them then", async () => {
    const newest = varied(6, "newest");
    await appendEach(varied(150, "a"));
    await server.client.del(keys.terms);
    await appendEach(varied(40, "b"), varied(120, "c"));
    await server.client.ltrim(keys.terms, 0, -2);
    await appendEach(varied(40, "d"), newest);
    expect(await spans()).toEqual([
      [151, 190],
      [311, 350],
      [351, 356],
    ]);
    await open(NARROW_LIMITS).trim();
    expect(await spans()).toEqual([[351, 356]]);
    await expectOnly(newest);
  });

  it("are forgotten with the log that they are of", async () => {
    await appendEach(varied(10, "a"), varied(10, "b"));
    const others = (await server.client.keys("*")).filter((key) => key !== keys.terms);
    await server.client.del(...others);
    await appendEach(varied(6, "c"));
    expect(await spans()).toEqual([[1, 6]]);
  });
});
