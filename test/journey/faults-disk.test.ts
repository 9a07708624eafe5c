import { describe, expect, it, onTestFinished } from "vitest";
import { batchOf, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, untilServed } from "../harness/fault-scene.ts";
import { startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { limitFiles } from "../harness/file-limit.ts";
import { post } from "../harness/mandrill-post.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

async function isReady(url: string): Promise<boolean> {
  const { ok } = await fetch(`${url}/ready`);
  return ok;
}

/** What `/ready` has found holds for a moment. */
async function untilReady(url: string): Promise<void> {
  while (!(await isReady(url)));
}

describe("a disk that takes nothing any more, under SQLite and under load", () => {
  it("is answered with 503 and never with 200; what is there is read on; and then all is complete", async () => {
    await using service = await spawnService();
    const subscriber = await startFaultSubscriber(() => service.socketUrl);
    onTestFinished(() => subscriber.stop());
    const publisher = startPublisher({ name: "load", urls: () => [service.url] });
    onTestFinished(() => publisher.giveUp());
    await publisher.more(100);

    await limitFiles(service.pid, 1);
    const begun = performance.now();
    expect((await post(service.url, batchOf(["full"]))).status).toBe(503);
    expect(performance.now() - begun).toBeLessThan(5_000);
    // Whatever was answered before that has come to the publisher with the answers to these.
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await post(service.url, batchOf([`full-${i}`]))).status),
    );
    expect(statuses).toEqual(statuses.map(() => 503));
    const acknowledged = publisher.acknowledged.length;
    const refused = publisher.refusals.length;
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("read", "{ recentEvents(first: 500) { nodes { messageId } } }");
    const { payload } = await client.next("read");
    expect(payload.errors).toBeUndefined();
    const held = payload.data.recentEvents.nodes.map(({ messageId }: { messageId: string }) => messageId);
    expect(held.toReversed()).toEqual(publisher.acknowledged.slice(-500));
    expect(await isReady(service.url)).toBe(false);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    expect(publisher.acknowledged.length).toBe(acknowledged);
    // The publisher waits longer and longer between its retries.
    while (publisher.refusals.length === refused) expect(await isReady(service.url)).toBe(false);

    await limitFiles(service.pid, "unlimited");
    await publisher.more(50);
    await publisher.stop();
    const { status, body } = await post(service.url, batchOf(["full"]));
    expect([status, body]).toEqual([200, { received: 1, appended: 1, duplicates: 0 }]);
    await untilReady(service.url);
    await untilServed([subscriber], service.url);
    expect(subscriber.gaps).toEqual([]);
    expect(subscriber.connections).toBe(1);
    expect(subscriber.received).toEqual([...publisher.acknowledged, "full", LAST]);
    expect(publisher.refusals.filter((refusal) => refusal !== 503)).toEqual([]);
  });
});
