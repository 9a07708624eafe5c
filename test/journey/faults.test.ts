import { describe, expect, it, onTestFinished } from "vitest";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { expectComplete, expectServed, expectToldOnce, REFUSED_WITHIN, untilTold } from "../harness/fault-outcome.ts";
import { batchOf, startPublisher } from "../harness/fault-publisher.ts";
import { type FaultScene, LAST, startFaultScene, untilServed } from "../harness/fault-scene.ts";
import { startAwaySubscriber } from "../harness/fault-subscriber.ts";
import { post } from "../harness/mandrill-post.ts";
import { createProxy } from "../harness/proxy.ts";
import { connectSocket } from "../harness/socket-client.ts";

/** With `everysec` the kernel may get what was answered a moment later: a crash of Redis itself could lose it. */
const DURABLE = { appendonly: "yes", appendfsync: "always" };

/** Resolves when Redis has a subscription of each instance. */
async function untilBothListen({ redis: { client } }: FaultScene): Promise<void> {
  for (;;) {
    const list = String(await client.call("CLIENT", "LIST", "TYPE", "pubsub"));
    if (list.trim().split("\n").length === 2) return;
    // Redis holds the next question back, waiting for a replica that there is not.
    await client.wait(1, 20);
  }
}

async function untilAllHave({ subscribers }: FaultScene, count: number): Promise<void> {
  await Promise.all(subscribers.map((subscriber) => subscriber.until(({ received }) => received.length >= count)));
}

describe("two instances on one Redis", () => {
  it("hand what is posted to either, at the same time, to subscribers of both in one order", async () => {
    const scene = await startFaultScene();
    const others = scene.services.map(({ url }, i) => startPublisher({ name: `to-${i}`, urls: () => [url] }));
    for (const publisher of others) onTestFinished(() => publisher.giveUp());
    await Promise.all(others.map((publisher) => publisher.more(500)));
    await Promise.all(others.map((publisher) => publisher.stop()));
    await scene.settled();
    const [first, second] = scene.subscribers;
    expect(second.received).toEqual(first.received);
    for (const { acknowledged } of [scene.publisher, ...others]) {
      const own = new Set(acknowledged);
      expect(first.received.filter((id) => own.has(id))).toEqual(acknowledged);
    }
    const acknowledged = [scene.publisher, ...others].reduce((sum, one) => sum + one.acknowledged.length, 0);
    expect(first.received.length).toBe(acknowledged + 1);
  });

  it("append a batch once that comes ten times at once to each", async () => {
    const scene = await startFaultScene();
    const ids = Array.from({ length: 20 }, (_, i) => `again-${i}`);
    const batch = batchOf(ids);
    const answers = await Promise.all(
      scene.services.flatMap(({ url }) => Array.from({ length: 10 }, () => post(url, batch))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.reduce((sum, { body }) => sum + body.appended, 0)).toBe(ids.length);
    expect(answers.reduce((sum, { body }) => sum + body.duplicates, 0)).toBe(19 * ids.length);
    await scene.settled();
    for (const { received } of scene.subscribers) {
      expect(received.filter((id) => id.startsWith("again"))).toEqual(ids);
      expect(received.filter((id) => !id.startsWith("again"))).toEqual([...scene.publisher.acknowledged, LAST]);
    }
  });

  it.each([
    ["memory", {}],
    ["the log", { RECENT_ENTRIES: "1" }],
  ])("lose nothing with subscribers that are cut off again and again, and resume from %s", async (_, env) => {
    const scene = await startFaultScene({ env });
    for (let cuts = 1; cuts <= 20; cuts++) {
      await scene.publisher.more(10);
      for (const subscriber of scene.subscribers) subscriber.cut();
      await Promise.all(scene.subscribers.map((subscriber) => subscriber.until((one) => one.connections > cuts)));
    }
    await expectComplete(scene);
  });
});

describe("Redis, under load", () => {
  it.each(["normal", "pubsub"])("has its connections killed, TYPE %s: nothing is lost or comes twice", async (type) => {
    const scene = await startFaultScene();
    for (let kills = 0; kills < 5; kills++) {
      await scene.publisher.more(50);
      await untilBothListen(scene);
      expect(await scene.redis.client.call("CLIENT", "KILL", "TYPE", type)).toBeGreaterThanOrEqual(2);
    }
    await scene.publisher.more(50);
    await expectComplete(scene);
    expectServed(scene);
  });

  it("is gone for a while: 503 in time and never 200, sockets stay, and all is complete afterwards", async () => {
    const scene = await startFaultScene({ redis: DURABLE });
    const { redis, services, publisher } = scene;
    await publisher.more(50);
    await redis.kill();
    // What had been answered by Redis may have been under way to the publisher.
    const most = publisher.acknowledged.length + 5;
    const begun = performance.now();
    const answers = await Promise.all(
      services.flatMap(({ url }, i) => [
        ...Array.from({ length: 5 }, (_, j) => post(url, batchOf([`gone-${i}-${j}`]))),
        fetch(`${url}/ready`),
      ]),
    );
    expect(performance.now() - begun).toBeLessThan(REFUSED_WITHIN);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(publisher.acknowledged.length).toBeLessThanOrEqual(most);
    await redis.restart();
    await publisher.more(50);
    await expectComplete(scene);
    expectServed(scene);
  });

  it("is restarted with its data: everything is complete", async () => {
    const scene = await startFaultScene({ redis: DURABLE });
    await scene.publisher.more(100);
    await scene.redis.restart();
    await scene.publisher.more(100);
    await expectComplete(scene);
    expectServed(scene);
  });

  it("is restarted without its data: every subscriber is told, and served on", async () => {
    const scene = await startFaultScene();
    await scene.publisher.more(100);
    await scene.redis.restart();
    await untilTold(scene);
    await scene.publisher.more(100);
    await expectToldOnce(scene, 100);
    expectServed(scene);
  });

  it("is emptied: every subscriber is told, and served on", async () => {
    const scene = await startFaultScene();
    await scene.publisher.more(100);
    await scene.redis.client.flushall();
    await untilTold(scene);
    await scene.publisher.more(100);
    await expectToldOnce(scene, 100);
    expectServed(scene);
  });

  it("is emptied, and a client knows it before the instance does: the log is asked once more, and not without a pause", async () => {
    const { redis, services, subscribers, publisher } = await startFaultScene();
    await publisher.more(50);
    await publisher.stop();
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.client.info("stats"))?.[1]);
    await using client = await connectSocket(services[0].socketUrl);
    await redis.client.flushall();
    const before = await commands();
    client.subscribe("head", "{ recentEvents(first: 1) { head } }");
    const after = (await client.next("head")).payload.data.recentEvents.head;
    client.subscribe("events", "subscription { eventReceived { messageId } }", { extensions: { after } });
    await subscribers[0].until(({ gaps }) => gaps.length > 0);
    expect((await commands()) - before).toBeLessThan(200);
    await untilServed(subscribers.slice(0, 1), services[0].url);
    expect((await client.next("events")).payload.data.eventReceived.messageId).toBe(LAST);
  });

  it("stands still: 503 in time and never 200, sockets stay, and all is complete afterwards", async () => {
    const scene = await startFaultScene();
    const { redis, services, publisher, subscribers } = scene;
    await publisher.more(50);
    redis.pause();
    const begun = performance.now();
    const acknowledged = publisher.acknowledged.length;
    const late = services.map(async ({ url }, i) => {
      const { status } = await post(url, batchOf([`paused-${i}`]));
      return [status, performance.now() - begun < REFUSED_WITHIN] as const;
    });
    const ready = services.map(async ({ url }) => {
      const { status } = await fetch(`${url}/ready`);
      return [status, performance.now() - begun < 10_000] as const;
    });
    expect(await Promise.all([...late, ...ready])).toEqual(Array.from({ length: 4 }, () => [503, true]));
    // What had been answered by Redis may have been under way to the publisher.
    expect(publisher.acknowledged.length - acknowledged).toBeLessThanOrEqual(5);
    redis.resume();
    await publisher.more(50);
    await scene.settled();
    for (const { received, gaps } of subscribers) {
      expect(gaps).toEqual([]);
      expect(received.filter((id) => !id.startsWith("paused"))).toEqual([...publisher.acknowledged, LAST]);
      // Refused, and appended all the same or not: once at the most.
      const paused = received.filter((id) => id.startsWith("paused"));
      expect(paused.length).toBe(new Set(paused).size);
    }
    expect(subscribers[1].received).toEqual(subscribers[0].received);
    expectServed(scene);
  });

  it("is out of memory: 503 until it has some, and then all is complete", async () => {
    const scene = await startFaultScene({ redis: { "maxmemory-policy": "noeviction" } });
    await scene.publisher.more(50);
    await scene.redis.client.config("SET", "maxmemory", "1");
    const [refused, ready] = await Promise.all([
      post(scene.services[0].url, batchOf(["refused"])),
      fetch(`${scene.services[1].url}/ready`),
    ]);
    expect([refused.status, ready.status]).toEqual([503, 503]);
    await scene.redis.client.config("SET", "maxmemory", "0");
    await scene.publisher.more(50);
    await expectComplete(scene);
    expectServed(scene);
  });
});

describe("a log that is trimmed past a subscriber's place", () => {
  it("tells that one subscriber, and serves it on", async () => {
    const scene = await startFaultScene({ env: { RETENTION_EVENTS: "300", RECENT_ENTRIES: "10" } });
    const { subscriber, away, back } = await startAwaySubscriber(scene.services[0].socketUrl);
    onTestFinished(() => subscriber.stop());
    await subscriber.until(({ received }) => received.length > 0);
    away();
    await scene.publisher.more(600);
    back(scene.services[1].socketUrl);
    await subscriber.until(({ gaps }) => gaps.length > 0);
    await scene.publisher.more(50);
    await expectComplete(scene);
    await subscriber.until(({ received }) => received.at(-1) === LAST);
    const before = subscriber.gaps[0]?.received ?? 0;
    expect(subscriber.gaps).toEqual([{ code: "CURSOR_EXPIRED", received: before }]);
    const everything = scene.subscribers[0].received;
    const from = everything.indexOf(subscriber.received[0] as string);
    expect(subscriber.received.slice(0, before)).toEqual(everything.slice(from, from + before));
    expect(subscriber.received.slice(before)).toEqual(everything.slice(before - subscriber.received.length));
  });
});

describe("a log that is trimmed by hand, behind the service's back", () => {
  it("tells whoever has a place in what is gone, and nobody else", async () => {
    const scene = await startFaultScene({ env: { RECENT_ENTRIES: "10" } });
    const { subscriber, away, back } = await startAwaySubscriber(scene.services[0].socketUrl);
    onTestFinished(() => subscriber.stop());
    await subscriber.until(({ received }) => received.length > 0);
    away();
    await scene.publisher.more(100);
    await scene.publisher.stop();
    await untilAllHave(scene, scene.publisher.acknowledged.length);
    await scene.redis.client.xtrim(createKeys("faults").entries, "MAXLEN", 5);
    back(scene.services[1].socketUrl);
    await subscriber.until(({ gaps }) => gaps.length > 0);
    await expectComplete(scene);
    await subscriber.until(({ received }) => received.at(-1) === LAST);
    expect(subscriber.gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: subscriber.received.length - 1 }]);
  });
});

describe("a wake-up", () => {
  it("that is dropped on its way delays what it told of, and loses nothing", async () => {
    let dropped = 0;
    let isDropping = false;
    const scene = await startFaultScene({
      firstUrl: async (redis) => {
        const proxy = await createProxy(redis.port, {
          pass: (chunk, from) => {
            const isMessage = isDropping && from === "target" && chunk.includes("$7\r\nmessage\r\n");
            if (isMessage) dropped += 1;
            return !isMessage;
          },
        });
        onTestFinished(() => proxy.close());
        return `redis://127.0.0.1:${proxy.port}`;
      },
    });
    await scene.publisher.more(50);
    isDropping = true;
    await scene.publisher.more(50);
    const all = scene.publisher.acknowledged.length;
    await untilAllHave(scene, all);
    expect(dropped).toBeGreaterThan(0);
    // The last of all comes without a wake-up too.
    await expectComplete(scene);
    expectServed(scene);
  });

  it("that nobody hears, for the subscription has just been killed, loses nothing", async () => {
    const scene = await startFaultScene();
    await scene.publisher.more(50);
    await scene.publisher.stop();
    await untilBothListen(scene);
    expect(await scene.redis.client.call("CLIENT", "KILL", "TYPE", "pubsub")).toBe(2);
    await expectComplete(scene);
    expectServed(scene);
  });
});
