import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WHOLE_EVENTS } from "../../src/event/stored-event.ts";
import type { LogLimits } from "../../src/event-log/event-log.ts";
import { openArrivingLog } from "../../src/event-log/redis/arriving-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openLeavingLog } from "../../src/event-log/sqlite/leaving-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { encodeTerms } from "../../src/event-log/sqlite/terms.ts";
import { sampleEvent } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";

const MINUTE = 60_000;
const LIMITS: LogLimits = {
  retentionEvents: 100,
  retentionMs: 1_440 * MINUTE,
  deduplicationMs: 1_440 * MINUTE,
  deduplicationEvents: 100,
};
/** Minutes since the Unix epoch: all that the log below holds is a few minutes old. */
const FIRST = Math.floor(Date.now() / MINUTE) - 10;

/**
 * A log in which numbers 1 to 8 were received in three minutes, two, two and four of them. 7 and 8 are held, 5 and 6
 * are known by their ids, and of 1 to 4 nothing is left but their counts.
 */
async function fillFile(file: string): Promise<void> {
  await (await openSqliteEventLog({ file, limits: LIMITS })).close();
  const database = new DatabaseSync(file);
  const entry = database.prepare("INSERT INTO entries (number, tag, received_at, id) VALUES (?, ?, ?, ?)");
  const event = database.prepare("INSERT INTO events (number, terms, stored) VALUES (?, ?, ?)");
  for (const number of [5, 6, 7, 8]) {
    const sample = sampleEvent({ id: `id-${number}`, type: "click", subaccount: number === 8 ? "acme" : null });
    entry.run(number, `tag-000${number}`, (FIRST + 2) * MINUTE + number, sample.id);
    if (number >= 7) event.run(number, encodeTerms(sample), WHOLE_EVENTS.encode(sample));
  }
  database.exec(`
    UPDATE meta SET oldest = 7, counts_from = ${FIRST * MINUTE};
    INSERT INTO counts (scope, subaccount, type, minute, count) VALUES
      (0, '', 'send', ${FIRST}, 2),
      (0, '', 'open', ${FIRST + 1}, 2), (1, 'acme', 'open', ${FIRST + 1}, 1),
      (0, '', 'click', ${FIRST + 2}, 4), (1, 'acme', 'click', ${FIRST + 2}, 1);
  `);
  database.close();
}

describe("a log that moves from SQLite to Redis", () => {
  let redis: RedisServer;
  let folder: string;
  beforeAll(async () => {
    redis = await startRedisServer();
    folder = await mkdtemp(join(tmpdir(), "mandrill-live-moving-log-"));
    await fillFile(join(folder, "events.sqlite"));
  });
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  it("tells by its counts in which minutes it received what it no longer has", () => {
    const leaving = openLeavingLog(join(folder, "events.sqlite"));
    const { minutes, counts } = leaving.remainder();
    expect(leaving).toMatchObject({ first: 5, state: { number: 8, oldest: 7, countsFrom: FIRST } });
    expect([...leaving.entriesFrom(6)].map(({ number, stored }) => [number, stored === undefined])).toEqual([
      [6, true],
      [7, false],
      [8, false],
    ]);
    expect(minutes).toEqual(new Map([FIRST, FIRST + 1, FIRST + 2].map((minute, i) => [minute, 2 * i + 1])));
    expect(counts).toHaveLength(5);
    leaving.close();
  });

  it("counts there what it counted here, and knows again what it knew", async () => {
    const connection = { kind: "standalone", url: redis.url } as const;
    const leaving = openLeavingLog(join(folder, "events.sqlite"));
    const arriving = openArrivingLog(connection, "moving");
    expect(await arriving.begin(leaving.state, leaving.first)).toEqual({ number: 4, tag: "", isComplete: false });
    await arriving.take(leaving.state, 4, [...leaving.entriesFrom(5)]);
    // The same once more does no harm, as when an answer was lost; anything else is another's move.
    await arriving.take(leaving.state, 4, [...leaving.entriesFrom(5)]);
    const part = [...leaving.entriesFrom(5)].slice(0, 2);
    await expect(arriving.take(leaving.state, 4, part)).rejects.toThrow("Somebody else");
    await arriving.complete(leaving.state, leaving.remainder());
    expect(await arriving.begin(leaving.state, leaving.first)).toEqual({
      number: 8,
      tag: "tag-0008",
      isComplete: true,
    });
    await arriving.close();
    leaving.close();

    const here = await openSqliteEventLog({ file: join(folder, "events.sqlite"), limits: LIMITS });
    const there = openRedisEventLog({ connection, prefix: "moving", limits: LIMITS });
    try {
      expect(await there.head()).toEqual(await here.head());
      const span = { from: FIRST * MINUTE, to: (FIRST + 3) * MINUTE, buckets: 3 };
      for (const filter of [
        [],
        [{ field: "subaccount", anyOf: ["acme"] }],
        [{ field: "type", anyOf: ["open"] }],
      ] as const) {
        const counted = await here.count({ ...span, filter });
        expect(counted.length).toBeGreaterThan(0);
        expect(await there.count({ ...span, filter })).toEqual(counted);
      }
      const again = [5, 7, 9].map((number) => sampleEvent({ id: `id-${number}` }));
      expect(await there.append(again)).toEqual({ appended: 1, duplicates: 2, head: 9 });
      expect(await there.findById("id-8")).toMatchObject({ number: 8, tag: "tag-0008" });
    } finally {
      await Promise.all([here.close(), there.close()]);
    }
  });
});
