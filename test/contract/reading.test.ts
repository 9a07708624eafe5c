import { expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import type { EventLog, WakeUp } from "../../src/event-log/event-log.ts";
import { sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { describeEachLog, entriesOf, idsOf, numbersOf, originOf } from "../harness/log-suite.ts";

const ALL = { entries: 10_000, bytes: 100_000_000 };

/** Where the log reaches from and to, as an error names it. */
async function endsOf(eventLog: EventLog): Promise<{ oldest: string | undefined; head: string }> {
  const [oldest] = await entriesOf(eventLog);
  return { oldest: oldest?.cursor, head: (await eventLog.head()).cursor };
}

describeEachLog("reading", ({ create }) => {
  it("begins empty: number 0, nothing to read", async () => {
    const { eventLog } = await create();
    const head = await eventLog.head();
    expect(head).toMatchObject({ number: 0, tag: "AAAAAAAA", oldest: 1 });
    expect(head.epoch).toMatch(/^[0-9a-f]{8}$/);
    expect(await eventLog.read(head, ALL)).toEqual({ entries: [], head });
    expect(await eventLog.positionOf(head.cursor)).toEqual({ epoch: head.epoch, number: 0, tag: "AAAAAAAA" });
  });

  it("reads what follows a position, with the head of the same snapshot", async () => {
    const { eventLog } = await create();
    const origin = originOf(await eventLog.head());
    await eventLog.append(sampleEvents(10));
    const whole = await eventLog.read(origin, ALL);
    expect(numbersOf(whole.entries)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(whole.head).toEqual(await eventLog.head());
    expect(whole.head).toMatchObject({ number: 10, tag: whole.entries[9]?.tag, cursor: whole.entries[9]?.cursor });
    const rest = await eventLog.read(whole.entries[6] as Position, ALL);
    expect(rest.entries).toEqual(whole.entries.slice(7));
    expect((await eventLog.read(whole.head, ALL)).entries).toEqual([]);
  });

  it("reads no more than the limit's entries", async () => {
    const { eventLog } = await create();
    const origin = originOf(await eventLog.head());
    await eventLog.append(sampleEvents(10));
    const chunk = await eventLog.read(origin, { entries: 4, bytes: ALL.bytes });
    expect(numbersOf(chunk.entries)).toEqual([1, 2, 3, 4]);
    expect(chunk.head.number).toBe(10);
  });

  it("reads about the limit's bytes, but one entry always", async () => {
    const { eventLog } = await create();
    const origin = originOf(await eventLog.head());
    await eventLog.append(sampleEvents(10, "large", () => ({ bytes: 100_000 })));
    const some = await eventLog.read(origin, { entries: 10, bytes: 350_000 });
    expect(numbersOf(some.entries)).toEqual([1, 2, 3]);
    expect(some.entries.every(({ bytes }) => bytes > 100_000 && bytes < 110_000)).toBe(true);
    expect(numbersOf((await eventLog.read(origin, { entries: 10, bytes: 1 })).entries)).toEqual([1]);
  });

  it("gives an event back as it came, one of 2 MB included", async () => {
    const { eventLog } = await create();
    const raw = JSON.parse(
      '{"__proto__":{"polluted":true},"text":"\\u0000 \\ud83d\\ude00 \\" \\\\ <b>","deep":[[[null,1.5]]]}',
    );
    const events = [sampleEvent({ id: "odd", type: "click", raw }), sampleEvent({ id: "huge", bytes: 2_000_000 })];
    await eventLog.append(events);
    const entries = await entriesOf(eventLog);
    expect(entries.map(({ event }) => JSON.stringify(event))).toEqual(events.map((event) => JSON.stringify(event)));
    expect((await eventLog.findById("huge"))?.bytes).toBeGreaterThan(2_000_000);
  });

  it("rejects with CURSOR_EXPIRED below the oldest entry, and names both ends of the log", async () => {
    const { eventLog } = await create({ retentionEvents: 3 });
    const origin = originOf(await eventLog.head());
    await eventLog.append(sampleEvents(2));
    const [first] = await entriesOf(eventLog);
    await eventLog.append(sampleEvents(2, "later"));
    const extensions = await endsOf(eventLog);
    await expect(eventLog.read(first as Position, ALL)).rejects.toMatchObject({ code: "CURSOR_EXPIRED", extensions });
    await expect(eventLog.read(origin, ALL)).rejects.toMatchObject({ code: "CURSOR_EXPIRED", extensions });
    const [oldest] = await entriesOf(eventLog);
    expect(numbersOf((await eventLog.read(oldest as Position, ALL)).entries)).toEqual([3, 4]);
  });

  it("rejects with CURSOR_UNKNOWN what is not of this log", async () => {
    const { eventLog } = await create();
    const empty = await eventLog.head();
    const unknown = { code: "CURSOR_UNKNOWN" };
    await expect(eventLog.read({ ...empty, number: 1 }, ALL)).rejects.toMatchObject(unknown);
    await eventLog.append(sampleEvents(5));
    const entries = await entriesOf(eventLog);
    const third = entries[2] as Position;
    const head = await eventLog.head();
    const foreign: Position[] = [
      { ...third, tag: entries[3]?.tag as string },
      { epoch: head.epoch, number: 3, tag: "AAAAAAAA" },
      { epoch: head.epoch, number: 6, tag: head.tag },
      { epoch: head.epoch, number: 0, tag: third.tag },
      { epoch: head.epoch === "00000000" ? "00000001" : "00000000", number: 3, tag: third.tag },
    ];
    for (const { epoch, number, tag } of foreign) {
      await expect(eventLog.read({ epoch, number, tag }, ALL)).rejects.toMatchObject(unknown);
    }
  });
});

describeEachLog("cursors", ({ create, implementation }) => {
  it("name positions, and nothing else does", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(3));
    for (const entry of await entriesOf(eventLog)) {
      const { epoch, number, tag } = entry;
      expect(entry.cursor).toMatch(/^[\w-]{22}$/);
      expect(await eventLog.positionOf(entry.cursor)).toEqual({ epoch, number, tag });
    }
    for (const other of ["", "1-0", "not a cursor of any log at all", "é".repeat(22)]) {
      expect(await eventLog.positionOf(other)).toBeNull();
    }
  });

  it("of another log are none of this one", async () => {
    const [{ eventLog }, { eventLog: other }] = [await create(), await create()];
    await eventLog.append(sampleEvents(3));
    await other.append(sampleEvents(3));
    const position = await eventLog.positionOf((await other.head()).cursor);
    if (position !== null) {
      await expect(eventLog.read(position, ALL)).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    }
    expect((await other.head()).epoch).not.toBe((await eventLog.head()).epoch);
  });

  it("are good after the store was closed and opened, and so is all else", async () => {
    const store = await create();
    await store.eventLog.append(sampleEvents(5));
    const before = { head: await store.eventLog.head(), entries: await entriesOf(store.eventLog) };
    await store.eventLog.close();
    const again = await store.open();
    expect(await again.head()).toEqual(before.head);
    expect((await entriesOf(again)).map((entry) => ({ ...entry, cursor: entry.cursor }))).toEqual(
      before.entries.map((entry) => ({ ...entry, cursor: entry.cursor })),
    );
    const position = await again.positionOf(before.entries[1]?.cursor as string);
    expect(idsOf((await again.read(position as Position, ALL)).entries)).toEqual(["event-3", "event-4", "event-5"]);
  });

  if (!implementation.severalHandles) return;

  it("are the same on two handles of one store", async () => {
    const store = await create();
    const other = await store.open();
    await store.eventLog.append(sampleEvents(3));
    expect(await other.head()).toEqual(await store.eventLog.head());
    expect((await entriesOf(other)).map(({ cursor }) => cursor)).toEqual(
      (await entriesOf(store.eventLog)).map(({ cursor }) => cursor),
    );
  });
});

describeEachLog("epoch", ({ create }) => {
  it("is renewed from the one that is known, after which no earlier position is good", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(3));
    const before = await eventLog.head();
    const [first] = await entriesOf(eventLog);
    const renewed = await eventLog.renewEpoch(before.epoch);
    expect(renewed).toMatch(/^[0-9a-f]{8}$/);
    expect(renewed).not.toBe(before.epoch);
    expect(await eventLog.head()).toMatchObject({ epoch: renewed, number: 3, tag: before.tag, oldest: 1 });
    const position = (await eventLog.positionOf(first?.cursor as string)) as Position;
    await expect(eventLog.read(position, ALL)).rejects.toMatchObject({ code: "CURSOR_UNKNOWN" });
    expect(idsOf(await entriesOf(eventLog))).toEqual(["event-1", "event-2", "event-3"]);
    expect(await eventLog.append(sampleEvents(4))).toEqual({ appended: 1, duplicates: 3, head: 4 });
  });

  it("is renewed once where two ask, and not where another than the present one is known", async () => {
    const { eventLog } = await create();
    const { epoch } = await eventLog.head();
    const [one, other] = await Promise.all([eventLog.renewEpoch(epoch), eventLog.renewEpoch(epoch)]);
    expect(one).toBe(other);
    expect(await eventLog.renewEpoch(epoch)).toBe(one);
    expect((await eventLog.head()).epoch).toBe(one);
  });
});

/** What a listener hears that knows the log's head, and a way to append until something is heard: a wake-up may be lost. */
async function listen(eventLog: EventLog) {
  await eventLog.head();
  const heard: WakeUp[] = [];
  const stop = eventLog.onWakeUp((wakeUp) => heard.push(wakeUp));
  let appended = 0;
  return {
    heard,
    stop,
    async appendUntil(isHeard: (wakeUp: WakeUp) => boolean, bytes = 0): Promise<WakeUp> {
      for (;;) {
        appended += 1;
        await eventLog.append(sampleEvents(3, `heard-${appended}`, () => ({ bytes })));
        const found = heard.find(isHeard);
        if (found !== undefined) return found;
      }
    },
  };
}

describeEachLog("wake-ups", ({ create, implementation }) => {
  it("tell how far the log reaches, and bring the entries along with what they follow", async () => {
    const { eventLog } = await create();
    const { appendUntil } = await listen(eventLog);
    const { number, run } = await appendUntil((wakeUp) => wakeUp.run !== undefined);
    const entries = await entriesOf(eventLog);
    const first = run?.entries[0]?.number as number;
    expect(run?.follows).toMatchObject(
      first === 1 ? originOf(await eventLog.head()) : { number: first - 1, tag: entries[first - 2]?.tag },
    );
    expect(number).toBeGreaterThanOrEqual(run?.entries.at(-1)?.number as number);
    const shown = (run?.entries ?? []).map((entry) => ({ ...entry, cursor: entry.cursor }));
    expect(shown).toEqual(entries.slice(first - 1, first + 2).map((entry) => ({ ...entry, cursor: entry.cursor })));
    expect(shown).toHaveLength(3);
  });

  it("come in order, without the entries where these are large", async () => {
    const { eventLog } = await create();
    const { heard, appendUntil } = await listen(eventLog);
    await appendUntil(({ number }) => number !== undefined, 100_000);
    for (let i = 0; i < 10; i++) await eventLog.append(sampleEvents(1, `more-${i}`));
    await appendUntil(({ number = 0 }) => number > 10);
    const large = heard.filter(({ number = 0 }) => number <= 3);
    expect(large.every(({ run }) => run === undefined)).toBe(true);
    const numbers = heard.flatMap(({ number }) => (number === undefined ? [] : [number]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it("come to every listener until it stops", async () => {
    const { eventLog } = await create();
    const [one, other] = [await listen(eventLog), await listen(eventLog)];
    await one.appendUntil(({ number }) => number !== undefined);
    await other.appendUntil(({ number }) => number !== undefined);
    one.stop();
    const before = one.heard.length;
    const after = other.heard.length;
    while (other.heard.length < after + 2) await other.appendUntil(() => true);
    expect(one.heard.length).toBe(before);
  });

  if (!implementation.severalHandles) return;

  it("come from appends by another handle", async () => {
    const store = await create();
    const { heard } = await listen(await store.open());
    for (let i = 0; heard.every(({ run }) => run === undefined); i++) {
      await store.eventLog.append(sampleEvents(1, `other-${i}`));
    }
    const run = heard.find((wakeUp) => wakeUp.run !== undefined)?.run;
    const number = run?.entries[0]?.number as number;
    expect(idsOf(run?.entries ?? [])).toEqual([`other-${number - 1}-1`]);
  });
});
