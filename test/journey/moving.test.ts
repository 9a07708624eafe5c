import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import { openArrivingLog } from "../../src/event-log/redis/arriving-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openLeavingLog } from "../../src/event-log/sqlite/leaving-log.ts";
import { type CommandResult, runCommandLine } from "../harness/command.ts";
import { makeFormerLog } from "../harness/former-log.ts";
import { jsonBatch, post, type RawEvent, rawEvents } from "../harness/mandrill-post.ts";
import { startRedisCluster } from "../harness/redis-cluster.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";

const EXPORT = fileURLToPath(new URL("../../src/command/export.ts", import.meta.url));

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "mandrill-live-moving-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What a GraphQL query answers. */
// biome-ignore lint/suspicious/noExplicitAny: what was asked for is for the test to judge
async function ask(url: string, query: string, variables: object = {}): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

interface Known {
  readonly id: string;
  readonly cursor: string;
  readonly receivedAt: string;
  readonly raw: unknown;
}

/** Everything that the service holds, oldest first. */
async function eventsOf(url: string): Promise<readonly Known[]> {
  const found: Known[] = [];
  for (let after: string | null = null; ; ) {
    const { recentEvents } = await ask(
      url,
      `query ($after: Cursor) { recentEvents(first: 500, after: $after) {
        nodes { id cursor receivedAt raw } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    found.push(...recentEvents.nodes);
    if (!recentEvents.pageInfo.hasNextPage) return found.reverse();
    after = recentEvents.pageInfo.endCursor;
  }
}

async function postAll(url: string, events: readonly RawEvent[]) {
  const { status, body } = await post(url, jsonBatch(events));
  expect(status).toBe(200);
  return body as { appended: number; duplicates: number };
}

function linesOf({ code, stdout, stderr }: CommandResult): readonly Known[] {
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/\d+ events exported\.\n$/) });
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Known);
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(async () => {
  await redis.stop();
});

describe("npm run export", () => {
  it("writes what the running service holds, and the same when it is stopped", async () => {
    await using folder = await temporaryFolder();
    const service = await runService({ dataDir: folder.path });
    const env = { DATA_DIR: folder.path };
    await postAll(service.url, rawEvents(700, 1));
    await postAll(service.url, rawEvents(300, 2));
    const events = await eventsOf(service.url);
    expect(events).toHaveLength(1_000);
    const lines = linesOf(await runCommandLine("export", [], { env }));
    expect(lines.map(({ id, cursor, receivedAt, raw }) => ({ id, cursor, receivedAt, raw }))).toEqual(events);
    for (const name of ["type", "name", "occurredAt", "messageId", "messageState", "email", "message", "webhook"]) {
      expect(lines[0]).toHaveProperty(name);
    }
    expect(lines.find((line) => "url" in line)).toHaveProperty("location");

    const after = linesOf(await runCommandLine("export", ["--after", events[989]?.cursor as string], { env }));
    expect(after.map(({ id }) => id)).toEqual(events.slice(990).map(({ id }) => id));
    const border = events[700]?.receivedAt as string;
    const early = linesOf(await runCommandLine("export", ["--until", border], { env }));
    const late = linesOf(await runCommandLine("export", ["--since", border], { env }));
    expect([...early, ...late].map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(early.every(({ receivedAt }) => receivedAt < border)).toBe(true);
    const foreign = await runCommandLine("export", ["--after", "AAAAAAAAAAAAAAAAAAAAAA"], { env });
    expect(foreign).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "export: This cursor is of another log, or no cursor at all.\n",
    });

    await service.stop();
    expect(linesOf(await runCommandLine("export", [], { env }))).toEqual(lines);
  });

  it("writes what is in Redis", async () => {
    const env = { REDIS_URL: redis.url, REDIS_PREFIX: "exported" };
    await using service = await runService({ env });
    await postAll(service.url, rawEvents(250));
    const lines = linesOf(await runCommandLine("export", [], { env }));
    expect(lines.map(({ raw }) => raw)).toEqual((await eventsOf(service.url)).map(({ raw }) => raw));
  });

  it("ends quietly where nobody reads on", async () => {
    await using service = await runService();
    await postAll(service.url, rawEvents(1_000));
    const { stdout, stderr } = await promisify(execFile)(
      "sh",
      ["-c", '"$0" "$1" | head -n 1', process.execPath, EXPORT],
      {
        env: { PATH: process.env.PATH, DATA_DIR: service.dataDir },
      },
    );
    expect(JSON.parse(stdout)).toHaveProperty("cursor");
    expect(stderr).not.toMatch(/EPIPE|export:/);
  });

  it.each([
    [["--since", "yesterday"], '--since is "yesterday"; allowed: a time such as 2026-11-23'],
    [["--since", "2026-11-23", "--until", "2026-11-22"], "--since is not earlier than --until."],
  ])("answers %j with one sentence and 2", async (args, sentence) => {
    const { code, stdout, stderr } = await runCommandLine("export", args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: expect.stringContaining(sentence) });
  });
});

describe("npm run backup", () => {
  it("copies the log while it is written to, and the copy is restored with all that was acknowledged", async () => {
    await using folder = await temporaryFolder();
    await using restored = await temporaryFolder();
    await using service = await runService();
    await postAll(service.url, rawEvents(1_000, 1));
    const before = await eventsOf(service.url);
    const target = join(folder.path, "copy.sqlite");
    const env = { DATA_DIR: service.dataDir };
    let isOver = false;
    const writing = (async () => {
      for (let seed = 2; !isOver; seed += 1) await postAll(service.url, rawEvents(50, seed));
    })();
    const result = await runCommandLine("backup", ["--to", target], { env });
    isOver = true;
    await writing;
    expect(result).toEqual({
      code: 0,
      stdout: expect.stringMatching(/holds \d+ events, up to number \d+, and is sound/),
      stderr: "",
    });
    expect(await readdir(folder.path)).toEqual(["copy.sqlite"]);
    const [, events] = /holds (\d+) events/.exec(result.stdout) as unknown as [string, string];

    const again = await runCommandLine("backup", ["--to", target], { env });
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("a backup replaces none") });

    await copyFile(target, join(restored.path, "events.sqlite"));
    await using copy = await runService({ dataDir: restored.path });
    const held = await eventsOf(copy.url);
    expect(held).toHaveLength(Number(events));
    expect(held.slice(0, 1_000)).toEqual(before);
    expect(held).toEqual((await eventsOf(service.url)).slice(0, held.length));
    expect((await postAll(copy.url, rawEvents(1_000, 1))).duplicates).toBe(1_000);
  });

  it("copies the log of a service that is stopped, and the list of revoked tokens", async () => {
    await using folder = await temporaryFolder();
    await using copy = await temporaryFolder();
    const service = await runService({ dataDir: folder.path });
    await postAll(service.url, rawEvents(10));
    await service.stop();
    const env = { DATA_DIR: folder.path };
    expect((await runCommandLine("revoke", ["--jti", "a-token"], { env })).code).toBe(0);
    const result = await runCommandLine("backup", ["--to", join(copy.path, "events.sqlite")], { env });
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("holds 10 events") });
    expect(await readdir(copy.path)).toEqual(["events.sqlite", "events.sqlite-revoked"]);
  });

  it("says in a sentence why it cannot", async () => {
    await using folder = await temporaryFolder();
    const cases: readonly (readonly [
      args: readonly string[],
      env: Record<string, string>,
      code: number,
      why: string,
    ])[] = [
      [[], {}, 2, "--to is missing"],
      [["--to", "x"], { REDIS_URL: redis.url }, 2, "The event log is in Redis"],
      [["--to", "x"], { DATA_DIR: folder.path }, 1, "There is no event log in"],
    ];
    for (const [args, env, code, why] of cases) {
      const result = await runCommandLine("backup", args, { env });
      expect(result).toMatchObject({ code, stderr: expect.stringMatching(/^backup: [^\n]+\n$/) });
      expect(result.stderr).toContain(why);
    }
  });
});

describe("npm run move", () => {
  const COUNTS = `query ($from: DateTime!, $to: DateTime!, $subaccount: String) {
    all: eventCounts(from: $from, to: $to, buckets: 1) { type count }
    one: eventCounts(from: $from, to: $to, buckets: 1, subaccount: $subaccount) { type count } }`;
  const REST = "{ webhookRequests(first: 50) { status received } recentEvents(first: 1) { head } }";
  const span = {
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date(Date.now() + 3_600_000).toISOString(),
  };

  it("keeps ids, order, times, cursors, counts and what is known again, also of what was trimmed", async () => {
    await using folder = await temporaryFolder();
    const limits = { RETENTION_EVENTS: "800" };
    const prefix = { REDIS_URL: redis.url, REDIS_PREFIX: "moved" };
    const sqlite = await runService({ dataDir: folder.path, env: limits });
    for (let seed = 1; seed <= 12; seed += 1) await postAll(sqlite.url, rawEvents(100, seed));
    const events = await eventsOf(sqlite.url);
    expect(events).toHaveLength(800);
    const counts = await ask(sqlite.url, COUNTS, { ...span, subaccount: "store-eu" });
    const rest = await ask(sqlite.url, REST);
    await sqlite.stop();

    const result = await runCommandLine("move", ["--from", folder.path, "--to", redis.url], {
      env: { REDIS_PREFIX: "moved" },
    });
    expect(result).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Moved 1200 entries, up to number 1200."),
    });
    expect(await redis.client.get("{moved}:check")).toBeNull();

    await using service = await runService({ env: { ...limits, ...prefix } });
    expect(await eventsOf(service.url)).toEqual(events);
    expect(await ask(service.url, COUNTS, { ...span, subaccount: "store-eu" })).toEqual(counts);
    expect(await ask(service.url, REST)).toEqual({
      ...rest,
      webhookRequests: Array.from({ length: 12 }, () => ({ status: 200, received: 100 })),
    });
    for (const filter of ["types: [open]", 'tag: "store-3"', 'types: [click], subaccount: "store-us"']) {
      const { recentEvents } = await ask(service.url, `{ recentEvents(first: 500, ${filter}) { nodes { id } } }`);
      const wanted = events.filter(({ raw }) => matches(raw as RawEvent, filter)).map(({ id }) => id);
      expect(recentEvents.nodes.map(({ id }: Known) => id).reverse()).toEqual(wanted);
    }
    // Known again, those that the log no longer holds too; and a cursor of before goes on behind it.
    expect(await postAll(service.url, rawEvents(100, 1))).toMatchObject({ appended: 0, duplicates: 100 });
    await postAll(service.url, rawEvents(5, 99));
    const since = await ask(service.url, "query ($since: Cursor) { recentEvents(since: $since) { nodes { id } } }", {
      since: events.at(-1)?.cursor,
    });
    expect(since.recentEvents.nodes).toHaveLength(5);
    // What was moved is trimmed as what was appended: nothing of it stays behind in the indexes.
    for (let seed = 101; seed <= 130; seed += 1) await postAll(service.url, rawEvents(100, seed));
    const log = openRedisEventLog({
      connection: { kind: "standalone", url: redis.url },
      prefix: "moved",
      limits: { retentionEvents: 1, retentionMs: 1, deduplicationMs: 1, deduplicationEvents: 1 },
    });
    await log.trim();
    await log.close();
    expect((await redis.client.keys("{moved}:*")).filter((key) => key.includes("block"))).toEqual([]);
  });

  it("is taken up where it was cut off, lets nobody use the log before, and may be run again", async () => {
    await using folder = await temporaryFolder();
    const sqlite = await runService({ dataDir: folder.path });
    await postAll(sqlite.url, rawEvents(900));
    const whole = await eventsOf(sqlite.url);
    const running = await runCommandLine("move", ["--from", folder.path, "--to", redis.url], {
      env: { REDIS_PREFIX: "cut" },
    });
    expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining("in use by another process") });
    await sqlite.stop();

    // An erased event leaves its place behind, so that no gap arises.
    const database = new DatabaseSync(join(folder.path, "events.sqlite"));
    database.exec("UPDATE events SET stored = NULL WHERE number = 500");
    database.close();
    const events = whole.toSpliced(499, 1);

    const connection = { kind: "standalone", url: redis.url } as const;
    const leaving = openLeavingLog(join(folder.path, "events.sqlite"));
    const arriving = openArrivingLog(connection, "cut");
    await arriving.begin(leaving.state, leaving.first);
    await arriving.take(leaving.state, 0, [...leaving.entriesFrom(1)].slice(0, 333));
    await arriving.close();
    leaving.close();
    const limits = { retentionEvents: 1_000, retentionMs: 1e9, deduplicationMs: 1e9, deduplicationEvents: 1_000 };
    const early = openRedisEventLog({ connection, prefix: "cut", limits });
    await expect(early.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await early.close();

    const env = { REDIS_PREFIX: "cut" };
    const args = ["--from", folder.path, "--to", redis.url];
    const second = await runCommandLine("move", args, { env });
    expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining("Going on behind entry 333") });
    const third = await runCommandLine("move", args, { env });
    expect(third).toMatchObject({ code: 0, stdout: expect.stringContaining("The log had been moved before.") });
    await using service = await runService({ env: { ...env, REDIS_URL: redis.url } });
    expect(await eventsOf(service.url)).toEqual(events);
    const overErased = openRedisEventLog({ connection, prefix: "cut", limits });
    const position = await overErased.positionOf(whole[497]?.cursor as string);
    const { entries } = await overErased.read(position as Position, { entries: 3, bytes: 1_000_000 });
    expect(entries.map(({ number, isErased }) => [number, isErased])).toEqual([
      [499, false],
      [500, true],
      [501, false],
    ]);
    await overErased.close();
    await postAll(service.url, rawEvents(1, 77));
    const fourth = await runCommandLine("move", args, { env });
    expect(fourth).toMatchObject({ code: 1, stderr: expect.stringContaining("they are two logs now") });
  });

  it("moves to a Cluster", async () => {
    await using folder = await temporaryFolder();
    const sqlite = await runService({ dataDir: folder.path });
    await postAll(sqlite.url, rawEvents(300));
    const events = await eventsOf(sqlite.url);
    await sqlite.stop();
    const cluster = await startRedisCluster();
    try {
      const env = { REDIS_CLUSTER: cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",") };
      const result = await runCommandLine("move", ["--from", folder.path], { env });
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("Moved 300 entries") });
      await using service = await runService({ env });
      expect(await eventsOf(service.url)).toEqual(events);
    } finally {
      await cluster.stop();
    }
  });

  it("moves an empty log, and refuses to move one to where another is", async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    for (const dataDir of [folder.path, other.path]) await (await runService({ dataDir })).stop();
    // By a .env, as the service itself is set up.
    await writeFile(join(folder.path, ".env"), `REDIS_URL=${redis.url}\nREDIS_PREFIX=empty\n`);
    const moved = await runCommandLine("move", ["--from", "."], { folder: folder.path });
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringContaining("Moved 0 entries") });
    await using service = await runService({ env: { REDIS_URL: redis.url, REDIS_PREFIX: "empty" } });
    await postAll(service.url, rawEvents(3));
    const second = await runCommandLine("move", ["--from", other.path, "--to", redis.url], {
      env: { REDIS_PREFIX: "empty" },
    });
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is another log under this REDIS_PREFIX"),
    });
    const nowhere = await runCommandLine("move", ["--from", other.path]);
    expect(nowhere).toMatchObject({ code: 2, stderr: "move: --to is missing, and the environment names no Redis.\n" });
  });
});

/** Whether a raw event is what a filter of the test above asks for. */
function matches(raw: RawEvent, filter: string): boolean {
  const msg = (raw.msg ?? {}) as { tags?: readonly string[]; subaccount?: string | null };
  if (filter.startsWith("tag")) return msg.tags?.includes("store-3") ?? false;
  return filter === "types: [open]" ? raw.event === "open" : raw.event === "click" && msg.subaccount === "store-us";
}

describe("npm run convert", () => {
  it("gives a log of the version before the layout of this one, and says what it did", async () => {
    const redis = await startRedisServer();
    try {
      await makeFormerLog(redis.client, "mandrill-live");
      const env = { REDIS_URL: redis.url };
      await using service = await runService({ env });
      await postAll(service.url, rawEvents(250, 7));
      const before = await eventsOf(service.url);
      expect(await runCommandLine("convert", [], { env })).toMatchObject({
        code: 0,
        stdout: "Converted 250 entries.\n",
      });
      expect(await redis.client.hget("{mandrill-live}:meta", "layout")).toBe("2");
      expect(await eventsOf(service.url)).toEqual(before);
      expect(await postAll(service.url, rawEvents(251, 7))).toMatchObject({ appended: 1, duplicates: 250 });
      expect(await runCommandLine("convert", [], { env })).toMatchObject({
        code: 0,
        stdout: "There is nothing to convert.\n",
      });
    } finally {
      await redis.stop();
    }
  });

  it("says in a sentence why it cannot", async () => {
    const embedded = await runCommandLine("convert", []);
    expect([embedded.code, embedded.stderr]).toEqual([2, expect.stringMatching(/names no Redis: the embedded log's/)]);
    const unreached = await runCommandLine("convert", [], { env: { REDIS_URL: "redis://127.0.0.1:1" } });
    expect([unreached.code, unreached.stderr]).toEqual([1, expect.stringMatching(/ECONNREFUSED/)]);
    const redis = await startRedisServer();
    try {
      await redis.client.hset("{mandrill-live}:meta", { layout: "3" });
      const later = await runCommandLine("convert", [], { env: { REDIS_URL: redis.url } });
      expect([later.code, later.stderr]).toEqual([
        1,
        expect.stringMatching(/has layout 3, and this version knows 1 and 2/),
      ]);
    } finally {
      await redis.stop();
    }
  });
});
