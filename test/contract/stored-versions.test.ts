import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/event/event.ts";
import type { StoredForm } from "../../src/event/stored-event.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { parseEvent } from "../../src/mandrill/parse-event.ts";
import { RAW_EVENTS } from "../../src/mandrill/raw-events.ts";
import { entriesOf, originOf } from "../harness/log-suite.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

/** The form as a later version might write it, and as the first one did: each reads what it knows. */
const LATER: StoredForm = {
  encode: (event) => RAW_EVENTS.encode(event).replace(/^\{"v":\d+,/, '{"v":2,"later":{"of":"2"},'),
  decode: RAW_EVENTS.decode,
};
const FIRST: StoredForm = {
  encode: ({ id, webhook, raw }) => JSON.stringify({ v: 1, id, webhook, raw }),
  decode: RAW_EVENTS.decode,
};

interface Store {
  /** Closes the handle before, and opens another. */
  open(form: StoredForm): Promise<EventLog>;
}

async function sqliteStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-versions-"));
  let eventLog: EventLog | undefined;
  onTestFinished(async () => {
    await eventLog?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    async open(form) {
      await eventLog?.close();
      eventLog = await openSqliteEventLog({ file: join(folder, "events.sqlite"), limits: WIDE_LIMITS, form });
      return eventLog;
    },
  };
}

async function redisStore(): Promise<Store> {
  const server = await startRedisServer();
  const handles: EventLog[] = [];
  onTestFinished(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
    await server.stop();
  });
  return {
    async open(form) {
      const connection = { kind: "standalone", url: server.url } as const;
      const eventLog = openRedisEventLog({ connection, prefix: "versions", limits: WIDE_LIMITS, form });
      handles.push(eventLog);
      return eventLog;
    },
  };
}

function eventOf(kind: string, id: string): Event {
  const msg = { _id: id, email: "ada@example.com", tags: ["tag"], subaccount: "store" };
  return parseEvent({ event: kind, _id: id, msg }, id, null);
}

/** Of a kind that only the later version knows: it is indexed and counted under that name. */
const SMS = { ...eventOf("sms_sent", "b"), type: "sms_sent" } as unknown as Event;
const ALL = [{ field: "email", anyOf: ["ada@example.com"] }] as const;
const SPAN = { from: 0, to: Date.UTC(2100, 0), buckets: 1 };

describe.each([
  ["SQLite", sqliteStore],
  ["Redis", redisStore],
] as const)("%s: a log of several versions", (_name, createStore) => {
  it("is read where a later version has written it, what is not known left aside", async () => {
    const store = await createStore();
    await (await store.open(LATER)).append([eventOf("open", "a"), SMS, eventOf("click", "c")]);
    const eventLog = await store.open(RAW_EVENTS);
    const { entries } = await eventLog.read(originOf(await eventLog.head()), { entries: 10, bytes: 1_000_000 });
    expect(entries.map(({ event }) => event)).toEqual([
      eventOf("open", "a"),
      eventOf("sms_sent", "b"),
      eventOf("click", "c"),
    ]);
    expect(entries[1]?.event).toMatchObject({ type: "other", name: "sms_sent" });
    expect((await entriesOf(eventLog)).map(({ event }) => event?.id)).toEqual(["a", "b", "c"]);
    expect((await eventLog.findById("b"))?.event).toEqual(eventOf("sms_sent", "b"));
    const counts = [
      { bucket: 0, type: "open", count: 1 },
      { bucket: 0, type: "click", count: 1 },
    ];
    expect(await eventLog.count({ ...SPAN, filter: [] })).toEqual(counts);
    expect(await eventLog.count({ ...SPAN, filter: ALL })).toEqual(counts);
  });

  it("is written by both in turn, each knowing again what the other has appended", async () => {
    const store = await createStore();
    await (await store.open(FIRST)).append([eventOf("open", "a")]);
    await (await store.open(LATER)).append([eventOf("open", "a"), SMS]);
    const eventLog = await store.open(RAW_EVENTS);
    expect(await eventLog.append([eventOf("sms_sent", "b"), eventOf("open", "c")])).toEqual({
      appended: 1,
      duplicates: 1,
      head: 3,
    });
    expect((await entriesOf(eventLog)).map(({ event }) => event?.id)).toEqual(["a", "b", "c"]);
  });

  it("is erased whoever wrote it", async () => {
    const store = await createStore();
    await (await store.open(LATER)).append([eventOf("open", "a"), SMS]);
    const eventLog = await store.open(RAW_EVENTS);
    expect(await eventLog.erase("ada@example.com")).toBe(2);
    expect(await entriesOf(eventLog)).toEqual([]);
    expect(await eventLog.findById("b")).toBeNull();
  });
});
