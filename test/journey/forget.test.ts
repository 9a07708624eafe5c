import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { runCommandLine } from "../harness/command.ts";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

const ADA = "Ada.Lovelace@example.com";
const GRACE = "grace@example.com";

let posted = 0;

/** Posts one event for each address, none of them like another. */
async function postTo(service: RunningService, ...emails: readonly string[]): Promise<void> {
  const events = emails.map((email) => {
    posted += 1;
    return rawEvent("open", { msg: { email } }, posted);
  });
  expect((await post(service.url, jsonBatch(events))).body).toMatchObject({ appended: events.length });
}

async function forget(env: Environment, email = ADA): Promise<string> {
  const { code, stdout, stderr } = await runCommandLine("forget", ["--email", email], { env });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

async function ask(service: RunningService, query: string) {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: what was asked for is for the test to judge
  return ((await response.json()) as { data: any }).data;
}

const SUBSCRIPTION = "subscription ($after: Cursor) { eventReceived(after: $after) { email } }";

interface Received {
  readonly email: string;
  readonly cursor: string;
}

/** The next events of an operation; what is no event fails. */
async function receive(client: SocketClient, id: string, count: number): Promise<Received[]> {
  const received: Received[] = [];
  for (let i = 0; i < count; i++) {
    const { payload } = await client.next(id);
    expect(payload).toMatchObject({ data: { eventReceived: { email: expect.any(String) } } });
    received.push({ email: payload.data.eventReceived.email, cursor: payload.extensions.cursor });
  }
  return received;
}

/** Who listens goes on, and who resumes gets all but what was erased, from this service. */
async function expectNoGap(service: RunningService, live: SocketClient, before: readonly Received[]): Promise<void> {
  await postTo(service, GRACE);
  expect(await receive(live, "live", 1)).toMatchObject([{ email: GRACE }]);
  for (const [index, { cursor }] of before.entries()) {
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("resumed", SUBSCRIPTION, { variables: { after: cursor } });
    const left = before.slice(index + 1).filter(({ email }) => email === GRACE).length + 1;
    const resumed = await receive(client, "resumed", left);
    expect(resumed.map(({ email }) => email)).toEqual(Array.from({ length: left }, () => GRACE));
    // That it is all: what comes next is new.
    await postTo(service, "last@example.com");
    expect(await receive(client, "resumed", 1)).toMatchObject([{ email: "last@example.com" }]);
    await receive(live, "live", 1);
    await forget(envOf(service), "last@example.com");
  }
}

const environments = new WeakMap<RunningService, Environment>();
const envOf = (service: RunningService): Environment => environments.get(service) ?? { DATA_DIR: service.dataDir };

async function start(env: Environment = {}, dataDir?: string): Promise<RunningService> {
  const service = await runService({ env, dataDir });
  onTestFinished(() => service.stop());
  if (env.REDIS_URL !== undefined) environments.set(service, env);
  return service;
}

async function listen(service: RunningService): Promise<SocketClient> {
  const client = await connectSocket(service.socketUrl);
  onTestFinished(() => client[Symbol.asyncDispose]());
  client.subscribe("live", SUBSCRIPTION);
  // Answered behind the subscription, which then stands.
  client.subscribe("begun", "{ recentEvents(first: 1) { head } }");
  await client.next("begun");
  return client;
}

const MIXED = [GRACE, ADA, ADA.toLowerCase(), GRACE, ADA.toUpperCase()];

describe("npm run forget", () => {
  it("erases in the file of a running service, and no listener sees a gap", async () => {
    const service = await start();
    const live = await listen(service);
    await postTo(service, ...MIXED);
    const before = await receive(live, "live", MIXED.length);
    expect(await forget(envOf(service))).toBe("3 events erased.\n");
    await expectNoGap(service, live, before);
    const { recentEvents } = await ask(service, "{ recentEvents(first: 50) { nodes { email } } }");
    expect(recentEvents.nodes).toEqual(Array.from({ length: 3 }, () => ({ email: GRACE })));
    const { stdout } = await promisify(execFile)("grep", ["-ric", "ada.lovelace", service.dataDir]).catch(
      (error) => error,
    );
    expect(
      stdout
        .trim()
        .split("\n")
        .every((line: string) => line.endsWith(":0")),
    ).toBe(true);
  });

  it("erases in Redis, and out of the memory of every instance", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const env = { REDIS_URL: server.url };
    const [one, other] = [await start(env), await start(env)];
    const listeners = [await listen(one), await listen(other)] as const;
    await postTo(one, ...MIXED);
    const [before] = await Promise.all(listeners.map((client) => receive(client, "live", MIXED.length)));
    expect(await forget(env, ` ${ADA} `)).toBe("3 events erased.\n");
    // The erasure was told before this: who has this one has heard of it.
    await expectNoGap(other, listeners[1], before ?? []);
  });

  it("says so where Redis has no memory to remove the bytes as well, and removes them once it has", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const env = { REDIS_URL: server.url };
    await postTo(await start(env), ...MIXED);
    await server.client.config("SET", "rdbcompression", "no", "maxmemory", "1");
    const { code, stderr } = await runCommandLine("forget", ["--email", ADA], { env });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^forget: They are erased .* no memory .*\n$/)]);
    await server.client.config("SET", "maxmemory", "0");
    const bytes = async (): Promise<string> =>
      String(await server.client.dumpBuffer(createKeys("mandrill-live").entries));
    expect(await bytes()).toMatch(/lovelace/i);
    expect(await forget(env)).toBe("0 events erased.\n");
    expect(await bytes()).not.toMatch(/lovelace/i);
  });

  it("erases in the file of a service that is stopped, and the next one goes on", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-forget-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const service = await start({}, dataDir);
    const live = await listen(service);
    await postTo(service, ...MIXED);
    const before = await receive(live, "live", MIXED.length);
    await service.stop();
    expect(await forget({ DATA_DIR: dataDir })).toBe("3 events erased.\n");
    expect(await forget({ DATA_DIR: dataDir })).toBe("0 events erased.\n");
    const next = await start({}, dataDir);
    await expectNoGap(next, await listen(next), before);
  });

  it("says in a sentence why it cannot", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-forget-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const cases: readonly (readonly [args: readonly string[], env: Environment, code: number, why: string])[] = [
      [[], {}, 2, "--email is missing"],
      [["--email", ""], {}, 2, "allowed: an e-mail address"],
      [["--email", ADA], { DATA_DIR: dataDir }, 1, "There is no event log in"],
      [["--email", ADA], { REDIS_URL: "redis://127.0.0.1:1" }, 1, "Redis cannot be reached"],
    ];
    for (const [args, env, code, why] of cases) {
      const result = await runCommandLine("forget", args, { env });
      expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(/^forget: [^\n]+\n$/) });
      expect(result.stderr).toContain(why);
    }
  });
});
