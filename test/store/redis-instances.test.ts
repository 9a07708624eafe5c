import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ServiceError } from "../../src/error.ts";
import type { Position } from "../../src/event/cursor.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { entriesOf, originOf } from "../harness/log-suite.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const INSTANCES = 3;
const BATCHES = 60;
const BATCH = 50;
const LIMITS: LogLimits = { ...WIDE_LIMITS, retentionEvents: 1_000, deduplicationEvents: 2_000 };
const PREFIX = "instances";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

function open(): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const eventLog = openRedisEventLog({ connection, prefix: PREFIX, limits: LIMITS });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** Reads on until the log holds `last`; begins again at the head where it was overtaken. Answers what it saw. */
async function follow(eventLog: EventLog, last: number): Promise<{ numbers: number[]; overtaken: number }> {
  const numbers: number[] = [];
  let overtaken = 0;
  let position: Position = originOf(await eventLog.head());
  while (position.number < last) {
    try {
      const { entries } = await eventLog.read(position, { entries: 200, bytes: 100_000 });
      expect(entries.map(({ number }) => number)).toEqual(entries.map((_, i) => position.number + i + 1));
      numbers.push(...entries.map(({ number }) => number));
      position = entries.at(-1) ?? position;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "CURSOR_EXPIRED") throw error;
      overtaken += 1;
      position = await eventLog.head();
    }
  }
  return { numbers, overtaken };
}

describe("instances on one Redis", () => {
  it("number what all of them append densely, and trim it together without a trace", async () => {
    const instances = Array.from({ length: INSTANCES }, open);
    const total = INSTANCES * BATCHES * BATCH;
    const following = follow(open(), total);
    await Promise.all(
      instances.map(async (eventLog, k) => {
        for (let i = 0; i < BATCHES; i++) {
          const batch = sampleEvents(BATCH, `${k}-${i}`, (n) => ({
            tags: [`tag-${n}`, `of-${k}`],
            email: `${k}-${i}@example.com`,
          }));
          const { appended } = await eventLog.append(batch);
          expect(appended).toBe(BATCH);
        }
      }),
    );
    const { numbers } = await following;
    expect(numbers.length).toBeGreaterThan(0);
    expect(new Set(numbers).size).toBe(numbers.length);

    const [first, ...others] = instances as [EventLog, ...EventLog[]];
    await first.trim();
    const entries = await entriesOf(first);
    expect(entries.map(({ number }) => number)).toEqual(
      Array.from({ length: LIMITS.retentionEvents }, (_, i) => total - LIMITS.retentionEvents + i + 1),
    );
    for (const other of others) expect(await other.head()).toEqual(await first.head());
    // A batch is never torn by another's.
    const batches = entries.map(({ event }) => event?.id.slice(0, event.id.lastIndexOf("-")));
    const changes = batches.filter((batch, i) => batch !== batches[i - 1]).length;
    expect(changes).toBe(new Set(batches).size);

    const keys = createKeys(PREFIX);
    const kept = await server.client.xrange(keys.entries, "-", "+");
    expect(kept.length).toBeLessThanOrEqual(1.05 * LIMITS.retentionEvents);
    const { tail, meta, entries: stream, ids, minutes, minute, counts } = keys;
    const known = [meta, stream, tail, ids, minutes, minute, counts];
    expect((await server.client.keys("*")).filter((key) => !known.includes(key))).toEqual([]);
  });

  it("hold no more than the limit and some, however fast they append", async () => {
    const eventLog = open();
    const keys = createKeys(PREFIX);
    let most = 0;
    for (let i = 0; i < 30; i++) {
      await Promise.all(Array.from({ length: 4 }, (_, k) => eventLog.append(sampleEvents(250, `fast-${i}-${k}`))));
      most = Math.max(most, await server.client.xlen(keys.entries));
    }
    expect(most).toBeLessThanOrEqual(LIMITS.retentionEvents + 1_500);
  });
});
