import { describe, expect, it, onTestFinished } from "vitest";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { startRedisCluster } from "../harness/redis-cluster.ts";
import type { RedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const PREFIX = "cluster";
const KEYS = createKeys(PREFIX);

/** Resolves when the node has told somebody to try again later. */
async function untilTryAgain({ client }: RedisServer): Promise<void> {
  while (!(await client.info("errorstats")).includes("errorstat_TRYAGAIN"));
}

describe("a cluster that moves the log's slot", () => {
  it.each([
    ["state", KEYS.meta],
    ["stream", KEYS.entries],
  ])("shows whoever reads no gap that there is not, its %s having gone ahead", async (_, key) => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const index = await cluster.indexOf(KEYS.meta);
    const [from, to] = [cluster.nodes[index], cluster.nodes[(index + 1) % 3]] as [RedisServer, RedisServer];
    const connection = { kind: "cluster", nodes: [{ host: "127.0.0.1", port: to.port }] } as const;
    const eventLog = openRedisEventLog({ connection, prefix: PREFIX, limits: WIDE_LIMITS });
    onTestFinished(() => eventLog.close());
    await eventLog.append(sampleEvents(5, "before"));
    const place = await eventLog.head();
    await eventLog.append(sampleEvents(5, "after"));
    const read = async () => (await eventLog.read(place, { entries: 9, bytes: 100_000 })).entries.length;

    const move = await cluster.startMove(key, from, to);
    await move.move(key);
    // It has seen one key without the other, and now asks what is wrong until it is told.
    const outcome = read().catch((error: unknown) => error);
    await untilTryAgain(from);
    await move.finish();
    expect([5, expect.objectContaining({ code: "LOG_UNAVAILABLE" })]).toContainEqual(await outcome);
    expect(await read()).toBe(5);
    expect(await eventLog.append(sampleEvents(5, "after"))).toMatchObject({ appended: 0, duplicates: 5, head: 10 });
  });
});
