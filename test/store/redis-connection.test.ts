import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { RedisConnection } from "../../src/config.ts";
import { ServiceError } from "../../src/error.ts";
import type { AppendResult, EventLog } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { createProxy } from "../harness/proxy.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { type RedisServer, startRedisSentinel, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

/** Before the version, in what INFO says. */
const VERSION = "redis_version:";

let started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.map((server) => server.stop()));
  started = [];
});

async function start(config: Record<string, string> = {}): Promise<RedisServer> {
  const server = await startRedisServer({ config });
  started.push(server);
  return server;
}

function open(connection: RedisConnection): EventLog {
  const eventLog = openRedisEventLog({ connection, prefix: "connection", limits: WIDE_LIMITS });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

describe("the way to Redis", () => {
  it("is a URL with a password and a database", async () => {
    const server = await start({ requirepass: "p@ss/word:1" });
    const eventLog = open({ kind: "standalone", url: `${server.url}/3` });
    await eventLog.append(sampleEvents(1));
    expect(await server.client.exists("{connection}:meta")).toBe(0);
    await server.client.select(3);
    expect(await server.client.exists("{connection}:meta")).toBe(1);
  });

  it("is refused with the wrong password, and the password is not told", async () => {
    const server = await start({ requirepass: "right" });
    const eventLog = open({ kind: "standalone", url: `redis://:wrong-one@127.0.0.1:${server.port}` });
    const error = await eventLog.check().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "LOG_UNAVAILABLE", message: "Redis refuses: WRONGPASS." });
    expect(JSON.stringify(error) + (error as Error).stack + (error as Error).cause).not.toContain("wrong-one");
  });

  it("may lead to a Redis that is too old, which is told", async () => {
    const server = await start();
    // Of a version of one digit it becomes a 6.
    await using proxy = await createProxy(server.port, {
      pass(chunk) {
        const at = chunk.indexOf(VERSION);
        if (at !== -1) chunk.write("6", at + VERSION.length);
        return true;
      },
    });
    const { logger, lines, said } = recordingLogger();
    const url = `redis://127.0.0.1:${proxy.port}`;
    const eventLog = openRedisEventLog({
      connection: { kind: "standalone", url },
      prefix: "old",
      limits: WIDE_LIMITS,
      logger,
    });
    onTestFinished(() => eventLog.close());
    await said("too old");
    expect(lines).toMatchObject([{ level: 40, msg: "this Redis is too old: use 7 or later" }]);
    expect(lines[0]?.version).toMatch(/^6\./);
    // It goes on all the same: who knows better may.
    expect(await eventLog.append(sampleEvents(1))).toMatchObject({ appended: 1 });
  });

  it("is asked of a sentinel, and followed to the replica that takes over", async () => {
    const master = await start();
    const replica = await start();
    await replica.client.replicaof("127.0.0.1", master.port);
    const sentinel = await startRedisSentinel("events", master);
    started.push(sentinel);
    const eventLog = open({
      kind: "sentinel",
      sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
      master: "events",
    });
    expect(await eventLog.append(sampleEvents(2))).toMatchObject({ appended: 2 });
    await sentinel.untilReplicaKnown();
    // WAIT is for the writes of its own connection, and for what came before them.
    await master.client.set("last", "");
    expect(await master.client.wait(1, 0)).toBe(1);
    await master.kill();
    // The sentinel cuts clients off when it promotes: an append that was rejected may have been carried out.
    const { duplicates, head } = await untilTaken(eventLog, replica);
    expect(duplicates).toBeGreaterThanOrEqual(2);
    expect(head).toBe(3);
  });

  it("is asked of the next sentinel where one takes the question and never answers", async () => {
    const master = await start();
    const sentinel = await startRedisSentinel("events", master);
    started.push(sentinel);
    await using silent = await createProxy(sentinel.port);
    silent.stall();
    const eventLog = open({
      kind: "sentinel",
      sentinels: [silent, sentinel].map(({ port }) => ({ host: "127.0.0.1", port })),
      master: "events",
    });
    expect(await eventLog.append(sampleEvents(2))).toMatchObject({ appended: 2 });
  });
});

/** Appends three events until they are taken; the replica has its turn between two attempts. */
async function untilTaken(eventLog: EventLog, replica: RedisServer): Promise<AppendResult> {
  for (;;) {
    try {
      return await eventLog.append(sampleEvents(3));
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "LOG_UNAVAILABLE") throw error;
      await replica.client.role();
    }
  }
}
