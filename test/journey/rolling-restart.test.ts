import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runCommandLine } from "../harness/command.ts";
import { batchOf, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, untilServed } from "../harness/fault-scene.ts";
import { type FaultSubscriber, startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { post, rawEvent, unsignedForm } from "../harness/mandrill-post.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const PREFIX = "rolling";

type Change = readonly [file: string, now: string, then: string];

/**
 * What a later version has changed within the rules: a new version of the stored form with a field more, a kind of
 * event, and a field more in everything that instances of several versions share.
 */
const LATER: readonly Change[] = [
  ["src/mandrill/raw-events.ts", "RAW_EVENTS_VERSION = 1", "RAW_EVENTS_VERSION = 2"],
  ["src/mandrill/raw-events.ts", '"id":', '"later":{"of":"2"},"id":'],
  ["src/mandrill/raw-events.ts", "interface StoredRaw {", "interface StoredRaw {\n  readonly later?: object;"],
  ["src/event/event-type.ts", '"inbound",\n', '"inbound",\n  "sms_sent",\n'],
  ["src/graphql/type/event-type.ts", "  other: {", '  sms_sent: { description: "A text message." },\n  other: {'],
  ["src/graphql/type/event.ts", '  other: "OtherEvent"', '  sms_sent: "OtherEvent",\n  other: "OtherEvent"'],
  ["src/event-log/redis/append.lua", "'e', stored)", "'e', stored, 'later', '2')"],
  ["src/event-log/redis/append.lua", "'HSET', META, 'number'", "'HSET', META, 'later', '2', 'number'"],
  ["src/event-log/redis/append.lua", `'{"e":"'`, `'{"later":2,"e":"'`],
];

/** What makes this version the one before, as to the log in Redis: it knows the former layout alone. */
const BEFORE: readonly Change[] = [
  ["src/event-log/redis/prelude.lua", "LAYOUT, FORMER_LAYOUT = '2', '1'", "LAYOUT, FORMER_LAYOUT = '1', '1'"],
  ["src/event-log/redis/log-state.ts", 'const LAYOUT = "2"', 'const LAYOUT = "1"'],
  ["src/event-log/redis/indexes.ts", "? sets : terms", "? sets : sets"],
];

/** What runs an instance: the `main.ts` of another version, or undefined for that of this one. */
type Version = string | undefined;
const NOW: Version = undefined;

let later: Version;
let before: Version;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-later-"));
  later = await copyWith(LATER, join(folder, "later"));
  before = await copyWith(BEFORE, join(folder, "before"));
  return () => rm(folder, { recursive: true, force: true });
});

/** Copies the sources into a folder, changes them, and resolves to their `main.ts`. */
async function copyWith(changes: readonly Change[], folder: string): Promise<string> {
  for (const copied of ["src", "package.json"])
    await cp(join(PROJECT, copied), join(folder, copied), { recursive: true });
  for (const linked of ["node_modules", "dist"]) await symlink(join(PROJECT, linked), join(folder, linked));
  for (const [file, now, then] of changes) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    expect(text.split(now), `${file}: ${now}`).toHaveLength(2);
    await writeFile(
      path,
      text.replace(now, () => then),
    );
  }
  return join(folder, "src/main.ts");
}

async function start(redis: RedisServer, version: Version): Promise<ServiceProcess> {
  const env = { REDIS_URL: redis.url, REDIS_PREFIX: PREFIX, SHUTDOWN_SECONDS: "1" };
  const service = await spawnService({ env, main: version });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

/** Two instances on one empty log, three who listen to either, and a publisher that posts to both. */
async function startFleet(version: Version) {
  const redis = await startRedisServer();
  onTestFinished(() => redis.stop());
  const services = [await start(redis, version), await start(redis, version)] as [ServiceProcess, ServiceProcess];
  let turn = 0;
  // As behind a load balancer: whoever comes back is sent to the one that is there.
  const next = () => services[(turn++ % 2) as 0 | 1].socketUrl;
  const subscribers = await Promise.all([0, 1, 2].map(() => startFaultSubscriber(next)));
  for (const subscriber of subscribers) onTestFinished(() => subscriber.stop());
  await using client = await connectSocket(services[0].socketUrl);
  const origin = client.ack.head as string;
  const publisher = startPublisher({ name: "load", urls: () => services.map(({ url }) => url) });
  onTestFinished(() => publisher.giveUp());
  return { redis, services, subscribers, origin, publisher };
}

/** Everyone has everything that was acknowledged once, in one order, though each was sent away, and no gap was told. */
function expectNothingLost(subscribers: readonly FaultSubscriber[], acknowledged: readonly string[]): void {
  const all = [...acknowledged, LAST].sort();
  for (const { received, gaps, connections } of subscribers) {
    expect(gaps).toEqual([]);
    expect(connections).toBeGreaterThan(1);
    expect([...received].sort()).toEqual(all);
    expect(received).toEqual(subscribers[0]?.received);
  }
}

/** Events of a kind that only the later version knows. */
function textMessage(messageId: string) {
  return unsignedForm([rawEvent("other", { _id: messageId, msg: { _id: messageId } })]);
}

/** Message ids of all events behind `after`, until there are `count`, and the kinds of those of text messages. */
async function replay({ socketUrl }: ServiceProcess, after: string, count: number) {
  await using client = await connectSocket(socketUrl);
  client.subscribe("a", "subscription { eventReceived { messageId type name raw } }", { extensions: { after } });
  const ids: string[] = [];
  const kinds = new Set<string>();
  while (ids.length < count) {
    const { eventReceived: event } = (await client.next("a")).payload.data;
    ids.push(event.messageId);
    expect(event.raw._id).toBe(event.messageId);
    if (event.name === "sms_sent") kinds.add(event.type);
  }
  return { ids, kinds: [...kinds] };
}

/** Ten of `messageIds` from first to last, for each of which the index is asked at this instance. */
async function expectFound(url: string, messageIds: readonly string[]): Promise<void> {
  const asked = Array.from({ length: 10 }, (_, i) => messageIds[Math.floor((i * (messageIds.length - 1)) / 9)]);
  const fields = asked.map((id, i) => `_${i}: recentEvents(messageId: "${id}", types: [open]) { nodes { messageId } }`);
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: `{ ${fields.join(" ")} }` }),
  });
  const { data } = (await response.json()) as { data: Record<string, { nodes: { messageId: string }[] }> };
  expect(Object.values(data).map(({ nodes }) => nodes)).toEqual(asked.map((messageId) => [{ messageId }]));
}

/** The versions of the stored forms that the log holds. */
async function storedVersions({ client }: RedisServer): Promise<ReadonlySet<number>> {
  const rows = await client.xrange(`{${PREFIX}}:entries`, "-", "+");
  return new Set(rows.map(([, fields]) => (JSON.parse(fields[5] as string) as { v: number }).v));
}

describe("two instances on one Redis, restarted one after the other under load", () => {
  it("lose nothing, hand out nothing twice and tell no gap, on the way to a later version and back", async () => {
    const { redis, services, subscribers, origin, publisher } = await startFleet(NOW);
    const texts: string[] = [];

    const steps: readonly (readonly [place: 0 | 1, version: Version])[] = [
      [0, later],
      [1, later],
      [0, NOW],
      [1, NOW],
    ];
    for (const [step, [place, version]] of steps.entries()) {
      await publisher.more(20);
      const leaving = services[place];
      leaving.signal("SIGTERM");
      await publisher.more(20);
      expect(await leaving.ended).toBe(0);
      services[place] = await start(redis, version);
      await publisher.more(20);
      for (const [i, { url }] of services.entries()) {
        const id = `text-${step}-${i}`;
        texts.push(id);
        expect((await post(url, textMessage(id))).body).toMatchObject({ appended: 1 });
      }
      if (step === 0) {
        const stored = texts.length + publisher.acknowledged.length;
        const [later, now] = await Promise.all(services.map((service) => replay(service, origin, stored)));
        expect([later?.kinds, now?.kinds]).toEqual([["sms_sent"], ["other"]]);
        expect(later?.ids).toEqual(now?.ids);
        // What one version has appended the other knows again.
        const again = batchOf(publisher.acknowledged.slice(-5));
        for (const { url } of services) expect((await post(url, again)).body).toMatchObject({ duplicates: 5 });
      }
    }
    await publisher.stop();
    await untilServed(subscribers, services[0].url);

    expectNothingLost(subscribers, [...publisher.acknowledged, ...texts]);
    expect(await storedVersions(redis)).toEqual(new Set([1, 2]));
    const { ids, kinds } = await replay(services[1], origin, subscribers[0]?.received.length ?? 0);
    expect(ids).toEqual(subscribers[0]?.received);
    expect(kinds).toEqual(["other"]);
  });

  it("lose nothing on the way from the version before, back, and to another layout when all are there", async () => {
    const { redis, services, subscribers, origin, publisher } = await startFleet(before);
    const meta = `{${PREFIX}}:meta`;
    const replace = async (place: 0 | 1, version: Version) => {
      await publisher.more(20);
      services[place].signal("SIGTERM");
      await publisher.more(20);
      expect(await services[place].ended).toBe(0);
      services[place] = await start(redis, version);
      await publisher.more(20);
    };
    const steps: readonly (readonly [place: 0 | 1, version: Version])[] = [
      [0, NOW],
      [1, NOW],
      [0, before],
      [0, NOW],
      [1, before],
    ];
    for (const [place, version] of steps) {
      await replace(place, version);
      const count = publisher.acknowledged.length;
      const [one, other] = await Promise.all(services.map((service) => replay(service, origin, count)));
      expect(one).toEqual(other);
      // Each finds what either has appended.
      for (const { url } of services) await expectFound(url, one?.ids ?? []);
      expect(await redis.client.hget(meta, "layout")).toBe("1");
    }

    await publisher.more(20);
    expect(await runCommandLine("convert", [], { env: { REDIS_URL: redis.url, REDIS_PREFIX: PREFIX } })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Converted \d+ entries\.$/m),
    });
    expect(await redis.client.hget(meta, "layout")).toBe("2");
    const [, former] = services;
    const ready = await fetch(`${former.url}/ready`);
    const reason = expect.stringMatching(/^The log in Redis has layout 2, and this version knows 1/);
    expect([ready.status, await ready.json()]).toMatchObject([503, { checks: { eventLog: { ok: false, reason } } }]);
    expect((await fetch(`${former.url}/health`)).status).toBe(200);
    expect(await post(former.url, batchOf(["refused"]))).toMatchObject({
      status: 503,
      body: { code: "LOG_UNAVAILABLE", message: "Redis refuses: LAYOUT." },
    });
    await former.match(/.*the log cannot be read; listeners wait.*/);
    expect((await fetch(`${services[0].url}/ready`)).status).toBe(200);
    await replace(1, NOW);
    await publisher.stop();
    await untilServed(subscribers, services[0].url);

    expectNothingLost(subscribers, publisher.acknowledged);
    expect(publisher.refusals).toContain(503);
    const received = subscribers[0]?.received ?? [];
    for (const { url } of services) await expectFound(url, received.slice(0, -1));
    expect(await redis.client.keys(`{${PREFIX}}:i:*`)).toEqual([]);
  });
});
