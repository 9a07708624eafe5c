import { watch } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { batchOf, type Publisher, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, startFaultInstance, untilServed } from "../harness/fault-scene.ts";
import { type FaultSubscriber, startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { type Post, post } from "../harness/mandrill-post.ts";
import { HTTP_MOMENTS, MOMENTS, type Moment, watchForMoments } from "../harness/moment.ts";
import { createProxy } from "../harness/proxy.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";

// One process after another has to start, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

/** Once more than so many bytes have passed. */
function beyond(bytes: number): (chunk: Buffer) => boolean {
  let passed = 0;
  return (chunk) => {
    passed += chunk.length;
    return passed > bytes;
  };
}

/** An instance in a process of its own, behind proxies that kill it at a moment. */
interface MortalInstance {
  /** Where the publisher posts to. */
  readonly url: string;
  readonly socketUrl: string;
  kill(): void;
  /** Resolves to the signal by which it ended. */
  readonly ended: Promise<unknown>;
  /** Kills it at the next such moment; resolves when it has ended. */
  killedAt(moment: Moment): Promise<unknown>;
}

async function startMortal(redisPort: number | null, dataDir: string): Promise<MortalInstance> {
  let service: ServiceProcess | null = null;
  const watching = watchForMoments(() => service?.signal("SIGKILL"));
  const env: Record<string, string> = {};
  if (redisPort !== null) {
    const redisProxy = await createProxy(redisPort, { pass: watching.passOn("redis") });
    onTestFinished(() => redisProxy.close());
    env.REDIS_URL = `redis://127.0.0.1:${redisProxy.port}`;
    env.REDIS_PREFIX = "faults";
  }
  const started = await spawnService({ env, dataDir });
  service = started;
  onTestFinished(() => started[Symbol.asyncDispose]());
  const httpProxy = await createProxy(Number(new URL(started.url).port), { pass: watching.passOn("http") });
  onTestFinished(() => httpProxy.close());
  return {
    url: `http://127.0.0.1:${httpProxy.port}`,
    socketUrl: started.socketUrl,
    kill: () => started.signal("SIGKILL"),
    ended: started.ended,
    killedAt(moment) {
      watching.arm(moment);
      return started.ended;
    },
  };
}

/** Kills one instance after another while it is posted to, and starts the next on the same log. */
async function killAtEach(
  moments: readonly Moment[],
  start: () => Promise<MortalInstance>,
  others: readonly FaultSubscriber[],
): Promise<{ readonly publisher: Publisher; readonly subscribers: readonly FaultSubscriber[] }> {
  let instance = await start();
  const publisher = startPublisher({ name: "load", urls: () => [instance.url] });
  onTestFinished(() => publisher.giveUp());
  const own = await startFaultSubscriber(() => instance.socketUrl);
  onTestFinished(() => own.stop());
  for (const moment of moments) {
    await publisher.more(25);
    expect(await instance.killedAt(moment)).toBe("SIGKILL");
    instance = await start();
  }
  await publisher.more(25);
  await publisher.stop();
  const subscribers = [own, ...others];
  await untilServed(subscribers, instance.url);
  return { publisher, subscribers };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const LARGE = 1_000;

/** A batch of some megabytes. */
function largeBatch(): Post {
  return batchOf(Array.from({ length: LARGE }, (_, i) => `large-${i}`));
}

/** Posts the batch to an instance that is killed meanwhile, and again to its successor; returns the last answer. */
async function postTwice(first: MortalInstance, start: () => Promise<MortalInstance>): Promise<unknown> {
  const batch = largeBatch();
  const [answer, end] = await Promise.allSettled([post(first.url, batch), first.ended]);
  expect([answer.status, end]).toEqual(["rejected", { status: "fulfilled", value: "SIGKILL" }]);
  const next = await start();
  const { status, body } = await post(next.url, batch);
  expect(status).toBe(200);
  return body;
}

describe("an instance that is killed in the middle of a large batch", () => {
  const ALL_NEW = { received: LARGE, appended: LARGE, duplicates: 0 };
  const ALL_KNOWN = { received: LARGE, appended: 0, duplicates: LARGE };

  it("has appended nothing of a body that had only half arrived", async () => {
    const dataDir = await temporaryFolder();
    const start = () => startMortal(null, dataDir);
    const first = await start();
    void first.killedAt({ on: "http", from: "client", isIt: beyond(500_000), passes: true });
    expect(await postTwice(first, start)).toEqual(ALL_NEW);
  });

  it("has appended all of it or nothing when it was writing its SQLite file", async () => {
    const dataDir = await temporaryFolder();
    const start = () => startMortal(null, dataDir);
    const first = await start();
    const watcher = watch(dataDir, (_, file) => {
      if (file?.endsWith("-wal")) first.kill();
    });
    onTestFinished(() => watcher.close());
    const killed = first.ended.then(() => watcher.close());
    const answer = await postTwice(first, start);
    await killed;
    expect([ALL_NEW, ALL_KNOWN]).toContainEqual(answer);
  });

  it("has appended nothing when Redis got only half of the command", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const dataDir = await temporaryFolder();
    const start = () => startMortal(redis.port, dataDir);
    const first = await start();
    void first.killedAt({ on: "redis", from: "client", isIt: beyond(200_000), passes: true });
    expect(await postTwice(first, start)).toEqual(ALL_NEW);
  });
});

describe("an instance that is killed between receiving a batch and answering it", () => {
  it("on SQLite loses nothing of what it acknowledged, and doubles nothing of what comes again", async () => {
    const dataDir = await temporaryFolder();
    const { publisher, subscribers } = await killAtEach(HTTP_MOMENTS, () => startMortal(null, dataDir), []);
    for (const { received, gaps } of subscribers) {
      expect(gaps).toEqual([]);
      expect(received).toEqual([...publisher.acknowledged, LAST]);
    }
    expect(publisher.refusals.length).toBeGreaterThanOrEqual(3);
  });

  it("on Redis loses nothing and doubles nothing, for its own subscribers and for another instance's", async () => {
    const dataDir = await temporaryFolder();
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const other = await startFaultInstance({ REDIS_URL: redis.url });
    const listener = await startFaultSubscriber(() => other.socketUrl);
    onTestFinished(() => listener.stop());
    const start = () => startMortal(redis.port, dataDir);
    const { publisher, subscribers } = await killAtEach(MOMENTS, start, [listener]);
    for (const { received, gaps } of subscribers) {
      expect(gaps).toEqual([]);
      expect(received).toEqual([...publisher.acknowledged, LAST]);
    }
    expect(listener.connections).toBe(1);
  });
});
