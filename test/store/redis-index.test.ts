import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/event/event.ts";
import { type EventFilter, filterFromArguments, matchesFilter } from "../../src/event/event-filter.ts";
import { WHOLE_EVENTS } from "../../src/event/stored-event.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { listPlaces } from "../../src/event-log/places.ts";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import { createLogStates } from "../../src/event-log/redis/log-state.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sealTail } from "../../src/event-log/redis/sealing.ts";
import { termOf } from "../../src/event-log/redis/term.ts";
import { encodeBlock, fieldsOf, placesIn } from "../../src/event-log/redis/term-block.ts";
import { tailChanges } from "../../src/event-log/redis/term-erasure.ts";
import { IndexedEntries, placesOfTerms, termCode } from "../../src/event-log/redis/term-tail.ts";
import { createTermViews } from "../../src/event-log/redis/term-view.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { numbersOf, pagesOf } from "../harness/log-suite.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let server: RedisServer;
let keys: RedisKeys;
let made = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  made += 1;
  keys = createKeys(`index-${made}`);
  await server.client.flushall();
});

function open(tailBytes?: number, limits: LogLimits = WIDE_LIMITS): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const opened = openRedisEventLog({ connection, prefix: `index-${made}`, limits, tailBytes });
  onTestFinished(() => opened.close());
  return opened;
}

const varied = (count: number, prefix: string): Event[] =>
  sampleEvents(count, prefix, (i) => ({
    type: i % 3 === 0 ? "open" : "send",
    email: `${prefix}-${i % 50}@example.com`,
    tags: [prefix, `tag-${i % 7}`],
    subaccount: i % 2 === 0 ? "acme" : null,
  }));

const FILTERS: readonly EventFilter[] = [
  filterFromArguments({ types: ["open"] }),
  filterFromArguments({ types: ["send"], tag: "tag-3" }),
  filterFromArguments({ email: "B-7@example.com" }),
  filterFromArguments({ subaccount: "acme", tag: "c" }),
  filterFromArguments({ messageId: "message-a-5" }),
  filterFromArguments({ tag: "of-none" }),
];

async function expectFound(eventLog: EventLog, events: readonly Event[]): Promise<void> {
  for (const filter of FILTERS) {
    const numbers = events.flatMap((event, i) => (matchesFilter(filter, event) ? [i + 1] : []));
    for (const order of ["oldest-first", "newest-first"] as const) {
      const pages = await pagesOf(eventLog, { filter, order, limit: 20 });
      const found = pages.flatMap(({ entries }) => numbersOf(entries));
      expect(found).toEqual(order === "oldest-first" ? numbers : numbers.toReversed());
    }
  }
}

/** Some terms that few entries bear, and a few that many do. */
const someTerms = fc.uniqueArray(
  fc.oneof(fc.nat(3), fc.nat(200)).map((value) => termOf("tag", String(value))),
  { maxLength: 6 },
);

describe("the form of the index", () => {
  it("tells in the tail, in a block, and in a tail with erased entries, which entries bear a term", () => {
    fc.assert(
      fc.property(fc.array(fc.array(someTerms, { minLength: 1, maxLength: 80 }), { maxLength: 5 }), (appends) => {
        const indexed = new IndexedEntries();
        const borne: (readonly string[])[] = [];
        let lines = "";
        for (const append of appends) {
          const chunk = `${append.map((terms) => `${terms.join("")}\n`).join("")}#${borne.length + 8} abcdefgh\n`;
          indexed.addLines(Buffer.from(chunk));
          borne.push(...append);
          lines += chunk;
        }
        const view = indexed.view();
        expect(Array.from(view.numbers.subarray(0, view.length))).toEqual(borne.map((_, i) => i + 8));
        const gone = new Set(borne.flatMap((_, i) => (i % 3 === 0 ? [i + 8] : [])));
        let left = Buffer.from(lines);
        for (const { at, before, after } of tailChanges(Buffer.from(lines), gone)) {
          expect(left.subarray(at, at + before.length).equals(before)).toBe(true);
          left = Buffer.concat([left.subarray(0, at), after, left.subarray(at + before.length)]);
        }
        const reread = new IndexedEntries();
        reread.addLines(left);
        const flat = borne.length === 0 ? [] : encodeBlock(view, 0, view.length);
        const fields = new Map(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] as Uint8Array]] : [])));
        for (const term of new Set([...borne.flat(), termOf("tag", "none")])) {
          const code = termCode(term);
          const places = borne.flatMap((terms, i) => (terms.includes(term) ? [i] : []));
          expect(placesOfTerms(view, [code], 0, view.length, 8)).toEqual([places]);
          const kept = places.filter((place) => !gone.has(place + 8));
          expect(placesOfTerms(reread.view(), [code], 0, view.length, 8)).toEqual([kept]);
          const [common, bucket] = fieldsOf(code).map((field) => fields.get(field) ?? null);
          expect(listPlaces(placesIn(code, common ?? null, bucket ?? null))).toEqual(places);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("is refused where it is none", () => {
    for (const lines of ["abcdefgh", "abcdefgh\n"]) {
      expect(() => new IndexedEntries().addLines(Buffer.from(lines))).toThrow("cannot be read");
    }
  });
});

describe("the index of a Redis log", () => {
  it("finds the same whether it is a tail or blocks, whoever makes them while others append", async () => {
    const instances = [open(4_000), open(3_000), open(200_000)];
    const events: Event[] = [];
    for (const [i, prefix] of [..."abcdefgh"].entries()) {
      const batch = varied(150, prefix);
      events.push(...batch);
      await instances[i % instances.length]?.append(batch);
      for (const eventLog of instances) await expectFound(eventLog, events);
    }
    for (const eventLog of instances) await eventLog.close();
    expect(await server.client.zcard(keys.blocks)).toBeGreaterThan(0);
    await expectFound(open(), events);
  });

  it("goes with the entries, block by block, and leaves no key behind", async () => {
    for (const prefix of "abcdef") {
      const eventLog = open(1);
      await eventLog.append(varied(100, prefix));
      // What was begun has ended then: each has made a block.
      await eventLog.close();
    }
    const blocks = (await server.client.zrange(keys.blocks, 0, -1)).map(Number);
    expect(blocks).toEqual([1, 101, 201, 301, 401, 501]);
    const narrow = open(1, { ...WIDE_LIMITS, retentionEvents: 5, deduplicationEvents: 5 });
    await narrow.trim();
    expect(await server.client.zrange(keys.blocks, 0, -1)).toEqual(["501"]);
    const left = [keys.meta, keys.entries, keys.ids, keys.minutes, keys.minute, keys.blocks, keys.block(501)];
    const found = (await server.client.keys("*")).filter((key) => key !== keys.counts && key !== keys.tail);
    expect(found.sort()).toEqual(left.sort());
  });

  it("is forgotten with the log that it is of", async () => {
    const eventLog = open();
    await eventLog.append(varied(10, "a"));
    const others = (await server.client.keys("*")).filter((key) => key !== keys.tail);
    await server.client.del(...others);
    await eventLog.append(varied(6, "b"));
    await expectFound(eventLog, varied(6, "b"));
  });

  it("is read anew where another one has taken its place, though it is as long", async () => {
    const [known, other] = [open(), open()];
    const first = varied(3, "a");
    await known.append(first);
    const backup = await Promise.all(
      (await server.client.keys("*")).map(async (key) => [key, await server.client.dumpBuffer(key)] as const),
    );
    const lost = varied(3, "b");
    await known.append(lost);
    await expectFound(known, [...first, ...lost]);
    await server.client.flushall();
    for (const [key, dump] of backup) await server.client.restore(key, 0, dump as unknown as string);
    const instead = varied(3, "c");
    await other.append(instead);
    await expectFound(known, [...first, ...instead]);
  });

  it("is not made of a tail that something was erased from since it was read", async () => {
    const eventLog = open();
    await eventLog.append(varied(100, "a"));
    const { client } = server;
    const openView = createTermViews(keys, createLogStates(1_000, WHOLE_EVENTS));
    const before = await openView(client);
    if (before === null) throw new Error("there is no log");
    expect(await eventLog.erase("a-7@example.com")).toBe(2);
    await sealTail(client, keys, before.state, before);
    expect(await server.client.exists(keys.blocks)).toBe(0);
    const after = await openView(client);
    if (after === null) throw new Error("there is no log");
    await sealTail(client, keys, after.state, after);
    expect(await server.client.exists(keys.blocks, keys.tail)).toBe(1);
    const { entries } = await eventLog.find({ filter: FILTERS[0] as EventFilter, order: "oldest-first", limit: 500 });
    expect(entries).toHaveLength(33);
  });
});
