import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { runCommandLine } from "../harness/command.ts";
import { openEventStream } from "../harness/event-stream-client.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { bearer, JWT_SECRET, signToken } from "../harness/tokens.ts";

const FIRST = "the-first-static-token";
const SECOND = "the-second-static-token";
const RULES = { ACCESS_TOKENS: `${FIRST},${SECOND}`, JWT_SECRET };

/** How soon a revoked token must hold nowhere. Milliseconds. */
const SOON = 2_000;

async function start(env: Environment, dataDir?: string): Promise<RunningService> {
  const service = await runService({ env, dataDir });
  onTestFinished(() => service.stop());
  return service;
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "mandrill-live-revoked-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function revoke(args: readonly string[], env: Environment): Promise<void> {
  const { code, stdout, stderr } = await runCommandLine("revoke", args, { env });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^Revoked until /);
}

/** One listener on each transport that stays connected, and what each is told when the service ends it. */
async function listen(service: RunningService, token: string): Promise<{ readonly ended: Promise<unknown[]> }> {
  const socket = await connectSocket(service.socketUrl, { init: { authorization: `Bearer ${token}` } });
  const events = await openEventStream(`${service.url}/events`, bearer(token));
  const query = encodeURIComponent("subscription { eventReceived { id } }");
  const results = await openEventStream(`${service.url}/graphql?query=${query}`, bearer(token));
  return { ended: Promise.all([socket.closed, events.nextEvent(), results.nextEvent()]) };
}

const ENDED = [
  { code: 4403, reason: "Token revoked" },
  expect.objectContaining({ event: "end", data: { code: "UNAUTHENTICATED", message: "Token revoked" } }),
  expect.objectContaining({
    event: "next",
    data: { errors: [{ message: "Token revoked", extensions: { code: "UNAUTHENTICATED" } }] },
  }),
];

async function statusOf(service: RunningService, headers: Record<string, string>, search = ""): Promise<number> {
  const response = await fetch(`${service.url}/events?wait=0${search}`, {
    headers: { accept: "application/json", ...headers },
  });
  await response.arrayBuffer();
  return response.status;
}

async function ticketOf(service: RunningService, token: string): Promise<string> {
  const response = await fetch(`${service.url}/tickets`, { method: "POST", headers: bearer(token) });
  return ((await response.json()) as { ticket: string }).ticket;
}

async function sessionOf(service: RunningService, token: string): Promise<Record<string, string>> {
  const response = await fetch(`${service.url}/session`, { method: "POST", headers: bearer(token) });
  return { cookie: response.headers.get("set-cookie")?.split(";", 1)[0] ?? "", origin: service.url };
}

describe("a token that is revoked by its jti", () => {
  it("holds on no instance 2 s later, neither for who is connected nor for who comes", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const env = { ...RULES, REDIS_URL: server.url };
    const instances = [await start(env), await start(env)];
    const [revoked, kept] = await Promise.all([signToken({ jti: "bad" }), signToken({ jti: "good" })]);
    const tickets = await Promise.all([revoked, kept].map((token) => ticketOf(instances[0]!, token)));
    const listeners = await Promise.all(instances.map((instance) => listen(instance, revoked)));
    const others = instances.map((instance) =>
      connectSocket(instance.socketUrl, { init: { authorization: `Bearer ${kept}` } }),
    );
    await revoke(["--jti", "bad"], env);
    const revokedAt = performance.now();
    for (const { ended } of listeners) expect(await ended).toEqual(ENDED);
    expect(performance.now() - revokedAt).toBeLessThan(SOON);
    for (const [index, instance] of instances.entries()) {
      expect(await statusOf(instance, bearer(revoked))).toBe(401);
      expect(await statusOf(instance, {}, `&ticket=${tickets[0]}`)).toBe(401);
      expect(await statusOf(instance, bearer(kept))).toBe(200);
      // Sold by the first instance, good on both.
      expect(await statusOf(instance, {}, `&ticket=${tickets[1]}`)).toBe(200);
      await using other = await others[index]!;
      other.subscribe("1", "{ recentEvents(first: 1) { head } }");
      expect((await other.next("1")).type).toBe("next");
    }
  });

  it("is ended by the command beside a running service on the embedded log, which keeps the list", async () => {
    const dataDir = await folder();
    const service = await start(RULES, dataDir);
    const token = await signToken({ jti: "bad" });
    const { ended } = await listen(service, token);
    await revoke(["--jti", "bad"], { DATA_DIR: dataDir });
    const revokedAt = performance.now();
    expect(await ended).toEqual(ENDED);
    expect(performance.now() - revokedAt).toBeLessThan(SOON);
    await service.stop();
    const next = await start(RULES, dataDir);
    expect(await statusOf(next, bearer(token))).toBe(401);
    expect(await statusOf(next, bearer(FIRST))).toBe(200);
  });
});

describe("a static token that is taken out of ACCESS_TOKENS", () => {
  it("takes its tickets and log-ins with it, and no others", async () => {
    const dataDir = await folder();
    const before = await start(RULES, dataDir);
    const tickets = [await ticketOf(before, FIRST), await ticketOf(before, SECOND)];
    const sessions = [await sessionOf(before, FIRST), await sessionOf(before, SECOND)];
    await before.stop();
    const after = await start({ ACCESS_TOKENS: SECOND }, dataDir);
    const own = (session: Record<string, string> | undefined) => ({ ...session, origin: after.url });
    expect(await statusOf(after, bearer(FIRST))).toBe(401);
    expect(await statusOf(after, {}, `&ticket=${tickets[0]}`)).toBe(401);
    expect(await statusOf(after, own(sessions[0]))).toBe(401);
    expect(await statusOf(after, bearer(SECOND))).toBe(200);
    expect(await statusOf(after, {}, `&ticket=${tickets[1]}`)).toBe(200);
    expect(await statusOf(after, own(sessions[1]))).toBe(200);
  });
});

describe("the command", () => {
  it.each([
    ["nothing", []],
    ["a jti and a token", ["--jti", "a", "--token-stdin"]],
    ["a time that is over", ["--jti", "a", "--until", "2020-01-01T00:00:00Z"]],
    ["no token where one is to be read", ["--token-stdin"]],
  ])("refuses %s, and says what it takes", async (_what, args) => {
    const { code, stderr } = await runCommandLine("revoke", args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^revoke: .+\.\n$/);
  });

  it("says what it cannot reach", async () => {
    const { code, stderr } = await runCommandLine("revoke", ["--jti", "a"], {
      env: { REDIS_URL: "redis://127.0.0.1:1" },
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("Redis cannot be reached")]);
  });
});
