import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Publisher, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, untilServed } from "../harness/fault-scene.ts";
import { type FaultSubscriber, startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { createProxy } from "../harness/proxy.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";

/** What passes between the publisher, the instance and Redis when the instance is killed. */
interface Moment {
  readonly on: "http" | "redis";
  readonly from: "client" | "target";
  readonly has: string;
  /** Whether it still reaches the other side. */
  readonly passes: boolean;
}

const BATCH_NOT_ARRIVED: Moment = { on: "http", from: "client", has: "mandrill_events", passes: false };
const BATCH_ARRIVED: Moment = { ...BATCH_NOT_ARRIVED, passes: true };
/** The stored events are in the command. */
const APPEND_NOT_SENT: Moment = { on: "redis", from: "client", has: "load-", passes: false };
const APPEND_SENT: Moment = { ...APPEND_NOT_SENT, passes: true };
/** The append's reply: appended, duplicates, head and two lengths. */
const APPEND_NOT_HEARD: Moment = { on: "redis", from: "target", has: "*5\r\n:5\r\n:0\r\n", passes: false };
const ANSWER_NOT_SENT: Moment = { on: "http", from: "target", has: "HTTP/1.1 200", passes: false };
const ANSWER_SENT: Moment = { ...ANSWER_NOT_SENT, passes: true };

/** An instance in a process of its own, behind proxies that kill it at a moment. */
interface MortalInstance {
  /** Where the publisher posts to. */
  readonly url: string;
  readonly socketUrl: string;
  /** Kills it at the next such moment; resolves when it has ended. */
  killedAt(moment: Moment): Promise<unknown>;
}

async function startMortal(redisPort: number | null, dataDir: string): Promise<MortalInstance> {
  let armed: Moment | null = null;
  let service: ServiceProcess | null = null;
  const watch = (on: Moment["on"]) => (chunk: Buffer, from: Moment["from"]) => {
    if (armed === null || armed.on !== on || armed.from !== from || !chunk.includes(armed.has)) return true;
    service?.signal("SIGKILL");
    const { passes } = armed;
    armed = null;
    return passes;
  };
  const env: Record<string, string> = {};
  if (redisPort !== null) {
    const redisProxy = await createProxy(redisPort, { pass: watch("redis") });
    onTestFinished(() => redisProxy.close());
    env.REDIS_URL = `redis://127.0.0.1:${redisProxy.port}`;
    env.REDIS_PREFIX = "faults";
  }
  const started = await spawnService({ env, dataDir });
  service = started;
  onTestFinished(() => started[Symbol.asyncDispose]());
  const httpProxy = await createProxy(Number(new URL(started.url).port), { pass: watch("http") });
  onTestFinished(() => httpProxy.close());
  return {
    url: `http://127.0.0.1:${httpProxy.port}`,
    socketUrl: started.socketUrl,
    killedAt(moment) {
      armed = moment;
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

describe("an instance that is killed between receiving a batch and answering it", () => {
  it("on SQLite loses nothing of what it acknowledged, and doubles nothing of what comes again", async () => {
    const dataDir = await temporaryFolder();
    const moments = [BATCH_NOT_ARRIVED, BATCH_ARRIVED, ANSWER_NOT_SENT, ANSWER_SENT];
    const { publisher, subscribers } = await killAtEach(moments, () => startMortal(null, dataDir), []);
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
    const other = await runService({ env: { REDIS_URL: redis.url, REDIS_PREFIX: "faults" } });
    onTestFinished(() => other.stop());
    const listener = await startFaultSubscriber(() => other.socketUrl);
    onTestFinished(() => listener.stop());
    const moments = [
      BATCH_NOT_ARRIVED,
      BATCH_ARRIVED,
      APPEND_NOT_SENT,
      APPEND_SENT,
      APPEND_NOT_HEARD,
      ANSWER_NOT_SENT,
      ANSWER_SENT,
    ];
    const start = () => startMortal(redis.port, dataDir);
    const { publisher, subscribers } = await killAtEach(moments, start, [listener]);
    for (const { received, gaps } of subscribers) {
      expect(gaps).toEqual([]);
      expect(received).toEqual([...publisher.acknowledged, LAST]);
    }
    expect(listener.connections).toBe(1);
  });
});
