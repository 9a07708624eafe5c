import { expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import { type EventFilter, filterFromArguments } from "../../src/event/event-filter.ts";
import type { EventLog, MarkedEntry } from "../../src/event-log/event-log.ts";
import { type SampleFields, sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { describeEachLog, entriesOf, idsOf, numbersOf, originOf } from "../harness/log-suite.ts";

const ADA = "ada.lovelace@example.com";
const SPELLINGS = [ADA, "Ada.Lovelace@Example.COM", "ADA.LOVELACE@EXAMPLE.COM"];
const LIMIT = { entries: 10_000, bytes: 100_000_000 };

/** Ada's events are those of the numbers 3, 6, 9 …, spelled in every way, within batches of `size`. */
function fieldsOf(i: number): SampleFields {
  const isAda = i % 3 === 2;
  const email = isAda ? SPELLINGS[i % SPELLINGS.length] : `reader-${i}@example.com`;
  return {
    email,
    type: i % 2 === 0 ? "send" : "open",
    messageId: `message-${isAda ? "ada" : i}`,
    tags: ["all", ...(isAda ? ["hers"] : [])],
    subaccount: i % 4 === 0 ? "acme" : null,
    raw: { event: "send", msg: { email: email as string, metadata: { to: (email as string).toUpperCase() } } },
    bytes: 0,
  };
}

async function fill(eventLog: EventLog, batches: number, size: number): Promise<void> {
  const events = sampleEvents(batches * size, "event", fieldsOf);
  for (let i = 0; i < batches; i++) await eventLog.append(events.slice(i * size, (i + 1) * size));
}

const found = async (eventLog: EventLog, filter: EventFilter) =>
  numbersOf((await eventLog.find({ filter, order: "oldest-first", limit: 500 })).entries);

const total = async (eventLog: EventLog, filter: EventFilter) => {
  const rows = await eventLog.count({ from: 0, to: Date.now() + 120_000, buckets: 1, filter });
  return rows.reduce((sum, { count }) => sum + count, 0);
};

const FILTERS: readonly EventFilter[] = [
  [],
  filterFromArguments({ types: ["send", "open"] }),
  filterFromArguments({ types: ["open"], subaccount: "acme" }),
  filterFromArguments({ subaccount: "acme" }),
  filterFromArguments({ tag: "all" }),
  filterFromArguments({ tag: "hers" }),
  filterFromArguments({ messageId: "message-ada" }),
  filterFromArguments({ email: ADA }),
];

describeEachLog("erasing a recipient", ({ create, implementation }) => {
  it("leaves entries without an event in their places, and all others as they were", async () => {
    const { eventLog } = await create();
    await fill(eventLog, 5, 12);
    const origin = originOf(await eventLog.head());
    const before = (await eventLog.read(origin, LIMIT)).entries;
    expect(await eventLog.erase(` ${SPELLINGS[1]} `)).toBe(20);
    const { entries, head } = await eventLog.read(origin, LIMIT);
    const places = ({ cursor, number, tag, receivedAt }: (typeof before)[number]) => ({
      cursor,
      number,
      tag,
      receivedAt,
    });
    expect(entries.map(places)).toEqual(before.map(places));
    for (const [i, entry] of entries.entries()) expect(entry.event).toEqual(i % 3 === 2 ? null : before[i]?.event);
    expect(head).toMatchObject({ number: 60, oldest: 1, tag: before.at(-1)?.tag });
  });

  it("takes them out of every filter, out of the counts, and from under their ids", async () => {
    const { eventLog } = await create();
    await fill(eventLog, 4, 15);
    const before = await Promise.all(FILTERS.map((filter) => found(eventLog, filter)));
    expect(before.map(({ length }) => length)).toEqual([60, 60, 0, 15, 60, 20, 20, 20]);
    await eventLog.erase(ADA);
    for (const [i, filter] of FILTERS.entries()) {
      const left = (before[i] as number[]).filter((number) => number % 3 !== 0);
      expect(await found(eventLog, filter)).toEqual(left);
      expect(await total(eventLog, filter)).toBe(left.length);
    }
    expect(await eventLog.findById("event-3")).toBeNull();
    expect((await eventLog.findById("event-4"))?.number).toBe(4);
  });

  it("never counts them again, when the log has trimmed all of it either", async () => {
    const store = await create();
    await fill(store.eventLog, 3, 20);
    // The minute in which they were received may be over by the time that they are erased.
    await store.eventLog.erase(ADA);
    const narrow = await store.open({
      retentionEvents: 7,
      retentionMs: 86_400_000,
      deduplicationMs: 86_400_000,
      deduplicationEvents: 100,
    });
    await narrow.trim();
    expect(await found(narrow, [])).toEqual([55, 56, 58, 59]);
    expect(await total(narrow, [])).toBe(40);
    expect(await total(narrow, filterFromArguments({ subaccount: "acme" }))).toBe(10);
    expect((await narrow.read((await narrow.head()) as Position, LIMIT)).entries).toEqual([]);
  });

  it("leaves a head to go on from, and places to resume from", async () => {
    const { eventLog } = await create();
    await fill(eventLog, 1, 9);
    const before = (await eventLog.read(originOf(await eventLog.head()), LIMIT)).entries;
    await eventLog.erase(ADA);
    expect(await eventLog.head()).toMatchObject({ number: 9, tag: before[8]?.tag, cursor: before[8]?.cursor });
    expect(await eventLog.append([sampleEvent({ id: "later" })])).toMatchObject({ appended: 1, head: 10 });
    for (const number of [3, 6, 9]) {
      const entry = before[number - 1] as Position;
      expect((await eventLog.read(entry, LIMIT)).entries).toHaveLength(10 - number);
      const page = await eventLog.find({ filter: [], order: "newest-first", limit: 50, from: entry });
      expect(numbersOf(page.entries)).toEqual([8, 7, 5, 4, 2, 1].filter((n) => n < number));
      await expect(eventLog.read({ ...entry, tag: "00000000" }, LIMIT)).rejects.toMatchObject({
        code: "CURSOR_UNKNOWN",
      });
    }
  });

  it("does not let a redelivery bring them back, and takes what comes later", async () => {
    const { eventLog } = await create();
    await fill(eventLog, 1, 9);
    await eventLog.erase(ADA);
    expect(await eventLog.append(sampleEvents(9, "event", fieldsOf))).toEqual({ appended: 0, duplicates: 9, head: 9 });
    await eventLog.append([sampleEvent({ id: "new", email: ADA })]);
    expect(
      idsOf((await eventLog.find({ filter: FILTERS[7] as EventFilter, order: "newest-first", limit: 9 })).entries),
    ).toEqual(["new"]);
    expect(await eventLog.erase(ADA)).toBe(1);
  });

  it("leaves no byte of the address in the store, in whatever spelling", async () => {
    const store = await create();
    const { eventLog } = store;
    const readers = sampleEvents(3_000, "many", (i) => ({
      email: `reader-${(i * 7_919) % 3_001}@example.com`,
      bytes: 50,
    }));
    for (let i = 0; i < 3; i++) {
      await eventLog.append(readers.slice(i * 1_000, (i + 1) * 1_000));
      await eventLog.append(
        sampleEvents(20, `hers-${i}`, (k) => ({
          ...fieldsOf(k * 3 + 2),
          bytes: k === 5 ? 40_000 : 10,
          raw: undefined,
        })),
      );
    }
    await fill(eventLog, 3, 40);
    expect(await store.holds(ADA)).toBe(true);
    expect(await eventLog.erase(ADA)).toBe(100);
    expect(await store.holds(ADA)).toBe(false);
    expect(await store.holds("reader-77@example.com")).toBe(true);
    expect(await entriesOf(eventLog)).toHaveLength(3_080);
    await (await store.open()).check();
    expect(await store.holds(ADA)).toBe(false);
  });

  it("leaves none of the address where the log has trimmed a part of an append either", async () => {
    const store = await create();
    await store.eventLog.append(sampleEvents(40, "event", (i) => ({ email: i < 20 ? ADA : null, tags: ["all"] })));
    await store.eventLog.append([sampleEvent({ id: "other" })]);
    const narrow = await store.open({
      retentionEvents: 10,
      retentionMs: 86_400_000,
      deduplicationMs: 86_400_000,
      deduplicationEvents: 5,
    });
    await narrow.trim();
    await narrow.erase(ADA);
    expect(await store.holds(ADA)).toBe(false);
    await narrow.append(sampleEvents(50, "more", () => ({ tags: ["all"] })));
    await narrow.trim();
    expect(await found(narrow, filterFromArguments({ tag: "all" }))).toHaveLength(10);
  });

  it("is over at once for a stranger, in an empty log too, and may be asked for again", async () => {
    const { eventLog } = await create();
    expect(await eventLog.erase(ADA)).toBe(0);
    await fill(eventLog, 1, 6);
    expect(await eventLog.erase("nobody@example.com")).toBe(0);
    expect(await eventLog.erase(ADA)).toBe(2);
    expect(await eventLog.erase(ADA)).toBe(0);
    expect(await entriesOf(eventLog)).toHaveLength(4);
  });

  it("lets appends in between, and goes on where it was cut off", async () => {
    const store = await create();
    const hers = sampleEvents(450, "hers", () => ({ email: ADA }));
    for (let i = 0; i < 9; i++) await store.eventLog.append(hers.slice(i * 50, (i + 1) * 50));
    const erasing = store.eventLog.erase(ADA);
    const appends = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.eventLog.append(sampleEvents(2, `between-${i}`))),
    );
    expect(appends.every(({ appended }) => appended === 2)).toBe(true);
    const cut = Promise.allSettled([erasing]);
    await store.eventLog.close();
    await cut;
    const next = await store.open();
    await next.erase(ADA);
    const { entries } = await next.read(originOf(await next.head()), LIMIT);
    expect(entries.filter(({ isErased }) => isErased)).toHaveLength(450);
    expect(entries.filter(({ isErased }) => !isErased)).toHaveLength(40);
    expect(await store.holds(ADA)).toBe(false);
  });

  it("tells the listeners of every instance which entries they are to forget", async () => {
    const store = await create();
    const listening = implementation.severalHandles ? await store.open() : store.eventLog;
    const heard: MarkedEntry[] = [];
    const all = Promise.withResolvers<void>();
    const listens = Promise.withResolvers<void>();
    listening.onWakeUp(({ erased }) => {
      listens.resolve();
      heard.push(...(erased ?? []));
      if (heard.length === 20) all.resolve();
    });
    await fill(store.eventLog, 1, 59);
    await listens.promise;
    const hers = (await store.eventLog.find({ filter: FILTERS[7] as EventFilter, order: "oldest-first", limit: 50 }))
      .entries;
    await store.eventLog.append([sampleEvent({ id: "last", email: ADA })]);
    await store.eventLog.erase(ADA);
    await all.promise;
    expect(heard.slice(0, 19)).toEqual(hers.map(({ number, tag }) => ({ number, tag })));
    expect(heard[19]?.number).toBe(60);
  });
});
