import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { SCRIPTS } from "../../src/event-log/redis/script.ts";
import { termOf } from "../../src/event-log/redis/term.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { numbersOf, originOf } from "../harness/log-suite.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const LIMIT = { entries: 1_000, bytes: 10_000_000 };

let server: RedisServer;
let eventLog: EventLog;
let keys: RedisKeys;
let made = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  made += 1;
  keys = createKeys(`erasing-${made}`);
  eventLog = openRedisEventLog({
    connection: { kind: "standalone", url: server.url },
    prefix: `erasing-${made}`,
    limits: WIDE_LIMITS,
  });
  const opened = eventLog;
  onTestFinished(() => opened.close());
});

/** Appends events of these addresses, a batch a call. */
async function append(prefix: string, ...emails: readonly (string | null)[]): Promise<void> {
  const fieldsOf = (i: number) => ({ email: emails[i] ?? null, tags: ["all"], subaccount: "acme" });
  await eventLog.append(sampleEvents(emails.length, prefix, fieldsOf));
}

describe("an erasure in Redis", () => {
  it("takes back what was counted in a minute that is over", async () => {
    await append("over", ADA, GRACE, ADA);
    const receivedAt = Number(await server.client.hget(keys.meta, "receivedAt"));
    const minute = String(Math.floor(receivedAt / 60_000));
    // As the first append of the next minute leaves it.
    await server.client.hset(keys.counts, minute, JSON.stringify({ "send:=acme": 3, open: 1 }));
    await server.client.del(keys.minute);
    await server.client.hset(keys.meta, "receivedAt", receivedAt + 60_000);
    await eventLog.erase(ADA);
    expect(JSON.parse((await server.client.hget(keys.counts, minute)) ?? "")).toEqual({ "send:=acme": 1, open: 1 });
    await eventLog.erase(GRACE);
    expect(JSON.parse((await server.client.hget(keys.counts, minute)) ?? "")).toEqual({ open: 1 });
  });

  it("takes an index entry away of which Redis has lost the event", async () => {
    await append("lost", ADA, GRACE);
    await server.client.xdel(keys.entries, "1-0");
    expect(await eventLog.erase(ADA)).toBe(0);
    expect(await server.client.get(keys.tail)).not.toContain(termOf("email", ADA));
    expect(await server.client.hgetall(keys.erased)).toEqual({});
  });

  it("erases what it can where Redis has no memory, and rejects, for the bytes are still there", async () => {
    await append("full", ADA, GRACE, ADA);
    await server.client.config("SET", "maxmemory", "1");
    onTestFinished(async () => void (await server.client.config("SET", "maxmemory", "0")));
    await expect(append("more", ADA)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    const noMemory = { code: "LOG_UNAVAILABLE", message: expect.stringContaining("Redis has no memory") };
    await expect(eventLog.erase(ADA)).rejects.toMatchObject(noMemory);
    const { entries } = await eventLog.read(originOf(await eventLog.head()), LIMIT);
    expect(entries.map(({ isErased }) => isErased)).toEqual([true, false, true]);
    expect(await copies()).toEqual([]);
    await server.client.config("SET", "maxmemory", "0");
    expect(await eventLog.erase(ADA)).toBe(0);
  });
});

/** Streams that were begun and are not the log's. */
async function copies(): Promise<string[]> {
  const names = await Promise.all([keys.copy("*"), keys.replaced].map((name) => server.client.keys(name)));
  return names.flat();
}

describe("the stream that is written anew", () => {
  const large = (prefix: string, count: number) =>
    sampleEvents(count, prefix, (i) => ({ email: i % 10 === 0 ? ADA : GRACE, bytes: 9_000 }));
  /** A step of the copy `name`; what it has come to. */
  const step = async (name: string, last: string, bytes: number, erasures?: string) => {
    const [epoch, erasuresNow] = (await server.client.hmget(keys.meta, "epoch", "erasures")) as [string, string];
    const names = [keys.meta, keys.entries, keys.copy(name), keys.replaced];
    const args = [epoch, erasures ?? erasuresNow, last, bytes, 60_000];
    return (await SCRIPTS.scrub.run(server.client, names, args)) as [last: string, isReplaced: number] | null;
  };

  it("has all that is appended and nothing of what is trimmed meanwhile, and never expires", async () => {
    for (let i = 0; i < 5; i++) await eventLog.append(large(`before-${i}`, 100));
    const origin = originOf(await eventLog.head());
    const narrow = openRedisEventLog({
      connection: { kind: "standalone", url: server.url },
      prefix: `erasing-${made}`,
      limits: { ...WIDE_LIMITS, retentionEvents: 450 },
    });
    onTestFinished(() => narrow.close());
    const before = (await eventLog.read(origin, LIMIT)).entries;
    const erasing = eventLog.erase(ADA);
    await Promise.all([narrow.trim(), ...Array.from({ length: 20 }, (_, i) => eventLog.append(large(`new-${i}`, 1)))]);
    await erasing;
    expect([await copies(), await server.client.ttl(keys.entries)]).toEqual([[], -1]);
    const { entries } = await eventLog.read(before[49] as (typeof before)[number], LIMIT);
    expect(numbersOf(entries)).toEqual(Array.from({ length: 470 }, (_, i) => i + 51));
    expect(entries.slice(0, 450).map(({ cursor }) => cursor)).toEqual(before.slice(50).map(({ cursor }) => cursor));
    for (const { number, event } of entries.slice(0, 450)) {
      expect(event === null ? null : event).toEqual(number % 10 === 1 ? null : before[number - 1]?.event);
    }
  });

  it("is given up where something else is erased meanwhile, and expires where nobody goes on", async () => {
    await append("few", GRACE, ADA, GRACE, GRACE);
    const erasures = (await server.client.hget(keys.meta, "erasures")) as string;
    for (const last of [0, 1]) expect(await step("one", String(last), 1)).toEqual([String(last + 1), 0]);
    expect(await server.client.pttl(keys.copy("one"))).toBeGreaterThan(50_000);
    await eventLog.erase(ADA);
    expect(await step("one", "2", 1_000_000, erasures)).toBeNull();
    // If that did not tell, their number would.
    expect(await step("one", "2", 1_000_000)).toBeNull();
    expect(await step("other", "0", 1_000_000)).toEqual(["4", 1]);
    // Of a copy that is gone nothing is left to go on with.
    expect(await step("gone", "2", 1_000_000)).toBeNull();
    expect(numbersOf((await eventLog.read(originOf(await eventLog.head()), LIMIT)).entries)).toEqual([1, 2, 3, 4]);
  });

  it("is none where all is erased", async () => {
    await append("all", ADA, ADA);
    expect(await eventLog.erase(ADA)).toBe(2);
    expect([await copies(), await server.client.xlen(keys.entries)]).toEqual([[], 0]);
    await append("later", GRACE);
    expect((await eventLog.head()).number).toBe(3);
  });
});
