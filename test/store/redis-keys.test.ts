import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RedisConnection } from "../../src/config.ts";
import type { Event } from "../../src/event/event.ts";
import { WHOLE_EVENTS } from "../../src/event/stored-event.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { createClient } from "../../src/event-log/redis/connection.ts";
import { convertLog } from "../../src/event-log/redis/conversion.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { createLink } from "../../src/event-log/redis/link.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { makeFormerLog } from "../harness/former-log.ts";
import { startRedisCluster } from "../harness/redis-cluster.ts";
import { startRedisReplica, startRedisServer } from "../harness/redis-server.ts";

const DAY = 86_400_000;
const LIMITS: LogLimits = {
  retentionEvents: 30,
  retentionMs: DAY,
  deduplicationMs: DAY,
  deduplicationEvents: 40,
};

function varied(count: number, prefix: string): Event[] {
  return sampleEvents(count, prefix, (i) => ({
    type: i % 2 === 0 ? "send" : "open",
    email: i % 5 === 0 ? null : `reader-${i}@example.com`,
    tags: i % 3 === 0 ? [] : [`tag-${i % 4}`, "x".repeat(300)],
    subaccount: i % 4 === 0 ? "acme" : null,
  }));
}

/** Does everything that a log can do, trimming and duplicates too. */
async function doAll(eventLog: EventLog): Promise<void> {
  for (let i = 0; i < 8; i++) await eventLog.append(varied(20, `round-${i}`));
  expect(await eventLog.append(varied(20, "round-7"))).toMatchObject({ appended: 0, duplicates: 20 });
  await eventLog.trim();
  const head = await eventLog.head();
  expect(head).toMatchObject({ number: 160, oldest: 131 });
  const { entries } = await eventLog.find({
    filter: [
      { field: "tag", anyOf: ["tag-1", "tag-2"] },
      { field: "type", anyOf: ["open"] },
    ],
    order: "oldest-first",
    limit: 50,
  });
  expect(entries.length).toBeGreaterThan(0);
  const chunk = await eventLog.read(entries[0] ?? head, { entries: 500, bytes: 1_000_000 });
  expect(chunk.entries.at(-1)?.number).toBe(160);
  const now = chunk.entries.at(-1)?.receivedAt ?? 0;
  for (const filter of [
    [],
    [{ field: "subaccount", anyOf: ["acme"] }],
    [{ field: "tag", anyOf: ["tag-1"] }],
  ] as const) {
    await eventLog.count({ from: now - 60_000, to: now + 1, buckets: 7, filter });
  }
  expect((await eventLog.findById("round-7-1"))?.number).toBe(141);
  expect(await eventLog.positionOf(head.cursor)).toMatchObject({ number: 160 });
  await eventLog.recordRequests([]);
  await eventLog.requests(1);
  expect(await eventLog.erase("READER-19@example.com")).toBeGreaterThan(0);
  await eventLog.revoke("token", now + 1_000);
  await eventLog.revokedTokens(null);
  await eventLog.renewEpoch(head.epoch);
  await eventLog.check();
}

function open(connection: RedisConnection, minReplicas = 0, tailBytes?: number): EventLog {
  const eventLog = openRedisEventLog({ connection, prefix: "keys", limits: LIMITS, minReplicas, tailBytes });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** What a script may call beside what touches keys. */
const KEYLESS = ["time", "publish", "pubsub"];

async function convert(connection: RedisConnection): Promise<void> {
  const link = createLink({ client: createClient(connection, "test", 30_000), connection, timeoutMs: 30_000 });
  onTestFinished(() => link.close());
  await convertLog({ link, keys: createKeys("keys"), form: WHOLE_EVENTS, onProgress() {} });
}

interface Heard {
  readonly command: string;
  readonly args: readonly string[];
  readonly byScript: boolean;
}

/** Hears of every command that Redis carries out, and of those of a script behind the script. */
async function startMonitor(port: number): Promise<AsyncIterable<Heard>> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  await once(socket, "connect");
  socket.write("MONITOR\r\n");
  await lines.next();
  return (async function* () {
    for await (const line of { [Symbol.asyncIterator]: () => lines }) {
      const [command = "", ...args] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, value = ""]) => value);
      yield { command: command.toLowerCase(), args, byScript: / lua\] /.test(line) };
    }
  })();
}

describe("the keys of a Redis log", () => {
  it("are all declared by the scripts that touch them", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const replica = await startRedisReplica(server);
    onTestFinished(() => replica.stop());
    const monitor = await startMonitor(server.port);
    await doAll(open({ kind: "standalone", url: server.url }, 1));
    await server.client.flushall();
    await doAll(open({ kind: "standalone", url: server.url }, 1, 2_000));
    await server.client.flushall();
    await makeFormerLog(server.client, "keys");
    await doAll(open({ kind: "standalone", url: server.url }, 1));
    await convert({ kind: "standalone", url: server.url });
    // The monitor hears of commands in order: what comes before this one has all been heard.
    await server.client.echo("the end");
    let declared = new Set<string>();
    const undeclared: string[] = [];
    let touched = 0;
    for await (const { command, args, byScript } of monitor) {
      if (command === "echo") break;
      if (command.startsWith("eval")) declared = new Set(args.slice(2, 2 + Number(args[1])));
      if (!byScript || KEYLESS.includes(command)) continue;
      touched += 1;
      if (!declared.has(args[0] ?? "")) undeclared.push(`${command} ${args[0]}`);
    }
    expect(undeclared).toEqual([]);
    expect(touched).toBeGreaterThan(500);
  });

  it("lie in one slot of a cluster, whose every node leads to them", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    for (const { port } of cluster.nodes) {
      await doAll(open({ kind: "cluster", nodes: [{ host: "127.0.0.1", port }] }));
      for (const { client } of cluster.nodes) await client.flushall();
    }
    const owner = cluster.nodes[await cluster.indexOf("{keys}:meta")] as (typeof cluster.nodes)[0];
    await makeFormerLog(owner.client, "keys");
    const connection = { kind: "cluster", nodes: [{ host: "127.0.0.1", port: owner.port }] } as const;
    await doAll(open(connection));
    await convert(connection);
    expect(await owner.client.hget("{keys}:meta", "layout")).toBe("2");
  });

  it("wake up listeners on every node of a cluster", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const [writer, reader] = cluster.nodes.map(({ port }) =>
      open({ kind: "cluster", nodes: [{ host: "127.0.0.1", port }] }),
    ) as [EventLog, EventLog];
    const subscribed = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<number>();
    reader.onWakeUp(({ number }) => (number === undefined ? subscribed.resolve() : woken.resolve(number)));
    await subscribed.promise;
    await writer.append(varied(3, "cluster"));
    expect(await woken.promise).toBe(3);
  });

  it("cannot be made of a prefix that would scatter them", () => {
    for (const prefix of ["", "}", "a}b", "{"]) expect(() => createKeys(prefix)).toThrow(RangeError);
  });
});
