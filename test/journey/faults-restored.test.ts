import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startPublisher } from "../harness/fault-publisher.ts";
import { LAST, startFaultInstance, stopInstance, untilServed } from "../harness/fault-scene.ts";
import { type AwaySubscriber, startAwaySubscriber, startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { createProxy } from "../harness/proxy.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import type { ServiceProcess } from "../harness/service-process.ts";

/** A log of which a copy is made, and put back later. */
interface Store {
  /** Instances that run on it at a time. */
  readonly instances: number;
  start(): Promise<ServiceProcess>;
  /** Called while no instance runs. */
  backUp(): Promise<void>;
  restore(): Promise<void>;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startRedis(): Promise<RedisServer> {
  const redis = await startRedisServer();
  onTestFinished(() => redis.stop());
  return redis;
}

const startAt = (redisUrl: string): Promise<ServiceProcess> => startFaultInstance({ REDIS_URL: redisUrl });

/** Copies of the server's RDB file, in its own folder. */
async function redisBackUp({ client }: RedisServer) {
  const [, folder] = (await client.config("GET", "dir")) as [string, string];
  const [file, copy] = [join(folder, "dump.rdb"), join(folder, "copy.rdb")];
  return {
    async backUp() {
      await client.save();
      await copyFile(file, copy);
    },
    /** To be read at the next start. */
    putBack: () => copyFile(copy, file),
  };
}

async function redisStore(): Promise<Store> {
  const redis = await startRedis();
  const { backUp, putBack } = await redisBackUp(redis);
  return {
    instances: 2,
    start: () => startAt(redis.url),
    backUp,
    async restore() {
      await redis.kill();
      await putBack();
      await redis.restart();
    },
  };
}

async function sqliteStore(): Promise<Store> {
  const [dataDir, copy] = [await temporaryFolder(), await temporaryFolder()];
  return {
    instances: 1,
    start: () => startFaultInstance({}, dataDir),
    backUp: () => cp(dataDir, copy, { recursive: true }),
    async restore() {
      await rm(dataDir, { recursive: true });
      await cp(copy, dataDir, { recursive: true });
    },
  };
}

async function startAway(socketUrl: string): Promise<AwaySubscriber> {
  const away = await startAwaySubscriber(socketUrl);
  onTestFinished(() => away.subscriber.stop());
  return away;
}

/** Posts at least so many events; returns their message ids. */
async function publish(name: string, count: number, services: readonly ServiceProcess[]): Promise<readonly string[]> {
  const publisher = startPublisher({ name, urls: () => services.map(({ url }) => url) });
  onTestFinished(() => publisher.giveUp());
  await publisher.more(count);
  await publisher.stop();
  return publisher.acknowledged;
}

async function untilHas({ subscriber }: AwaySubscriber, ids: readonly string[]): Promise<void> {
  await subscriber.until(({ received }) => received.at(-1) === ids.at(-1));
}

describe.each([
  ["an RDB file", redisStore],
  ["a SQLite file", sqliteStore],
])("a log restored from an older copy of %s, and grown past its old head before anyone comes back", (_, openStore) => {
  it("tells those who saw what is lost, and serves completely those who did not", async () => {
    const store = await openStore();
    const startAll = () => Promise.all(Array.from({ length: store.instances }, () => store.start()));
    let services = await startAll();
    const stopAll = async () => void (await Promise.all(services.map(stopInstance)));

    const early = await startAway((services[0] as ServiceProcess).socketUrl);
    const late = await Promise.all(services.map(({ socketUrl }) => startAway(socketUrl)));
    const everyone = [early, ...late];
    const kept = [...(await publish("kept", 50, services))];
    await Promise.all(everyone.map((one) => untilHas(one, kept)));
    for (const one of everyone) one.away();
    kept.push(...(await publish("kept-unseen", 50, services)));

    await stopAll();
    await store.backUp();
    services = await startAll();
    for (const [i, one] of late.entries()) one.back((services[i] as ServiceProcess).socketUrl);
    const lost = await publish("lost", 50, services);
    await Promise.all(late.map((one) => untilHas(one, lost)));
    for (const one of late) one.away();

    await stopAll();
    await store.restore();
    services = await startAll();
    const grown = await publish("grown", lost.length + 50, services);
    for (const [i, one] of late.entries()) one.back((services[i] as ServiceProcess).socketUrl);
    early.back((services[0] as ServiceProcess).socketUrl);
    await Promise.all(late.map(({ subscriber }) => subscriber.until(({ gaps }) => gaps.length > 0)));
    const subscribers = everyone.map(({ subscriber }) => subscriber);
    await untilServed(subscribers, (services[0] as ServiceProcess).url);

    const seen = [...kept, ...lost];
    for (const { subscriber } of late) {
      expect(subscriber.gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: seen.length }]);
      expect(subscriber.received).toEqual([...seen, LAST]);
    }
    expect(early.subscriber.gaps).toEqual([]);
    expect(early.subscriber.received).toEqual([...kept, ...grown, LAST]);
  });
});

describe("a Redis restored from an older copy under instances that run on", () => {
  it("and grown past its old head before they see it again: whoever had a place in it is told", async () => {
    const redis = await startRedis();
    const { backUp, putBack } = await redisBackUp(redis);
    await using proxy = await createProxy(redis.port);
    const proxied = `redis://127.0.0.1:${proxy.port}`;
    const services = [await startAt(proxied), await startAt(proxied)] as const;
    const subscribers = await Promise.all(services.map(({ socketUrl }) => startFaultSubscriber(() => socketUrl)));
    for (const subscriber of subscribers) onTestFinished(() => subscriber.stop());
    const early = await startAway(services[0].socketUrl);
    const kept = await publish("kept", 50, services);
    await untilHas(early, kept);
    early.away();
    await backUp();
    const lost = await publish("lost", 50, services);
    const seen = [...kept, ...lost];
    await Promise.all(subscribers.map((one) => one.until(({ received }) => received.length === seen.length)));

    proxy.stall();
    await redis.kill();
    await putBack();
    await redis.restart();
    const other = await startAt(redis.url);
    await publish("grown", lost.length + 50, [other]);
    proxy.resume();
    await Promise.all(subscribers.map((subscriber) => subscriber.until(({ gaps }) => gaps.length > 0)));
    // Its place is older than the copy. Yet the log's epoch has ended with what was lost, for everyone.
    early.back(other.socketUrl);
    await early.subscriber.until(({ gaps }) => gaps.length > 0);
    await untilServed([...subscribers, early.subscriber], other.url);
    for (const { received, gaps, connections } of subscribers) {
      expect(connections).toBe(1);
      expect(gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: seen.length }]);
      expect(received).toEqual([...seen, LAST]);
    }
    expect(early.subscriber.gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: kept.length }]);
    expect(early.subscriber.received).toEqual([...kept, LAST]);
  });
});
