import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { EventLog, WakeUp } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { sampleEvent, sampleEvents } from "../harness/event-samples.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let server: RedisServer;
let prefix = "";
let made = 0;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

function open(): EventLog {
  const connection = { kind: "standalone", url: server.url } as const;
  const eventLog = openRedisEventLog({ connection, prefix, limits: WIDE_LIMITS });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** Two instances on one new log, the second of which listens. */
async function openTwo(): Promise<{ writer: EventLog; reader: EventLog; next: () => Promise<WakeUp> }> {
  made += 1;
  prefix = `wake-ups-${made}`;
  const [writer, reader] = [open(), open()];
  const next = listen(reader);
  // Comes when the subscription stands.
  expect(await next()).toEqual({});
  await reader.head();
  return { writer, reader, next };
}

/** Queues from the first moment: a wake-up before the wait is not missed. */
function listen(eventLog: EventLog): () => Promise<WakeUp> {
  const arrived: WakeUp[] = [];
  const waiting: ((wakeUp: WakeUp) => void)[] = [];
  eventLog.onWakeUp((wakeUp) => {
    const wait = waiting.shift();
    if (wait === undefined) arrived.push(wakeUp);
    else wait(wakeUp);
  });
  return () => {
    const wakeUp = arrived.shift();
    return wakeUp === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(wakeUp);
  };
}

describe("wake-ups over Redis", () => {
  it("bring the entries that another instance appended, and the position that they follow", async () => {
    const { writer, reader, next } = await openTwo();
    const before = await reader.head();
    await writer.append(sampleEvents(3));
    const first = await next();
    expect(first.number).toBe(3);
    expect(first.run?.follows).toEqual({ epoch: before.epoch, number: 0, tag: before.tag });
    const { entries } = await reader.read(before, { entries: 9, bytes: 9_999 });
    expect(first.run?.entries.map((entry) => ({ ...entry, cursor: entry.cursor }))).toEqual(
      entries.map((entry) => ({ ...entry, cursor: entry.cursor })),
    );
    await writer.append(sampleEvents(5));
    const second = await next();
    expect(second.run?.follows).toMatchObject({ number: 3, tag: entries.at(-1)?.tag });
    expect(second.run?.entries.map(({ event }) => event?.id)).toEqual(["event-4", "event-5"]);
  });

  it("bring an instance's own entries out of its memory where nobody else listens", async () => {
    made += 1;
    prefix = `wake-ups-${made}`;
    const eventLog = open();
    const next = listen(eventLog);
    expect(await next()).toEqual({});
    const before = await eventLog.head();
    const monitor = await server.client.monitor();
    onTestFinished(() => monitor.disconnect());
    const published: string[] = [];
    const allPublished = Promise.withResolvers<void>();
    monitor.on("monitor", (_time: string, [command, , message]: string[]) => {
      if (command?.toUpperCase() === "PUBLISH") published.push(message as string);
      if (published.length === 3) allPublished.resolve();
    });
    await eventLog.append(sampleEvents(3));
    expect((await next()).run).toMatchObject({ follows: { number: 0 }, entries: [{}, {}, {}] });
    // Known ones stand before, between and behind the new ones.
    await eventLog.append([3, 4, 1, 5, 2].map((i) => sampleEvent({ id: `event-${i}` })));
    const { run } = await next();
    expect(run?.entries.map(({ event }) => event?.id)).toEqual(["event-4", "event-5"]);
    const { entries } = await eventLog.read(before, { entries: 9, bytes: 99_999 });
    expect(entries.slice(3).map(({ cursor }) => cursor)).toEqual(run?.entries.map(({ cursor }) => cursor));
    // Another listener needs the entries.
    const other = open();
    const nextOfOther = listen(other);
    expect(await nextOfOther()).toEqual({});
    await other.head();
    await eventLog.append(sampleEvents(6));
    expect((await next()).run?.entries.map(({ event }) => event?.id)).toEqual(["event-6"]);
    expect((await nextOfOther()).run?.entries.map(({ event }) => event?.id)).toEqual(["event-6"]);
    await allPublished.promise;
    expect(published.map((message) => message.includes("ada@example.com"))).toEqual([false, false, true]);
  });

  it("come in order, one for each append, and none for an append of duplicates", async () => {
    const { writer, next } = await openTwo();
    await writer.append(sampleEvents(1));
    await writer.append(sampleEvents(1));
    await writer.append(sampleEvents(2));
    expect([(await next()).number, (await next()).number]).toEqual([1, 2]);
  });

  it("keep what is written in any language, line breaks too", async () => {
    const { writer, next } = await openTwo();
    const raw = { text: 'Grüße\n\u2028\u0000 \ud83d\udce8 "quoted" \\ \ud800', nested: [null, 1.5, { "": [] }] };
    await writer.append(sampleEvents(1, "text", () => ({ raw })));
    expect((await next()).run?.entries[0]?.event?.raw).toEqual(raw);
  });

  it("tell no more than how far the log reaches when the entries are large", async () => {
    const { writer, next } = await openTwo();
    await writer.append(sampleEvents(3, "large", () => ({ bytes: 100_000 })));
    expect(await next()).toEqual({ number: 3 });
    await writer.append(sampleEvents(2, "small"));
    expect((await next()).run?.entries.length).toBe(2);
  });

  it("tell no more than how far the log reaches after another instance renewed the epoch", async () => {
    const { writer, reader, next } = await openTwo();
    const { epoch } = await writer.head();
    const renewed = await writer.renewEpoch(epoch);
    await writer.append(sampleEvents(1));
    expect(await next()).toEqual({ number: 1 });
    expect((await reader.head()).epoch).toBe(renewed);
    await writer.append(sampleEvents(2));
    expect((await next()).run?.follows.epoch).toBe(renewed);
  });

  it("go on after the connection was lost, with one that says only that something may have come", async () => {
    const { writer, reader, next } = await openTwo();
    await server.client.client("KILL", "TYPE", "pubsub");
    expect(await next()).toEqual({});
    await writer.append(sampleEvents(2));
    // Whether the entries come along depends on who else listens again by now.
    expect((await next()).number).toBe(2);
    expect((await reader.head()).number).toBe(2);
  });

  it("stop when they are no longer wanted, and when the log is closed", async () => {
    const { writer, reader, next } = await openTwo();
    let heard = 0;
    const stop = reader.onWakeUp(() => {
      heard += 1;
    });
    stop();
    await writer.append(sampleEvents(1));
    expect((await next()).number).toBe(1);
    expect(heard).toBe(0);
    await reader.close();
    await writer.append(sampleEvents(2));
    expect(await server.client.pubsub("NUMSUB", `{${prefix}}:appended`)).toEqual([`{${prefix}}:appended`, 1]);
  });

  it("take no harm from a foreign message", async () => {
    const { writer, next } = await openTwo();
    for (const message of ["", "{", "null", "[]", '{"e":1}\n', '{"e":"00000000"}\n{}']) {
      await server.client.publish(`{${prefix}}:appended`, message);
      const { run } = await next();
      expect(run).toBeUndefined();
    }
    await writer.append(sampleEvents(1));
    expect((await next()).run?.entries.length).toBe(1);
  });

  it("are done without where Redis refuses the subscription, and come once it is granted", async () => {
    await server.client.acl("SETUSER", "default", "-subscribe");
    onTestFinished(async () => void (await server.client.acl("SETUSER", "default", "+subscribe")));
    made += 1;
    prefix = `wake-ups-${made}`;
    const refused = Promise.withResolvers<string>();
    const eventLog = openRedisEventLog({
      connection: { kind: "standalone", url: server.url },
      prefix,
      limits: WIDE_LIMITS,
      logger: { info: () => {}, warn: (_fields: unknown, message?: string) => refused.resolve(message ?? "") },
    });
    onTestFinished(() => eventLog.close());
    const next = listen(eventLog);
    expect(await refused.promise).toMatch(/no wake-ups/);
    expect(await eventLog.append(sampleEvents(1))).toMatchObject({ appended: 1 });
    await server.client.acl("SETUSER", "default", "+subscribe");
    // The connection comes back, and with it the subscription.
    const clients = String(await server.client.client("LIST"));
    const id = /id=(\d+) [^\n]*name=mandrill-live:subscribe/.exec(clients)?.[1] ?? "";
    await server.client.client("KILL", "ID", id);
    expect(await next()).toEqual({});
  });
});
