import { describe, expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import type { Entry } from "../../src/event/entry.ts";
import {
  type Condition,
  type EventFilter,
  FILTER_FIELDS,
  filterFromArguments,
  matchesFilter,
} from "../../src/event/event-filter.ts";
import { EVENT_TYPES } from "../../src/event/event-type.ts";
import type { EventLog, FindQuery } from "../../src/event-log/event-log.ts";
import { type SampleFields, sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { appendMany, describeEachLog, entriesOf, idsOf, numbersOf, originOf, pagesOf } from "../harness/log-suite.ts";

const ORDERS = ["newest-first", "oldest-first"] as const;

/** Events that differ in every field, some values common, some rare. */
function variedFields(i: number): SampleFields {
  return {
    type: EVENT_TYPES[(i * i + 3 * i) % EVENT_TYPES.length],
    email: i % 11 === 0 ? null : `Person-${(i * 7) % 40}@Example.com`,
    messageId: i % 13 === 0 ? null : `message-${Math.floor(i / 3)}`,
    tags: ["every", ...(i % 2 === 0 ? ["even"] : []), ...(i % 500 === 3 ? ["rare"] : [])],
    subaccount: i % 5 === 0 ? null : `account-${i % 4}`,
  };
}

const VALUES: Readonly<Record<string, readonly string[][]>> = {
  type: [["open"], ["open", "click", "send"], ["inbound"], []],
  email: [["person-7@example.com"], ["nobody@example.com"]],
  messageId: [["message-250"], ["message-251", "message-3"], ["none"]],
  tag: [["every"], ["even"], ["rare"], ["rare", "even"], ["none"]],
  subaccount: [["account-2"], ["account-2", "account-3"], ["none"]],
};

const CONDITIONS: readonly Condition[] = FILTER_FIELDS.flatMap((field) =>
  (VALUES[field] ?? []).map((anyOf) => ({ field, anyOf })),
);

/** No condition, each of them, each two of them, and some of more. */
const FILTERS: readonly EventFilter[] = [
  [],
  ...CONDITIONS.map((condition) => [condition]),
  ...CONDITIONS.flatMap((one, i) => CONDITIONS.slice(i + 1).map((other) => [one, other])),
  filterFromArguments({ types: ["open"], email: "PERSON-7@example.COM", tag: "even", subaccount: "account-3" }),
  filterFromArguments({ types: ["open", "send"], tag: "even", subaccount: "account-2", messageId: "message-250" }),
];

/** What a query is to give: asked of every entry. */
function expectedOf(entries: readonly Entry[], { filter, order, from, since }: FindQuery): number[] {
  const found = entries.filter(
    ({ event, number }) =>
      event !== null &&
      matchesFilter(filter, event) &&
      (since === undefined || number > since.number) &&
      (from === undefined || (order === "newest-first" ? number < from.number : number > from.number)),
  );
  return numbersOf(order === "newest-first" ? found.reverse() : found);
}

async function foundBy(eventLog: EventLog, query: FindQuery): Promise<number[]> {
  return (await pagesOf(eventLog, query)).flatMap(({ entries }) => numbersOf(entries));
}

describeEachLog("finding", ({ create }) => {
  it("gives what every filter asks for, in both orders, once each over all pages", async () => {
    const { eventLog } = await create({ retentionEvents: 1_000 });
    await appendMany(eventLog, sampleEvents(1_500, "event", variedFields));
    const entries = await entriesOf(eventLog);
    expect(entries).toHaveLength(1_000);
    for (const filter of FILTERS) {
      for (const order of ORDERS) {
        const query = { filter, order, limit: 97 };
        expect(await foundBy(eventLog, query), JSON.stringify(query)).toEqual(expectedOf(entries, query));
      }
    }
  });

  it("pages through thousands without a loss or a double, whatever the limit", async () => {
    const { eventLog } = await create();
    await appendMany(eventLog, sampleEvents(5_000, "event", variedFields));
    const entries = await entriesOf(eventLog);
    const filters: EventFilter[] = [[], filterFromArguments({ tag: "even" }), filterFromArguments({ types: ["open"] })];
    for (const filter of filters) {
      for (const [order, limit] of [
        ["newest-first", 500],
        ["oldest-first", 61],
      ] as const) {
        const query = { filter, order, limit };
        const pages = await pagesOf(eventLog, query);
        expect(pages.flatMap((page) => numbersOf(page.entries))).toEqual(expectedOf(entries, query));
        expect(pages.slice(0, -1).every((page) => page.entries.length === limit && page.hasMore)).toBe(true);
      }
    }
  });

  it("gives exactly the limit, and says that more follows only where it does", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(6, "event", (i) => ({ tags: [i % 2 === 0 ? "even" : "odd"] })));
    const find = (limit: number) =>
      eventLog.find({ filter: filterFromArguments({ tag: "odd" }), order: "newest-first", limit });
    expect(await find(2)).toMatchObject({ entries: [{ number: 6 }, { number: 4 }], hasMore: true });
    expect(await find(3)).toMatchObject({ entries: [{ number: 6 }, { number: 4 }, { number: 2 }], hasMore: false });
    const page = await find(2);
    expect(page.end).toBe(page.entries[1]?.cursor);
  });

  it("sees at once what was appended since the last look", async () => {
    const { eventLog } = await create();
    const filter = filterFromArguments({ tag: "every", types: ["send"] });
    for (let round = 1; round <= 12; round++) {
      await eventLog.append(sampleEvents(100, `round-${round}`, () => ({ tags: ["every"] })));
      const newest = await eventLog.find({ filter, order: "newest-first", limit: 100 });
      expect(numbersOf(newest.entries)).toEqual(Array.from({ length: 100 }, (_, i) => round * 100 - i));
      const oldest = await eventLog.find({ filter, order: "oldest-first", limit: 2_000 });
      expect(oldest.entries).toHaveLength(round * 100);
    }
  });

  it("goes on behind a position, and after another", async () => {
    const { eventLog } = await create();
    await appendMany(eventLog, sampleEvents(300, "event", variedFields));
    const entries = await entriesOf(eventLog);
    const at = (number: number) => entries[number - 1] as Position;
    for (const filter of [
      [],
      filterFromArguments({ tag: "even" }),
      filterFromArguments({ types: ["open", "click"] }),
    ]) {
      for (const order of ORDERS) {
        for (const [from, since] of [
          [at(150), undefined],
          [undefined, at(150)],
          [at(200), at(100)],
          [at(1), at(300)],
        ]) {
          const query = { filter, order, limit: 40, from, since };
          expect(await foundBy(eventLog, query)).toEqual(expectedOf(entries, query));
        }
      }
    }
  });

  it("tells the head, of the snapshot that was looked at", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(5));
    const query: FindQuery = { filter: [], order: "newest-first", limit: 2 };
    expect((await eventLog.find(query)).head).toEqual(await eventLog.head());
    const [page] = await Promise.all([
      eventLog.find({ ...query, limit: 100 }),
      eventLog.append(sampleEvents(9, "new")),
    ]);
    expect(page.entries[0]?.number).toBe(page.head.number);
    expect(page.entries).toHaveLength(page.head.number);
  });

  it("answers for an empty log and for a filter that admits nothing", async () => {
    const { eventLog } = await create();
    const query: FindQuery = { filter: [], order: "newest-first", limit: 10 };
    const head = await eventLog.head();
    expect(await eventLog.find(query)).toEqual({ entries: [], hasMore: false, end: null, head });
    const origin = originOf(head);
    expect((await eventLog.find({ ...query, since: origin, from: origin })).entries).toEqual([]);
    await eventLog.append(sampleEvents(3));
    const nothing = await eventLog.find({ ...query, filter: [{ field: "type", anyOf: [] }] });
    expect(nothing).toMatchObject({ entries: [], hasMore: false, end: null });
    expect(
      (await eventLog.find({ ...query, order: "oldest-first", from: origin, since: origin })).entries,
    ).toHaveLength(3);
  });

  it("finds events by id, and nothing by an id that it does not have", async () => {
    const { eventLog } = await create();
    await eventLog.append(sampleEvents(5));
    const [, second] = await entriesOf(eventLog);
    const found = await eventLog.findById("event-2");
    expect([found?.number, found?.cursor, found?.event]).toEqual([2, second?.cursor, second?.event]);
    for (const id of ["event-6", "", "event-2 ", "__proto__"]) expect(await eventLog.findById(id)).toBeNull();
  });
});

describeEachLog("finding from a position", ({ create }) => {
  const query = { filter: [], limit: 10 } satisfies Partial<FindQuery>;

  async function trimmedLog() {
    const { eventLog } = await create({ retentionEvents: 3 });
    const origin = originOf(await eventLog.head());
    await eventLog.append(sampleEvents(2));
    const [trimmed] = (await entriesOf(eventLog)) as Position[] as [Position];
    await eventLog.append(sampleEvents(3, "later"));
    return { eventLog, trimmed, origin };
  }

  it("gives an empty last page where that was trimmed, newest first", async () => {
    const { eventLog, trimmed, origin } = await trimmedLog();
    for (const from of [trimmed, origin]) {
      const page = await eventLog.find({ ...query, order: "newest-first", from });
      expect(page).toEqual({ entries: [], hasMore: false, end: null, head: await eventLog.head() });
    }
  });

  it("rejects with CURSOR_EXPIRED where that was trimmed, oldest first", async () => {
    const { eventLog, trimmed, origin } = await trimmedLog();
    for (const from of [trimmed, origin]) {
      const found = eventLog.find({ ...query, order: "oldest-first", from });
      await expect(found).rejects.toMatchObject({ code: "CURSOR_EXPIRED" });
    }
  });

  it("rejects with CURSOR_EXPIRED where what it is to be later than was trimmed, in either order", async () => {
    const { eventLog, trimmed, origin } = await trimmedLog();
    for (const since of [trimmed, origin]) {
      for (const order of ORDERS) {
        await expect(eventLog.find({ ...query, order, since })).rejects.toMatchObject({ code: "CURSOR_EXPIRED" });
      }
    }
  });

  it("rejects with CURSOR_UNKNOWN where that is foreign, in either order", async () => {
    const { eventLog } = await trimmedLog();
    const { epoch, number, tag } = await eventLog.head();
    const otherEpoch = epoch === "00000000" ? "00000001" : "00000000";
    for (const foreign of [
      { epoch, number, tag: "________" },
      { epoch, number: 6, tag },
      { epoch: otherEpoch, number, tag },
    ]) {
      for (const order of ORDERS) {
        const unknown = { code: "CURSOR_UNKNOWN" };
        await expect(eventLog.find({ ...query, order, from: foreign })).rejects.toMatchObject(unknown);
        await expect(eventLog.find({ ...query, order, since: foreign })).rejects.toMatchObject(unknown);
      }
    }
  });
});

const ODD_VALUES = [
  "",
  " ",
  "a",
  "a:b",
  "b",
  "a:",
  ":b",
  "1:a",
  "0",
  "a\u0000b",
  "a\u0000",
  "\u0000",
  'say "hi"',
  "it's",
  "a,b",
  "[a]",
  "{a}",
  "*",
  "?",
  "%",
  "_",
  "\\",
  "\\u0000",
  "__proto__",
  "constructor",
  "null",
  "ÄÖÜ ß",
  "日本語",
  "😀",
  "e\u0301",
  "\u00e9",
  "\n",
  "\r\n",
  "~",
  "\uffff",
  "x".repeat(255),
  `${"x".repeat(100_000)}1`,
  `${"x".repeat(100_000)}2`,
];

describe.each(["tag", "messageId", "subaccount", "email"] as const)("%s", (field) => {
  describeEachLog(`odd values of ${field}`, ({ create }) => {
    it("are told apart", async () => {
      const { eventLog } = await create();
      const fieldsOf = (value: string): SampleFields => (field === "tag" ? { tags: [value] } : { [field]: value });
      // An address is compared without regard to case and to the space around it.
      const values = field === "email" ? ODD_VALUES.filter((v) => v === v.trim().toLowerCase()) : ODD_VALUES;
      await eventLog.append(values.map((value, i) => sampleEvent({ id: `odd-${i}`, ...fieldsOf(value) })));
      for (const [i, value] of values.entries()) {
        const { entries } = await eventLog.find({
          filter: [{ field, anyOf: [value] }],
          order: "newest-first",
          limit: 5,
        });
        expect(idsOf(entries), JSON.stringify(value.slice(0, 10))).toEqual([`odd-${i}`]);
      }
    });
  });
});

describeEachLog("an event with many tags", ({ create }) => {
  it("is found by each, once where it bears one twice", async () => {
    const { eventLog } = await create();
    const tags = Array.from({ length: 200 }, (_, i) => `tag-${i % 150}`);
    await eventLog.append([sampleEvent({ id: "many", tags }), sampleEvent({ id: "none" })]);
    for (const tag of ["tag-0", "tag-49", "tag-149"]) {
      const found = await eventLog.find({ filter: filterFromArguments({ tag }), order: "newest-first", limit: 5 });
      expect(idsOf(found.entries)).toEqual(["many"]);
    }
    const both: EventFilter = [
      { field: "tag", anyOf: ["tag-1"] },
      { field: "tag", anyOf: ["tag-2", "tag-1"] },
    ];
    expect(idsOf((await eventLog.find({ filter: both, order: "oldest-first", limit: 5 })).entries)).toEqual(["many"]);
  });
});
