import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Environment } from "../../src/config.ts";
import { expectComplete, expectServed, expectToldOnce, untilTold } from "../harness/fault-outcome.ts";
import { batchOf, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, startFaultInstance, startFaultInstances, untilServed } from "../harness/fault-scene.ts";
import { post } from "../harness/mandrill-post.ts";
import { createProxy } from "../harness/proxy.ts";
import { bySentinel, type RedisPair, startRedisPair } from "../harness/redis-pair.ts";
import {
  cutReplication,
  holdWrites,
  type RedisSentinel,
  startRedisReplica,
  untilReplicated,
  untilRole,
} from "../harness/redis-server.ts";

/** In one batch. */
const MOST_EVENTS = 500;

async function startPair(): Promise<RedisPair> {
  const pair = await startRedisPair();
  onTestFinished(() => pair.stop());
  return pair;
}

function by(sentinel: Pick<RedisSentinel, "port">, env: Environment = {}): Environment {
  return { ...bySentinel(sentinel), ...env };
}

// A failover takes some seconds, and on a busy machine many.
vi.setConfig({ testTimeout: 90_000 });

describe("a replica that Sentinel promotes, under load", () => {
  it("with all that its master had: everything is complete", async () => {
    const { master, sentinel } = await startPair();
    const scene = await startFaultInstances(by(sentinel), by(sentinel));
    await scene.publisher.more(100);
    await sentinel.trustMaster();
    await holdWrites(master);
    await master.kill();
    await sentinel.failOver();
    await scene.publisher.more(100);
    await expectComplete(scene);
    expect(scene.publisher.refusals.length).toBeGreaterThan(0);
    expectServed(scene);
  });

  it("without the last events: every subscriber is told, and served on", async () => {
    const { master, sentinel } = await startPair();
    const scene = await startFaultInstances(by(sentinel), by(sentinel));
    await scene.publisher.more(100);
    await untilReplicated(master);
    await sentinel.trustMaster();
    await cutReplication(master);
    await scene.publisher.more(100);
    await master.kill();
    await sentinel.failOver();
    await untilTold(scene);
    await scene.publisher.more(100);
    await expectToldOnce(scene, 100);
    expectServed(scene);
  });

  it("without the last events, and grown past its master's head before they see it: everyone is told", async () => {
    const { master, sentinel } = await startPair();
    await using proxy = await createProxy(sentinel.port);
    const { publisher, subscribers } = await startFaultInstances(by(proxy), by(proxy));
    await publisher.more(50);
    await untilReplicated(master);
    await sentinel.trustMaster();
    await cutReplication(master);
    await publisher.more(50);
    await publisher.stop();
    const seen = publisher.acknowledged;
    await Promise.all(subscribers.map((one) => one.until(({ received }) => received.length === seen.length)));

    // Nobody tells these two where the new master is.
    proxy.stall();
    await master.kill();
    await sentinel.failOver();
    const other = await startFaultInstance(by(sentinel));
    const grown = startPublisher({ name: "grown", urls: () => [other.url] });
    onTestFinished(() => grown.giveUp());
    await grown.more(seen.length);
    await grown.stop();
    proxy.resume();
    await Promise.all(subscribers.map((subscriber) => subscriber.until(({ gaps }) => gaps.length > 0)));
    await untilServed(subscribers, other.url);
    for (const { received, gaps, connections } of subscribers) {
      expect(connections).toBe(1);
      expect(gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: seen.length }]);
      expect(received).toEqual([...seen, LAST]);
    }
  });

  it("has every batch that was acknowledged, where REDIS_MIN_REPLICAS asks for it", async () => {
    const { master, replica, sentinel } = await startPair();
    const env = by(sentinel, { REDIS_MIN_REPLICAS: "1" });
    const { services, publisher } = await startFaultInstances(env, env);
    const others = services.map(({ url }, i) => startPublisher({ name: `to-${i}`, urls: () => [url] }));
    for (const other of others) onTestFinished(() => other.giveUp());
    const publishers = [publisher, ...others];
    await Promise.all(publishers.map((one) => one.more(100)));
    await master.kill();
    // Alone, the promoted one has no replica: nothing is acknowledged until it has one.
    await untilRole(replica, "master");
    const before = publishers.map(({ acknowledged }) => [...acknowledged]);
    const alone = await post(services[0].url, batchOf(["alone"]));
    expect(alone.status).toBe(503);
    expect(publishers.map(({ acknowledged }) => acknowledged)).toEqual(before);
    const second = await startRedisReplica(replica);
    onTestFinished(() => second.stop());
    await Promise.all(publishers.map((one) => one.more(50)));
    await expectKnown(before.flat(), services[1].url);
  });

  it("takes over from a master that stood still, which then acknowledges nothing that is lost with it", async () => {
    const { master, replica, sentinel } = await startPair();
    const env = by(sentinel, { REDIS_MIN_REPLICAS: "1" });
    const { services, publisher } = await startFaultInstances(env, env);
    await publisher.more(100);
    master.pause();
    await untilRole(replica, "master");
    // The instances still hold their connections to it, and it takes their events: for a moment there are two masters.
    master.resume();
    expect((await post(services[0].url, batchOf(["to the old one"]))).status).toBe(503);
    await untilRole(master, "slave");
    await publisher.more(100);
    await publisher.stop();
    await expectKnown(publisher.acknowledged, services[0].url);
  });
});

/** All of these are in the log: posted again they are duplicates. */
async function expectKnown(acknowledged: readonly string[], url: string): Promise<void> {
  for (let from = 0; from < acknowledged.length; from += MOST_EVENTS) {
    const ids = acknowledged.slice(from, from + MOST_EVENTS);
    const { status, body } = await post(url, batchOf(ids));
    expect([status, body]).toEqual([200, { received: ids.length, appended: 0, duplicates: ids.length }]);
  }
}
