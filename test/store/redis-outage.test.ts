import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ServiceError } from "../../src/error.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const ORIGIN = { number: 0, tag: "AAAAAAAA" };

let server: RedisServer;
beforeEach(async () => {
  server = await startRedisServer();
});
afterEach(() => server.stop());

function open(commandTimeoutMs?: number): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const eventLog = openRedisEventLog({ connection, prefix: "outage", limits: WIDE_LIMITS, commandTimeoutMs });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** Every way in which the log is asked, or told, something. */
function everyMethod(eventLog: EventLog): Record<string, () => Promise<unknown>> {
  const position = { epoch: "00000000", ...ORIGIN };
  const filter = [{ field: "tag", anyOf: ["a"] }] as const;
  const request = { id: "1", receivedAt: 1, status: 200, code: null, reason: null, bytes: 1, durationMs: 1 };
  return {
    append: () => eventLog.append([sampleEvent()]),
    read: () => eventLog.read(position, { entries: 1, bytes: 1 }),
    head: () => eventLog.head(),
    find: () => eventLog.find({ filter, order: "newest-first", limit: 1 }),
    findById: () => eventLog.findById("a"),
    count: () => eventLog.count({ from: 0, to: 1, buckets: 1, filter }),
    recordRequests: () => eventLog.recordRequests([{ ...request, received: 1, appended: 1, duplicates: 0 }]),
    requests: () => eventLog.requests(1),
    renewEpoch: () => eventLog.renewEpoch("00000000"),
    trim: () => eventLog.trim(),
    check: () => eventLog.check(),
  };
}

/** Resolves with what `attempt` resolves to, once it no longer rejects with LOG_UNAVAILABLE. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "LOG_UNAVAILABLE") throw error;
      // Redis answers only when it is there again: the next attempt is made no earlier.
      await server.client.ping();
    }
  }
}

describe("a Redis log whose Redis is down", () => {
  it("is opened all the same, and serves as soon as Redis is there", async () => {
    await server.kill();
    const eventLog = open();
    await expect(eventLog.append([sampleEvent()])).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await server.restart();
    const { appended } = await eventually(() => eventLog.append([sampleEvent()]));
    expect(appended).toBe(1);
  });

  it("rejects every method at once with LOG_UNAVAILABLE", async () => {
    const eventLog = open();
    await eventLog.check();
    await server.kill();
    for (const [name, call] of Object.entries(everyMethod(eventLog))) {
      const began = performance.now();
      await expect(call(), name).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      expect(performance.now() - began, name).toBeLessThan(1_000);
    }
  });

  it("tells of the cause neither host nor port", async () => {
    await server.kill();
    const eventLog = open();
    const error = await eventLog.check().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServiceError);
    expect((error as ServiceError).message).not.toContain(`${server.port}`);
  });

  it("is closed without waiting for it", async () => {
    await server.kill();
    const eventLog = open();
    await eventLog.check().catch(() => {});
    await eventLog.close();
    await expect(eventLog.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  });
});

describe("a Redis log whose Redis hangs", () => {
  it("rejects every method within its time, and goes on when Redis does", async () => {
    const eventLog = open(400);
    await eventLog.append(sampleEvents(3));
    server.pause();
    const calls = Object.entries(everyMethod(eventLog));
    const began = performance.now();
    const results = await Promise.allSettled(calls.map(([, call]) => call()));
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const [i, result] of results.entries()) {
      expect(result, calls[i]?.[0]).toMatchObject({ status: "rejected", reason: { code: "LOG_UNAVAILABLE" } });
    }
    server.resume();
    const head = await eventually(() => eventLog.head());
    expect(head.number).toBeGreaterThanOrEqual(3);
    const { appended, duplicates } = await eventually(() => eventLog.append(sampleEvents(3)));
    expect({ appended, duplicates }).toEqual({ appended: 0, duplicates: 3 });
  });

  it("rejects while it hangs from the first connection on", async () => {
    server.pause();
    const eventLog = open(300);
    await expect(eventLog.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    server.resume();
    await expect(eventually(() => eventLog.head())).resolves.toMatchObject({ number: 0 });
  });

  it("is closed within its time", async () => {
    const eventLog = open(300);
    await eventLog.check();
    server.pause();
    const began = performance.now();
    eventLog.head().catch(() => {});
    await eventLog.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    server.resume();
  });
});

describe("a Redis log whose Redis refuses", () => {
  it.each(["3", "moving"])("answers no check while it has the layout %s", async (layout) => {
    const eventLog = open();
    await eventLog.append([sampleEvent()]);
    await eventLog.check();
    await server.client.hset("{outage}:meta", { layout });
    await expect(eventLog.append([sampleEvent()])).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(eventLog.check()).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: `The log in Redis has layout ${layout}, and this version knows 1 and 2.`,
    });
    await server.client.hset("{outage}:meta", { layout: "2" });
    await eventLog.check();
  });

  it("appends nothing of a batch while the memory is full, and still trims and reads", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(3));
    const before = await server.client.dbsize();
    await server.client.config("SET", "maxmemory", "1mb");
    await expect(eventLog.append(sampleEvents(3, "later"))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(eventLog.check()).rejects.toThrow(/OOM/);
    expect(await eventLog.trim()).toBe(0);
    const head = await eventLog.head();
    const { entries } = await eventLog.read({ epoch: head.epoch, ...ORIGIN }, { entries: 9, bytes: 9_999 });
    expect(entries.map(({ event }) => event?.id)).toEqual(["event-1", "event-2", "event-3"]);
    expect(await server.client.dbsize()).toBe(before);
    await server.client.config("SET", "maxmemory", "0");
    expect(await eventLog.append(sampleEvents(3, "later"))).toEqual({ appended: 3, duplicates: 0, head: 6 });
  });

  it("makes room by age while the memory is full", async () => {
    const connection = { kind: "standalone", url: server.url } as const;
    const eventLog = openRedisEventLog({ connection, prefix: "full", limits: { ...WIDE_LIMITS, retentionMs: 0 } });
    onTestFinished(() => eventLog.close());
    await eventLog.append(sampleEvents(20));
    await server.client.hset("{full}:meta", "receivedAt", Date.now() + 1_000);
    await server.client.config("SET", "maxmemory", "1mb");
    expect(await eventLog.trim()).toBe(19);
  });

  it("follows a master that was made a replica to where it is a master again", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(1));
    await server.client.replicaof("127.0.0.1", 1);
    await expect(eventLog.append(sampleEvents(1, "later"))).rejects.toThrow(/READONLY/);
    await server.client.replicaof("NO", "ONE");
    expect(await eventually(() => eventLog.append(sampleEvents(1, "later")))).toMatchObject({ appended: 1 });
  });
});

describe("a Redis log whose Redis forgets", () => {
  it("appends and reads on after a restart, scripts and all", async () => {
    await server.stop();
    server = await startRedisServer({ config: { appendonly: "yes", appendfsync: "always" } });
    const eventLog = open();
    await eventLog.append(sampleEvents(3));
    const head = await eventLog.head();
    await server.restart();
    expect(await eventually(() => eventLog.append(sampleEvents(5)))).toEqual({ appended: 2, duplicates: 3, head: 5 });
    const { entries } = await eventually(() => eventLog.read(head, { entries: 9, bytes: 9_999 }));
    expect(entries.map(({ number }) => number)).toEqual([4, 5]);
  });

  it("knows that a script was flushed while the connection stands", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(1));
    await server.client.script("FLUSH");
    expect(await eventLog.append(sampleEvents(2))).toEqual({ appended: 1, duplicates: 1, head: 2 });
  });

  it("makes a new log where Redis was emptied, and takes no cursor of the old one", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(3));
    const old = await eventLog.head();
    await server.client.flushall();
    expect(await eventLog.append(sampleEvents(5))).toEqual({ appended: 5, duplicates: 0, head: 5 });
    await expect(eventLog.read(old, { entries: 1, bytes: 1 })).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    const head = await eventLog.head();
    expect(head.epoch).not.toBe(old.epoch);
    const position = await eventLog.positionOf(old.cursor);
    await expect(eventLog.read(position ?? head, { entries: 1, bytes: 1 })).rejects.toMatchObject({
      code: "CURSOR_UNKNOWN",
    });
  });

  it("reads a cursor that another instance wrote under the key of a new log", async () => {
    const [eventLog, other] = [open(), open()];
    await eventLog.append(sampleEvents(1));
    await server.client.flushall();
    await other.append(sampleEvents(2));
    const { cursor, epoch, tag } = await other.head();
    expect(await eventLog.positionOf(cursor)).toEqual({ epoch, number: 2, tag });
  });

  it("finds out that the tail was lost and has since been overtaken", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(5, "kept"));
    await server.client.save();
    await eventLog.append(sampleEvents(3, "lost"));
    const seen = await eventLog.head();
    await server.restart();
    await eventually(() => eventLog.append(sampleEvents(9, "later")));
    const head = await eventually(() => eventLog.head());
    expect(head).toMatchObject({ epoch: seen.epoch, number: 14 });
    await expect(eventLog.read(seen, { entries: 1, bytes: 1 })).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
  });

  it("numbers on under a new epoch where only its state was lost", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(3));
    const old = await eventLog.head();
    await server.client.del("{outage}:meta");
    expect(await eventLog.append(sampleEvents(4))).toEqual({ appended: 1, duplicates: 3, head: 4 });
    await expect(eventLog.read(old, { entries: 1, bytes: 1 })).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    const { entries } = await eventLog.find({ filter: [], order: "oldest-first", limit: 9 });
    expect(entries.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it("refuses a log whose layout it does not know", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(1));
    await server.client.hset("{outage}:meta", "layout", "3");
    await expect(eventLog.append(sampleEvents(2))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(eventLog.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  });
});
