import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/event/event.ts";
import { filterFromArguments } from "../../src/event/event-filter.ts";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { createClient } from "../../src/event-log/redis/connection.ts";
import { convertLog } from "../../src/event-log/redis/conversion.ts";
import { createErase } from "../../src/event-log/redis/erasing.ts";
import { createIndexes } from "../../src/event-log/redis/indexes.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { createLink, type Link } from "../../src/event-log/redis/link.ts";
import { createLogStates } from "../../src/event-log/redis/log-state.ts";
import { createReading } from "../../src/event-log/redis/reading.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { SCRIPTS } from "../../src/event-log/redis/script.ts";
import { termOf } from "../../src/event-log/redis/term.ts";
import { parseEvent } from "../../src/mandrill/parse-event.ts";
import { RAW_EVENTS } from "../../src/mandrill/raw-events.ts";
import { makeFormerLog } from "../harness/former-log.ts";
import { entriesOf, numbersOf } from "../harness/log-suite.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const PREFIX = "former";
const keys = createKeys(PREFIX);

/** A key's value, by its type. */
interface Value {
  readonly hash?: Readonly<Record<string, string>>;
  /** Members and scores in turn. */
  readonly sortedSet?: readonly string[];
  readonly list?: readonly string[];
  readonly string?: string;
  readonly stream?: readonly (readonly [id: string, fields: readonly string[]])[];
}

/** By the key's name behind the prefix. */
type Log = Readonly<Record<string, Value>>;

/** What version 0.1.0 has left of {@link leaveAsBefore}, as its own code wrote it. */
const LEFT: Log = JSON.parse(readFileSync(new URL("../fixture/log-of-0.1.0.json", import.meta.url), "utf8"));

function eventOf(id: string, kind: string, fields: object): Event {
  const msg = { _id: `message-${id}`, email: "ada@example.com", tags: ["order"], ...fields };
  return parseEvent({ event: kind, _id: id, ts: 1_700_000_000, msg }, id, null);
}

const A = eventOf("a", "send", {});
const B = eventOf("b", "open", { subaccount: "acme" });
const LONG_TAG = "x".repeat(130);
const C = eventOf("c", "click", { email: "Grace@example.com", tags: ["order", LONG_TAG], subaccount: "acme" });
const D = eventOf("d", "send", { email: "lin@example.com", tags: [] });

async function leaveAsBefore(eventLog: EventLog): Promise<void> {
  await eventLog.append([A, B]);
  await eventLog.append([C, A, D]);
  await eventLog.erase("lin@example.com");
}

let server: RedisServer;
let client: Redis;
let link: Link;
beforeAll(async () => {
  server = await startRedisServer();
  ({ client } = server);
  const connection = { kind: "standalone", url: server.url } as const;
  link = createLink({ client: createClient(connection, "test", 30_000), connection, timeoutMs: 30_000 });
});
afterAll(async () => {
  await link.close();
  await server.stop();
});
beforeEach(async () => void (await client.flushall()));

function open(limits: LogLimits = WIDE_LIMITS): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const eventLog = openRedisEventLog({ connection, prefix: PREFIX, limits, form: RAW_EVENTS });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

async function restore(log: Log): Promise<void> {
  const pipeline = client.pipeline();
  for (const [name, { hash, sortedSet = [], list, stream = [] }] of Object.entries(log)) {
    const key = `{${PREFIX}}:${name}`;
    if (hash !== undefined) pipeline.hset(key, hash);
    for (let i = 0; i < sortedSet.length; i += 2) pipeline.zadd(key, sortedSet[i + 1] ?? "", sortedSet[i] ?? "");
    if (list !== undefined) pipeline.rpush(key, ...list);
    for (const [id, fields] of stream) pipeline.xadd(key, id, ...fields);
  }
  await pipeline.exec();
}

async function valueUnder(key: string): Promise<Value> {
  switch (await client.type(key)) {
    case "hash":
      return { hash: await client.hgetall(key) };
    case "zset":
      return { sortedSet: await client.zrange(key, 0, -1, "WITHSCORES") };
    case "list":
      return { list: await client.lrange(key, 0, -1) };
    case "string":
      return { string: (await client.get(key)) as string };
    default:
      return { stream: await client.xrange(key, "-", "+") };
  }
}

async function dump(): Promise<Log> {
  const names = (await client.keys("*")).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (key) => [key.slice(`{${PREFIX}}:`.length), await valueUnder(key)] as const)),
  );
}

/** With the same word for whatever is drawn at random, or is the time. */
function withoutChance(log: Log): unknown {
  const { epoch, cursorKey } = log.meta?.hash ?? {};
  const tags = [...(log.entries?.stream ?? []).map(([, fields]) => fields[1]), log.meta?.hash?.tag];
  const drawn = [epoch, cursorKey, ...tags].map((text) => text?.replaceAll(/[-]/g, "\\-")).join("|");
  return JSON.parse(
    JSON.stringify(log)
      .replaceAll(new RegExp(drawn, "g"), "drawn")
      .replaceAll(/\b17\d{11}\b|\b2\d{7}\b/g, "0"),
  );
}

const find = (eventLog: EventLog, filter: Parameters<typeof filterFromArguments>[0]) =>
  eventLog
    .find({ filter: filterFromArguments(filter), order: "newest-first", limit: 50 })
    .then(({ entries }) => numbersOf(entries));

const convert = (onProgress: (indexed: number, entries: number) => void = () => {}) =>
  convertLog({ link, keys, form: RAW_EVENTS, onProgress });

const message = (i: number) =>
  eventOf(`m-${i}`, i % 3 === 0 ? "open" : "send", { email: `reader-${i % 40}@example.com`, tags: [`tag-${i % 7}`] });

const messages = (from: number, count: number) => Array.from({ length: count }, (_, i) => message(from + i));

const SPAN = { from: 0, to: Date.UTC(2100, 0), buckets: 1 };

/** What whoever asks is told of such events, of all that the log holds. */
async function told(eventLog: EventLog): Promise<unknown> {
  return {
    entries: (await entriesOf(eventLog)).map(({ cursor, event }) => [cursor, event?.id]),
    byTag: await find(eventLog, { tag: "tag-3", types: ["open"] }),
    byEmail: await find(eventLog, { email: "READER-5@example.com" }),
    byMessage: await find(eventLog, { messageId: "message-m-17" }),
    counts: await eventLog.count({ ...SPAN, filter: [] }),
    someCounts: await eventLog.count({ ...SPAN, filter: filterFromArguments({ tag: "tag-2" }) }),
  };
}

describe("a log of the version before", () => {
  it("is left by this version, key for key, as the version before leaves it", async () => {
    await makeFormerLog(client, PREFIX);
    await leaveAsBefore(open());
    const left = await dump();
    // A field that the version before does not know.
    const { erasures: _, ...meta } = left.meta?.hash ?? {};
    expect(withoutChance({ ...left, meta: { hash: meta } })).toEqual(withoutChance(LEFT));
  });

  it("is read, added to, erased from and trimmed as it is", async () => {
    await restore(LEFT);
    const eventLog = open();
    expect(await find(eventLog, { types: ["open", "click"], subaccount: "acme" })).toEqual([3, 2]);
    expect(await find(eventLog, { tag: LONG_TAG })).toEqual([3]);
    expect((await entriesOf(eventLog)).map(({ event }) => event)).toEqual([A, B, C]);
    expect(await eventLog.append([eventOf("e", "open", {}), eventOf("f", "hard_bounce", { tags: [] })])).toMatchObject({
      head: 6,
    });
    expect(await find(eventLog, { email: "ada@example.com" })).toEqual([6, 5, 2, 1]);
    expect(await eventLog.erase("grace@example.com")).toBe(1);
    expect(JSON.stringify(await dump())).not.toMatch(/grace/i);
    expect(await find(eventLog, { tag: "order" })).toEqual([5, 2, 1]);

    const narrow = open({ ...WIDE_LIMITS, retentionEvents: 1, deduplicationEvents: 1 });
    await narrow.trim();
    const left = await dump();
    expect(Object.keys(left).filter((name) => name.startsWith("i:"))).toEqual([
      "i:email:=ada@example.com",
      "i:messageId:=message-e",
      "i:messageId:=message-f",
      "i:tag:=order",
      "i:type:=hard_bounce",
      "i:type:=open",
    ]);
    expect([left["i:email:=ada@example.com"]?.sortedSet, left.terms?.list?.length]).toEqual([["5", "5", "6", "6"], 1]);
    expect(await client.hget(keys.meta, "layout")).toBe("1");
  });

  it("is not erased from for an entry that another has taken the place of, as where a command is sent again", async () => {
    await restore(LEFT);
    const { epoch = "" } = LEFT.meta?.hash ?? {};
    const touched = [keys.meta, keys.entries, keys.erased, keys.minute, keys.counts, keys.terms];
    const sets = [keys.formerIndex("email", "lost@example.com"), keys.formerIndex("type", "send")];
    const plan = JSON.stringify([[1, "AAAAAAAA", "send"]]);
    const args = [epoch, keys.channel, plan, JSON.stringify([[1, 1, 2]])];
    expect(await SCRIPTS.ofSets.erase.run(client, [...touched, ...sets], args)).toBe(0);
    const eventLog = open();
    expect(await find(eventLog, { types: ["send"] })).toEqual([1]);
    expect((await entriesOf(eventLog)).map(({ event }) => event)).toEqual([A, B, C]);
  });

  it("is said to be one in the service's log, once", async () => {
    await restore(LEFT);
    const lines: unknown[] = [];
    const logger = { info: (...line: unknown[]) => lines.push(line), warn() {} } as never;
    const connection = { kind: "standalone", url: server.url } as const;
    const eventLog = openRedisEventLog({ connection, prefix: PREFIX, limits: WIDE_LIMITS, logger });
    onTestFinished(() => eventLog.close());
    for (let i = 0; i < 3; i++) await eventLog.head();
    expect(lines).toEqual([[{ layout: "1" }, expect.stringContaining("npm run convert")]]);
  });
});

describe("a log of the version before whose meta hash alone was lost", () => {
  it("keeps its layout, so that its index stays true", async () => {
    await restore(LEFT);
    const eventLog = open();
    await client.del(keys.meta);
    expect(await eventLog.append([eventOf("e", "open", {})])).toMatchObject({ head: 4 });
    expect(await find(eventLog, { email: "ada@example.com" })).toEqual([4, 2, 1]);
    expect(await client.hget(keys.meta, "layout")).toBe("1");
    expect(await eventLog.erase("ada@example.com")).toBe(3);
  });
});

describe("converting a log of the version before", () => {
  it("changes nothing for whoever uses it, and leaves nothing of the former index", async () => {
    await restore(LEFT);
    const used = open();
    await used.append(messages(0, 700));
    await used.erase("reader-11@example.com");
    const before = await told(used);
    const seen: number[] = [];
    expect(await convert((indexed, entries) => seen.push(indexed, entries))).toBe(685);
    expect(seen.slice(-2)).toEqual([685, 685]);
    expect(await told(used)).toEqual(before);
    expect(await told(open())).toEqual(before);
    const names = ["entries", "erased", "ids", "meta", "minute", "minutes", "tail"];
    // A minute may have ended meanwhile.
    expect(Object.keys(await dump()).filter((name) => name !== "counts")).toEqual(names);
    expect(await client.hget(keys.meta, "layout")).toBe("2");
    expect(await convert()).toBeNull();
  });

  it("goes on while others append, find, erase and trim", async () => {
    await makeFormerLog(client, PREFIX);
    const instances = [open(), open()] as const;
    for (let i = 0; i < 20; i++) await instances[0].append(messages(i * 1_000, 1_000));
    let appended = 20_000;
    let converting = true;
    const use = async (eventLog: EventLog) => {
      while (converting) {
        await eventLog.append([message(appended)]);
        // None of those that are erased.
        appended += 40;
        expect(await find(eventLog, { messageId: `message-m-${appended - 40}` })).toHaveLength(1);
        // Of a page some may be erased before they are fetched.
        expect((await find(eventLog, { tag: "tag-3" })).length).toBeGreaterThan(25);
      }
    };
    const using = use(instances[0]);
    const others = [
      open({ ...WIDE_LIMITS, retentionEvents: 19_000 }).trim(),
      instances[1].erase("reader-3@example.com"),
      instances[1].erase("reader-33@example.com"),
    ];
    expect(await convert()).toBeGreaterThan(17_000);
    converting = false;
    await Promise.all([using, ...others]);
    expect(await client.zcard(keys.blocks)).toBe(1);
    const seen = await Promise.all(instances.map(told));
    expect(seen[1]).toEqual(seen[0]);
    expect(await told(open())).toEqual(seen[0]);
    for (const email of ["reader-3@example.com", "reader-33@example.com"]) {
      expect(await find(instances[0], { email })).toEqual([]);
    }
    expect((await client.keys("*:i:*")).concat(await client.keys("*terms"))).toEqual([]);
  });

  it("begins anew where it was cut off, or another has begun, and removes what is left of the former index", async () => {
    await makeFormerLog(client, PREFIX);
    const eventLog = open();
    for (let i = 0; i < 18; i++) await eventLog.append(messages(i * 1_000, 1_000));
    const before = await told(eventLog);
    const cutOff = (at: number) => (indexed: number) => {
      if (indexed >= at) throw new Error("cut off");
    };
    await expect(convert(cutOff(17_000))).rejects.toThrow("cut off");
    expect(await client.exists(keys.blocks, keys.block(1), keys.tail)).toBe(0);
    expect(await client.hget(keys.meta, "converter")).toBeNull();
    expect(await told(eventLog)).toEqual(before);

    let other: Promise<unknown> | undefined;
    const overtaken = convert((indexed) => {
      if (indexed > 16_400) other ??= convert();
    });
    await expect(overtaken).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", message: /Another has begun/ });
    expect(await other).toBe(18_000);
    expect(await told(eventLog)).toEqual(before);

    await client.rpush(keys.formerTerms, `[1,2,3,["${keys.formerIndex("tag", "left")}"]]`);
    await client.zadd(keys.formerIndex("tag", "left"), 1, "1");
    expect(await convert()).toBeNull();
    expect((await client.keys("*:i:*")).concat(await client.keys("*terms"))).toEqual([]);
  });

  it("knows nothing of what is erased meanwhile", async () => {
    await makeFormerLog(client, PREFIX);
    const eventLog = open();
    for (let i = 0; i < 17; i++) await eventLog.append(messages(i * 1_000, 1_000));
    const email = "reader-8@example.com";
    let erasing: Promise<number> | undefined;
    const begun: number[] = [];
    const converted = await convert((indexed) => {
      if (indexed <= 500) begun.push(indexed);
      if (indexed > 5_000) erasing ??= eventLog.erase(email);
    });
    expect(await erasing).toBe(425);
    expect(converted).toBe(17_000 - 425);
    // It was erased from what had been indexed.
    expect(begun.filter((indexed) => indexed === begun[0]).length).toBeGreaterThan(1);
    // A count asks the index alone.
    expect(await eventLog.count({ ...SPAN, filter: filterFromArguments({ email }) })).toEqual([]);
  });

  /** Does `before` each time that the conversion is about to ask Redis for something, for the n-th time. */
  const convertWith = (before: (asked: number) => Promise<unknown>) => {
    let asked = 0;
    const hooked: Link = {
      ...link,
      async run(work) {
        asked += 1;
        await before(asked);
        return link.run(work);
      },
    };
    return convertLog({ link: hooked, keys, form: RAW_EVENTS, onProgress() {} });
  };

  const isConverted = async () => (await client.hget(keys.meta, "layout")) === "2";

  /** As an instance of the version before does it, which knows nothing of a conversion. */
  async function eraseAsBefore(email: string): Promise<void> {
    const states = createLogStates(WIDE_LIMITS.retentionEvents, RAW_EVENTS);
    const reading = createReading(keys, states, WIDE_LIMITS);
    const indexes = createIndexes({ keys, states, reading, link, tailBytes: Number.POSITIVE_INFINITY });
    await createErase(keys, states, indexes, reading)(link, email);
  }

  async function fill(count: number): Promise<EventLog> {
    await makeFormerLog(client, PREFIX);
    const eventLog = open();
    for (let from = 0; from < count; from += 1_000)
      await eventLog.append(messages(from, Math.min(1_000, count - from)));
    return eventLog;
  }

  // From the claim to the reading of the first block, in the middle, and about the end.
  it.each(
    [4, 5, 6, 7, 8, 9, 10, 25, 44, 45, 46, 47].flatMap((moment, i) => [
      { moment, isTrimmed: true },
      ...(i % 2 === 0 ? [{ moment, isTrimmed: false }] : []),
    ]),
  )(
    "ends with the same index, whatever is erased before it asks for the $moment. time (trimmed too: $isTrimmed)",
    async ({ moment, isTrimmed }) => {
      const eventLog = await fill(17_000);
      const narrow = open({ ...WIDE_LIMITS, retentionEvents: 16_000, deduplicationEvents: 16_000 });
      let most = 0;
      await convertWith(async (asked) => {
        most = asked;
        if (asked !== moment) return;
        await eraseAsBefore("reader-0@example.com");
        if (isTrimmed) await narrow.trim();
        await eraseAsBefore("reader-10@example.com");
      });
      expect(await isConverted()).toBe(true);
      expect(most).toBeGreaterThan(moment);
      const oldest = Number(await client.hget(keys.meta, "oldest"));
      expect(oldest > 1).toBe(isTrimmed);
      for (const i of [oldest, oldest + 2, 16_384, 16_386, 16_999]) {
        expect(await find(eventLog, { messageId: `message-m-${i}` })).toEqual([0, 10].includes(i % 40) ? [] : [i + 1]);
      }
      for (const email of ["reader-0@example.com", "reader-10@example.com"]) {
        expect(await eventLog.count({ ...SPAN, filter: filterFromArguments({ email }) })).toEqual([]);
      }
      expect(await eventLog.erase("reader-5@example.com")).toBe(
        Array.from({ length: 17_000 }, (_, i) => i).filter((i) => i % 40 === 5 && i + 1 >= oldest).length,
      );
    },
  );

  it("begins anew where Redis has lost a step of it, or done one twice", async () => {
    const eventLog = await fill(900);
    const before = await told(eventLog);
    const twice = async (asked: number) => {
      if (asked !== 8) return;
      const converter = await client.hget(keys.meta, "converter");
      const [name = "", done = 0] = converter?.split(" ") ?? [];
      await client.hset(keys.meta, "converter", `${name} ${Number(done) + 1}`);
      await client.append(keys.tail, "AAAAAAAA\n#900 AAAAAAAA\n");
    };
    expect(await convertWith(twice)).toBe(900);
    expect(await told(open())).toEqual(before);
  });

  it("removes the former index together with another that does the same", async () => {
    const eventLog = await fill(0);
    // A row of the terms each.
    for (let i = 0; i < 350; i++) await eventLog.append([message(i)]);
    const killed = convertWith(async () => {
      if (await isConverted()) throw new Error("killed");
    });
    await expect(killed).rejects.toThrow("killed");
    expect(await client.exists(keys.formerTerms)).toBe(1);
    expect(await Promise.all([convert(), convert(), convert()])).toEqual([null, null, null]);
    expect((await client.keys("*:i:*")).concat(await client.keys("*terms"))).toEqual([]);
  });

  it("leaves nothing of a person who is erased once it was cut off, on either side of the change", async () => {
    for (const isBehind of [false, true]) {
      await client.flushall();
      const eventLog = await fill(2_000);
      // Killed, so that it cannot see to what it has made.
      let steps = 0;
      const killed = convertWith(async () => {
        steps += (await client.exists(keys.tail)) > 0 ? 1 : 0;
        if (isBehind ? await isConverted() : steps > 1) throw new Error("killed");
      });
      await expect(killed).rejects.toThrow("killed");
      expect(await client.exists(isBehind ? keys.formerTerms : keys.tail)).toBe(1);
      expect(await eventLog.erase("reader-7@example.com")).toBe(50);
      const left = JSON.stringify(await dump());
      expect(left).not.toContain("reader-7@");
      expect(left).not.toContain(termOf("email", "reader-7@example.com"));
    }
  });

  it.each([
    ["from the first block on", async () => /^\S+ 1$/.test((await client.hget(keys.meta, "converter")) ?? "")],
    ["behind a block", async () => (await client.exists(keys.blocks)) === 1],
  ])("leaves Redis as it was where that has no memory for it %s", async (_where, isThere) => {
    const eventLog = await fill(18_000);
    const before = await told(eventLog);
    const used = Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
    const full = convertWith(async () => {
      if (await isThere()) await client.config("SET", "maxmemory", "1");
    });
    await expect(full).rejects.toMatchObject({ message: "Redis refuses: OOM." });
    await client.config("SET", "maxmemory", "0");
    expect(await client.exists(keys.tail, keys.blocks, keys.block(1))).toBe(0);
    expect(Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1])).toBeLessThan(1.02 * used);
    expect(await told(eventLog)).toEqual(before);
  });

  it("has given the log its layout for good, though its meta hash alone be lost before the former index is removed", async () => {
    const eventLog = await fill(1_000);
    const killed = convertWith(async () => {
      if (await isConverted()) throw new Error("killed");
    });
    await expect(killed).rejects.toThrow("killed");
    await client.del(keys.meta);
    await eventLog.append(messages(1_000, 1));
    expect(await isConverted()).toBe(true);
    expect(await find(eventLog, { messageId: "message-m-7" })).toEqual([8]);
    expect(await convert()).toBeNull();
    expect(await find(eventLog, { messageId: "message-m-1000" })).toEqual([1_001]);
  });

  it("does not remove it from under a log that has the former layout again, as after a failover", async () => {
    const eventLog = await fill(1_000);
    const before = await told(eventLog);
    const rows = await client.lrange(keys.terms, 0, -1);
    const back = convertWith(async () => {
      if (!(await isConverted())) return;
      await client.multi().hset(keys.meta, "layout", "1").rename(keys.formerTerms, keys.terms).exec();
    });
    await expect(back).rejects.toMatchObject({ message: /former layout again/ });
    expect(await client.lrange(keys.terms, 0, -1)).toEqual(rows);
    expect(await told(open())).toEqual(before);
  });
  it("is done of an empty log, and refused of one of a later version", async () => {
    expect(await convert()).toBeNull();
    await makeFormerLog(client, PREFIX);
    expect(await convert()).toBe(0);
    await open().append(messages(0, 2));
    await client.hset(keys.meta, "layout", "3");
    await expect(convert()).rejects.toMatchObject({ message: /layout 3, and this version knows 1 and 2/ });
  });
});
