import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { termOf } from "../../src/event-log/redis/term.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { originOf } from "./log-suite.ts";
import { WIDE_LIMITS } from "./wide-limits.ts";

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

  it("goes on when Redis takes nothing any more for want of memory", async () => {
    await append("full", ADA, GRACE, ADA);
    await server.client.config("SET", "maxmemory", "1");
    onTestFinished(async () => void (await server.client.config("SET", "maxmemory", "0")));
    await expect(append("more", ADA)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(await eventLog.erase(ADA)).toBe(2);
    const { entries } = await eventLog.read(originOf(await eventLog.head()), LIMIT);
    expect(entries.map(({ isErased }) => isErased)).toEqual([true, false, true]);
  });
});
