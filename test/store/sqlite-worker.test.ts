import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WHOLE_EVENTS } from "../../src/event/stored-event.ts";
import type { SqliteStoreOptions } from "../../src/event-log/sqlite/sqlite-store.ts";
import type { AppendBatch } from "../../src/event-log/sqlite/store-calls.ts";
import { createStoreClient, type StoreClient } from "../../src/event-log/sqlite/store-client.ts";
import { encodeTerms } from "../../src/event-log/sqlite/terms.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let folder: string;
let client: StoreClient;
let workers: Worker[];
let lost: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-worker-"));
  [workers, lost] = [[], []];
});

afterEach(async () => {
  await client.close();
  await rm(folder, { recursive: true, force: true });
});

function start(startWorker: () => Worker, timeoutMs = 10_000): StoreClient {
  return createStoreClient({
    startWorker() {
      const worker = startWorker();
      workers.push(worker);
      return worker;
    },
    timeoutMs,
    onWorkerLost: (reason) => lost.push(reason),
  });
}

function startStore(): Worker {
  const workerData: SqliteStoreOptions = { file: join(folder, "events.db"), limits: WIDE_LIMITS, busyTimeoutMs: 0 };
  return new Worker(new URL("../../src/event-log/sqlite/sqlite-worker.ts", import.meta.url), { workerData });
}

function batchOf(count: number, prefix: string): AppendBatch {
  const events = sampleEvents(count, prefix);
  return { ids: events.map(({ id }) => id), terms: events.map(encodeTerms), stored: events.map(WHOLE_EVENTS.encode) };
}

const UNAVAILABLE = { code: "LOG_UNAVAILABLE" };

describe("the thread of a SQLite log", () => {
  it("is started again when it is lost; what waited rejects, what was acknowledged is there", async () => {
    client = start(startStore);
    await client.call("append", [batchOf(5, "acknowledged")]);
    const waiting = [client.call("append", [batchOf(500, "waiting")]), client.call("head", [])];
    const ended = workers[0]?.terminate();
    for (const call of waiting) await expect(call).rejects.toMatchObject(UNAVAILABLE);
    await ended;
    expect(await client.call("append", [batchOf(5, "acknowledged")])).toMatchObject({ appended: [] });
    // The batch that rejected was appended whole or not at all.
    expect([5, 505]).toContain((await client.call("head", [])).number);
    expect([workers.length, lost.length]).toEqual([2, 1]);
  });

  it("rejects, and goes on rejecting, where it cannot be started", async () => {
    client = start(() => new Worker("throw new Error('no thread today')", { eval: true }));
    await expect(client.call("head", [])).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("no thread today"),
    });
    await expect(client.call("head", [])).rejects.toMatchObject(UNAVAILABLE);
    expect(lost).toEqual(["no thread today", "no thread today"]);
  });

  it("rejects a call that is not answered in time, and is ended by closing", async () => {
    client = start(
      () => new Worker("require('worker_threads').parentPort.on('message', () => {})", { eval: true }),
      30,
    );
    await expect(client.call("head", [])).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("not answered for 0.03 s"),
    });
    await client.close();
    expect(workers[0]?.threadId).toBe(-1);
    await expect(client.call("head", [])).rejects.toMatchObject(UNAVAILABLE);
  });
});
