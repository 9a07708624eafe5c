import { expect, it } from "vitest";
import type { AppendResult } from "../../src/event-log/event-log.ts";
import { sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { appendMany, describeEachLog, entriesOf, idsOf, numbersOf, untilClockPasses } from "../harness/log-suite.ts";

const numbersFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

describeEachLog("appending", ({ create }) => {
  it("appends a batch in its order and numbers it densely from 1", async () => {
    const { eventLog } = await create();
    expect(await eventLog.append(sampleEvents(3))).toEqual({ appended: 3, duplicates: 0, head: 3 });
    expect(await eventLog.append(sampleEvents(2, "later"))).toEqual({ appended: 2, duplicates: 0, head: 5 });
    const entries = await entriesOf(eventLog);
    expect(numbersOf(entries)).toEqual([1, 2, 3, 4, 5]);
    expect(idsOf(entries)).toEqual(["event-1", "event-2", "event-3", "later-1", "later-2"]);
  });

  it("takes an empty batch", async () => {
    const { eventLog } = await create();
    expect(await eventLog.append([])).toEqual({ appended: 0, duplicates: 0, head: 0 });
    await eventLog.append(sampleEvents(2));
    expect(await eventLog.append([])).toEqual({ appended: 0, duplicates: 0, head: 2 });
  });

  it("takes a batch of 1,000", async () => {
    const { eventLog } = await create();
    const events = sampleEvents(1_000);
    expect(await eventLog.append(events)).toEqual({ appended: 1_000, duplicates: 0, head: 1_000 });
    expect(idsOf(await entriesOf(eventLog))).toEqual(events.map(({ id }) => id));
  });

  it("gives every entry a tag of its own and the log's clock, which never goes back", async () => {
    const { eventLog } = await create();
    const before = Date.now();
    for (let i = 0; i < 20; i++) await eventLog.append(sampleEvents(5, `batch-${i}`));
    const entries = await entriesOf(eventLog);
    expect(new Set(entries.map(({ tag }) => tag)).size).toBe(100);
    expect(entries.every(({ tag }) => /^[\w-]{8}$/.test(tag))).toBe(true);
    const times = entries.map(({ receivedAt }) => receivedAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.every((time) => time >= before - 1_000 && time <= Date.now() + 1_000)).toBe(true);
  });

  it("keeps each batch together and in order when many come at once", async () => {
    const { eventLog } = await create();
    const batches = Array.from({ length: 20 }, (_, b) => sampleEvents(50, `batch-${b}`));
    const results = await Promise.all(batches.map((batch) => eventLog.append(batch)));
    expect(results.every(({ appended }) => appended === 50)).toBe(true);
    const entries = await entriesOf(eventLog);
    expect(numbersOf(entries)).toEqual(numbersFrom(1, 1_000));
    const runs = Array.from({ length: 20 }, (_, b) => idsOf(entries.slice(b * 50, b * 50 + 50)));
    const expected = batches.map((batch) => batch.map(({ id }) => id));
    expect(runs.toSorted()).toEqual(expected.toSorted());
    // Each was told a head that covers its own events.
    for (const [b, { head }] of results.entries()) {
      const last = entries.find(({ event }) => event?.id === `batch-${b}-50`);
      expect(head).toBeGreaterThanOrEqual(last?.number ?? Number.NaN);
    }
  });

  it("appends one of ten equal batches that come at once, and counts the others as duplicates", async () => {
    const { eventLog } = await create();
    const batch = sampleEvents(30);
    const results = await Promise.all(Array.from({ length: 10 }, () => eventLog.append(batch)));
    const sum = (field: keyof AppendResult) => results.reduce((total, result) => total + result[field], 0);
    expect([sum("appended"), sum("duplicates")]).toEqual([30, 270]);
    expect(results.every(({ head }) => head === 30)).toBe(true);
    expect(idsOf(await entriesOf(eventLog))).toEqual(batch.map(({ id }) => id));
  });

  it("leaves out the events of a batch that it knows, and those that stand in it twice", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(2));
    const [first, second] = [sampleEvent({ id: "new-1" }), sampleEvent({ id: "new-2" })];
    const result = await eventLog.append([sampleEvent({ id: "event-2" }), first, first, second]);
    expect(result).toEqual({ appended: 2, duplicates: 2, head: 4 });
    expect(idsOf(await entriesOf(eventLog))).toEqual(["event-1", "event-2", "new-1", "new-2"]);
  });

  it("knows an event again after the store was closed and opened", async () => {
    const store = await create();
    await store.eventLog.append(sampleEvents(3));
    const again = await store.open();
    expect(await again.append(sampleEvents(4))).toEqual({ appended: 1, duplicates: 3, head: 4 });
  });
});

describeEachLog("deduplication window", ({ create }) => {
  it("ends with the number of later events", async () => {
    const { eventLog } = await create({ deduplicationEvents: 3 });
    await eventLog.append([sampleEvent({ id: "a" })]);
    await eventLog.append(sampleEvents(2, "later"));
    // "a" is the third of the last three.
    expect(await eventLog.append([sampleEvent({ id: "a" })])).toEqual({ appended: 0, duplicates: 1, head: 3 });
    await eventLog.append([sampleEvent({ id: "one-more" })]);
    expect(await eventLog.append([sampleEvent({ id: "a" })])).toEqual({ appended: 1, duplicates: 0, head: 5 });
    expect((await eventLog.findById("a"))?.number).toBe(5);
    expect(await eventLog.append([sampleEvent({ id: "a" })])).toEqual({ appended: 0, duplicates: 1, head: 5 });
  });

  it("ends with the time", async () => {
    const { eventLog } = await create({ deduplicationMs: 40 });
    await eventLog.append([sampleEvent({ id: "a" })]);
    const first = await eventLog.findById("a");
    await untilClockPasses(eventLog, (first?.receivedAt ?? 0) + 40);
    expect(await eventLog.append([sampleEvent({ id: "a" })])).toMatchObject({ appended: 1, duplicates: 0 });
    expect((await eventLog.findById("a"))?.number).toBe((await eventLog.head()).number);
  });

  it("outlasts the log", async () => {
    const { eventLog } = await create({ retentionEvents: 2 });
    await eventLog.append(sampleEvents(10));
    expect(await eventLog.findById("event-1")).toBeNull();
    expect(await eventLog.append(sampleEvents(10))).toEqual({ appended: 0, duplicates: 10, head: 10 });
  });

  it("may be shorter than the log, which still finds what it holds", async () => {
    const { eventLog } = await create({ deduplicationEvents: 1, retentionEvents: 4 });
    await eventLog.append(sampleEvents(3));
    expect((await eventLog.findById("event-1"))?.number).toBe(1);
    await eventLog.append([sampleEvent({ id: "event-1" })]);
    expect((await eventLog.findById("event-1"))?.number).toBe(4);
    expect(idsOf(await entriesOf(eventLog))).toEqual(["event-1", "event-2", "event-3", "event-1"]);
  });
});

describeEachLog("retention", ({ create }) => {
  it("holds no more than the limit's count, in single appends and in a batch that is larger", async () => {
    const { eventLog } = await create({ retentionEvents: 5 });
    for (let i = 0; i < 12; i++) {
      await eventLog.append([sampleEvent({ id: `single-${i}` })]);
      const { oldest, number } = await eventLog.head();
      expect(oldest).toBe(Math.max(1, number - 4));
    }
    await eventLog.append(sampleEvents(40));
    expect(numbersOf(await entriesOf(eventLog))).toEqual(numbersFrom(48, 5));
    expect((await eventLog.head()).oldest).toBe(48);
  });

  it("finds nothing of what was trimmed, under any filter", async () => {
    const { eventLog } = await create({ retentionEvents: 10 });
    const events = sampleEvents(3_000, "event", (i) => ({
      tags: ["every", `tag-${i % 7}`],
      email: `${i}@example.com`,
    }));
    await appendMany(eventLog, events);
    const find = (field: "tag" | "email" | "type", value: string) =>
      eventLog.find({ filter: [{ field, anyOf: [value] }], order: "newest-first", limit: 100 });
    expect(numbersOf((await find("tag", "every")).entries)).toEqual(numbersFrom(2_991, 10).reverse());
    expect(numbersOf((await find("type", "send")).entries)).toEqual(numbersFrom(2_991, 10).reverse());
    expect((await find("email", "7@example.com")).entries).toEqual([]);
    expect(numbersOf((await find("email", "2995@example.com")).entries)).toEqual([2_996]);
    expect(await eventLog.findById("event-2990")).toBeNull();
    expect((await eventLog.findById("event-2991"))?.number).toBe(2_991);
  });

  it("trims what is over the age, and tells how many", async () => {
    const { eventLog: younger } = await create();
    await younger.append(sampleEvents(3));
    expect(await younger.trim()).toBe(0);
    const { eventLog } = await create({ retentionMs: 40 });
    await eventLog.append(sampleEvents(3));
    const [first] = await entriesOf(eventLog);
    await untilClockPasses(eventLog, (first?.receivedAt ?? 0) + 40);
    const before = await eventLog.head();
    const trimmed = await eventLog.trim();
    expect(trimmed).toBeGreaterThanOrEqual(3);
    const after = await eventLog.head();
    expect(after).toMatchObject({ number: before.number, tag: before.tag, oldest: before.oldest + trimmed });
    expect(numbersOf(await entriesOf(eventLog))).toEqual(numbersFrom(after.oldest, after.number - after.oldest + 1));
    expect(await eventLog.findById("event-3")).toBeNull();
  });

  it("never trims the newest entry", async () => {
    const { eventLog } = await create({ retentionMs: 0, retentionEvents: 1 });
    expect(await eventLog.trim()).toBe(0);
    await eventLog.append(sampleEvents(3));
    for (let i = 0; i < 20; i++) await eventLog.trim();
    expect(await eventLog.head()).toMatchObject({ number: 3, oldest: 3 });
    expect(idsOf(await entriesOf(eventLog))).toEqual(["event-3"]);
  });

  it("holds to a narrower count from its next append on", async () => {
    const store = await create({ retentionEvents: 100 });
    await store.eventLog.append(sampleEvents(50));
    const narrower = await store.open({
      retentionEvents: 10,
      retentionMs: 86_400_000,
      deduplicationMs: 86_400_000,
      deduplicationEvents: 1_000,
    });
    await narrower.append([sampleEvent({ id: "next" })]);
    expect(numbersOf(await entriesOf(narrower))).toEqual(numbersFrom(42, 10));
    await narrower.trim();
    expect(numbersOf(await entriesOf(narrower))).toEqual(numbersFrom(42, 10));
  });
});
