import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { createClient } from "../../src/event-log/redis/connection.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { createLink } from "../../src/event-log/redis/link.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { createReplicas } from "../../src/event-log/redis/replicas.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisReplica, startRedisServer, untilReplicated } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const PREFIX = "replicas";
const KEYS = createKeys(PREFIX);
/** What the service has. */
const DEFAULT_TIMEOUT = 4_500;
const UNAVAILABLE = { code: "LOG_UNAVAILABLE" };

let master: RedisServer;
let replica: RedisServer;
beforeEach(async () => {
  master = await startRedisServer();
  replica = await startRedisReplica(master);
});
afterEach(() => Promise.all([master.stop(), replica.stop()]));

function open({ minReplicas = 1, commandTimeoutMs = 1_500, url = master.url } = {}): EventLog {
  const connection = { kind: "standalone", url } as const;
  const eventLog = openRedisEventLog({
    connection,
    prefix: PREFIX,
    limits: WIDE_LIMITS,
    minReplicas,
    commandTimeoutMs,
  });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** Resolves when the master has so many entries, whoever else has them. */
async function untilAppended(count: number): Promise<void> {
  while ((await master.client.xlen(KEYS.entries)) < count);
}

async function waits(): Promise<number> {
  return Number(/cmdstat_wait:calls=(\d+)/.exec(await master.client.info("commandstats"))?.[1] ?? 0);
}

describe("an append that waits for a replica", () => {
  it("resolves when the replica has the batch", async () => {
    const eventLog = open();
    for (let i = 0; i < 20; i++) {
      await eventLog.append(sampleEvents(5, `${i}`));
      expect(await replica.client.xlen(KEYS.entries)).toBe(5 * (i + 1));
    }
  });

  it("rejects within 5 s while the replica stands still, and its retry, of duplicates alone, until it goes on", async () => {
    const eventLog = open({ commandTimeoutMs: DEFAULT_TIMEOUT });
    const twin = open({ commandTimeoutMs: DEFAULT_TIMEOUT });
    await eventLog.append(sampleEvents(1, "before"));
    replica.pause();
    for (const attempt of [() => eventLog.append(sampleEvents(3)), () => twin.append(sampleEvents(3))]) {
      const began = performance.now();
      await expect(attempt()).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: "REDIS_MIN_REPLICAS is 1, and 0 replicas have the events in time.",
      });
      expect(performance.now() - began).toBeLessThan(5_000);
    }
    expect((await eventLog.head()).number).toBe(4);
    replica.resume();
    expect(await twin.append(sampleEvents(3))).toEqual({ appended: 0, duplicates: 3, head: 4 });
    expect(await replica.client.xlen(KEYS.entries)).toBe(4);
  });

  it("waits on a connection that has written nothing yet as well", async () => {
    const eventLog = open();
    await eventLog.append(sampleEvents(3));
    await untilReplicated(master);
    replica.pause();
    await master.client.set("later", "");
    await master.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    const fresh = open();
    await expect(fresh.append(sampleEvents(3))).rejects.toMatchObject(UNAVAILABLE);
  });

  it("shares its wait with whoever comes meanwhile, and holds up nobody's append or read", async () => {
    const eventLog = open({ commandTimeoutMs: 10_000 });
    await eventLog.append(sampleEvents(1, "before"));
    replica.pause();
    const before = await waits();
    const appends = Array.from({ length: 30 }, (_, i) => eventLog.append(sampleEvents(2, `${i}`)));
    await untilAppended(61);
    expect((await eventLog.head()).number).toBe(61);
    replica.resume();
    const results = await Promise.all(appends);
    expect(results.reduce((sum, { appended }) => sum + appended, 0)).toBe(60);
    expect((await waits()) - before).toBeLessThanOrEqual(2);
  });

  it("rejects where there are fewer replicas than it is to wait for", async () => {
    const eventLog = open({ minReplicas: 2 });
    await expect(eventLog.append(sampleEvents(1))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: "REDIS_MIN_REPLICAS is 2, and 1 replicas have the events in time.",
    });
  });

  it.each([
    ["master", "replica"],
    ["replica", "master"],
  ])("goes on when the connection between the two is killed, on the %s: TYPE %s", async (on, type) => {
    const eventLog = open({ commandTimeoutMs: DEFAULT_TIMEOUT });
    const { client } = on === "master" ? master : replica;
    for (let i = 0; i < 5; i++) {
      expect(await client.call("CLIENT", "KILL", "TYPE", type)).toBe(1);
      expect(await eventLog.append(sampleEvents(5, `${i}`))).toMatchObject({ appended: 5 });
      expect(await replica.client.xlen(KEYS.entries)).toBe(5 * (i + 1));
    }
  });

  it("is told apart by a check: the log does not take events while the replica stands still", async () => {
    const eventLog = open();
    await eventLog.check();
    replica.pause();
    await expect(eventLog.check()).rejects.toMatchObject(UNAVAILABLE);
    replica.resume();
    await untilReplicated(master);
    await eventLog.check();
  });
});

describe("waiting for an entry that the master does not have any more", () => {
  it("rejects, though the replicas have all that the master has", async () => {
    await open().append(sampleEvents(3));
    const connection = { kind: "standalone", url: master.url } as const;
    const client = createClient(connection, "test", 1_500);
    const link = createLink({ client, connection, timeoutMs: 1_500 });
    const replicas = createReplicas({ link, keys: KEYS, needed: 1, waitMs: 500 });
    onTestFinished(() => replicas.close());
    const tag = (await master.client.hget(KEYS.meta, "tag")) as string;
    const [held, overtaken, beyond] = await Promise.allSettled([
      replicas.have({ number: 3, tag }),
      replicas.have({ number: 3, tag: "AAAAAAAB" }),
      replicas.have({ number: 4, tag }),
    ]);
    expect(held.status).toBe("fulfilled");
    for (const outcome of [overtaken, beyond]) {
      expect(outcome).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
    }
  });
});
