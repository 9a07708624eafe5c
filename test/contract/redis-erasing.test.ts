import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { filterFromArguments } from "../../src/event/event-filter.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { numbersOf, originOf } from "./log-suite.ts";
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

/** First and last number of each append, and what is noted of it. */
async function terms(): Promise<readonly (readonly [first: number, last: number, keys: readonly string[]])[]> {
  const rows = await server.client.lrange(keys.terms, 0, -1);
  return rows.map((row) => {
    const [first, last, , names] = JSON.parse(row) as [number, number, number, string[]];
    return [first, last, names.toSorted()];
  });
}

const shared = () => [
  keys.index("type", "send"),
  keys.index("tag", "all"),
  keys.index("subaccount", "acme"),
  keys.indexOfBoth("send", "acme"),
];

describe("an erasure in Redis", () => {
  it("takes out of the terms what nothing is indexed under any more, and nothing else", async () => {
    await append("both", ADA, GRACE);
    await append("hers", ADA, ADA);
    await append("none", GRACE);
    const [, , before] = await terms();
    await eventLog.erase(ADA);
    const grace = [...shared(), keys.index("email", GRACE), keys.index("messageId", "message-both-2")].toSorted();
    expect(await terms()).toEqual([[1, 2, grace], [3, 4, []], before]);
    expect(await server.client.keys(`*${ADA}*`)).toEqual([]);
  });

  it("needs no terms: an earlier version has noted none", async () => {
    await append("old", ADA, GRACE, ADA);
    await server.client.del(keys.terms);
    await append("new", GRACE, ADA);
    expect(await eventLog.erase(ADA)).toBe(3);
    expect((await terms()).map(([first, last]) => [first, last])).toEqual([[4, 5]]);
    const page = await eventLog.find({ filter: filterFromArguments({ tag: "all" }), order: "oldest-first", limit: 9 });
    expect(numbersOf(page.entries)).toEqual([2, 4]);
  });

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
    expect(await server.client.exists(keys.index("email", ADA))).toBe(0);
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
