import { expect, it } from "vitest";
import type { WebhookRequest } from "../../src/event/webhook-request.ts";
import { type EventLog, WEBHOOK_REQUESTS_KEPT } from "../../src/event-log/event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { describeEachLog, entriesOf, idsOf } from "../harness/log-suite.ts";

function request(i: number, fields: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    id: `request-${i}`,
    receivedAt: 1_700_000_000_000 + i,
    status: 200,
    code: null,
    reason: null,
    received: 3,
    appended: 2,
    duplicates: 1,
    bytes: 1_000 + i,
    durationMs: 1.5,
    ...fields,
  };
}

describeEachLog("requests", ({ create }) => {
  it("are given back as they were, newest first, no more than asked for", async () => {
    const { eventLog } = await create();
    expect(await eventLog.requests(10)).toEqual([]);
    const refused = request(2, { status: 401, code: "SIGNATURE_MISMATCH", reason: 'of "no" key: 😀', received: null });
    await eventLog.recordRequests([request(1), refused]);
    await eventLog.recordRequests([request(3)]);
    await eventLog.recordRequests([]);
    expect(await eventLog.requests(10)).toEqual([request(3), refused, request(1)]);
    expect(await eventLog.requests(2)).toEqual([request(3), refused]);
  });

  it("are kept up to their number", async () => {
    const { eventLog } = await create();
    const all = Array.from({ length: WEBHOOK_REQUESTS_KEPT + 120 }, (_, i) => request(i));
    for (let i = 0; i < all.length; i += 31) await eventLog.recordRequests(all.slice(i, i + 31));
    expect(await eventLog.requests(10_000)).toEqual(all.slice(-WEBHOOK_REQUESTS_KEPT).reverse());
  });

  it("are still there after the store was closed and opened", async () => {
    const store = await create();
    await store.eventLog.recordRequests([request(1), request(2)]);
    const again = await store.open();
    expect(await again.requests(5)).toEqual([request(2), request(1)]);
  });
});

/** Every method once, so that none is forgotten. */
function everyCall(eventLog: EventLog): Promise<unknown>[] {
  const position = { epoch: "00000000", number: 0, tag: "AAAAAAAA" };
  return [
    eventLog.append(sampleEvents(1)),
    eventLog.append([]),
    eventLog.read(position, { entries: 1, bytes: 1 }),
    eventLog.head(),
    eventLog.positionOf("AAAAAAAAAAAAAAAAAAAAAA"),
    eventLog.find({ filter: [], order: "newest-first", limit: 1 }),
    eventLog.findById("event-1"),
    eventLog.count({ from: 0, to: 1, buckets: 1, filter: [] }),
    eventLog.recordRequests([request(1)]),
    eventLog.requests(1),
    eventLog.renewEpoch("00000000"),
    eventLog.erase("ada@example.com"),
    eventLog.trim(),
    eventLog.check(),
  ];
}

describeEachLog("checking and closing", ({ create }) => {
  it("answers a check", async () => {
    const { eventLog } = await create();
    await eventLog.check();
    await eventLog.append(sampleEvents(1));
    await eventLog.check();
    expect((await eventLog.head()).number).toBe(1);
  });

  it("ends what was begun before it closes, and then refuses everything", async () => {
    const store = await create();
    const { eventLog } = store;
    await eventLog.head();
    const begun = Array.from({ length: 20 }, (_, i) => eventLog.append(sampleEvents(10, `begun-${i}`)));
    await eventLog.close();
    const results = await Promise.all(begun);
    expect(results.map(({ appended }) => appended)).toEqual(begun.map(() => 10));
    const refused = await Promise.allSettled(everyCall(eventLog));
    for (const result of refused) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "LOG_UNAVAILABLE" } });
    }
    await eventLog.close();
    const again = await store.open();
    expect(await entriesOf(again)).toHaveLength(200);
  });

  it("keeps everything that it has acknowledged when it is opened again and again", async () => {
    const store = await create();
    let { eventLog } = store;
    const ids: string[] = [];
    for (let round = 0; round < 5; round++) {
      const events = sampleEvents(7, `round-${round}`);
      await eventLog.append(events);
      ids.push(...events.map(({ id }) => id));
      await eventLog.close();
      eventLog = await store.open();
      expect(idsOf(await entriesOf(eventLog))).toEqual(ids);
    }
  });
});
