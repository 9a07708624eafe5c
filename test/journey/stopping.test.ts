import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

/** As many as are to come back one after the other, and the window that is the default. Milliseconds. */
const CLIENTS = 5_000;
const WINDOW = 10_000;

const batchOf = (messageId: string): string => JSON.stringify([{ event: "open", msg: { _id: messageId } }]);

/** GET, or POST where there is a body; resolves to the status of the complete answer. */
async function ask(agent: Agent, url: string, body?: string): Promise<number | undefined> {
  const asked = request(url, {
    agent,
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
  });
  asked.end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  return response.statusCode;
}

async function post(url: string, messageId = "m"): Promise<{ status: number }> {
  const response = await fetch(`${url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: batchOf(messageId),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

describe("a service that is told to stop", () => {
  it("closes its sockets with 1012, spread over the window, and takes no new work meanwhile", async () => {
    const service = await runService({ env: { SHUTDOWN_SECONDS: "4" } });
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectSocket(service.socketUrl)));
    const closes: number[] = [];
    const begun = performance.now();
    const closed = clients.map(async (client) => {
      const { code } = await client.closed;
      closes.push(performance.now() - begun);
      return code;
    });
    const stopped = service.stop();
    await closed[0];
    const ready = await fetch(`${service.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      expect.objectContaining({
        status: "not ready",
        checks: expect.objectContaining({ running: expect.objectContaining({ ok: false }) }),
      }),
    ]);
    expect(await post(service.url)).toMatchObject({ status: 503, code: "SHUTTING_DOWN" });
    await expect(connectSocket(service.socketUrl)).rejects.toThrow("503");
    const last = clients.at(-1) as SocketClient;
    last.subscribe("new", "{ recentEvents(first: 1) { head } }");
    await expect(last.next("new")).rejects.toThrow("1012");
    // Its turn would come at the end of all.
    expect(performance.now() - begun).toBeLessThan(2_400);
    expect(new Set(await Promise.all(closed))).toEqual(new Set([1012]));
    await stopped;
    expect(performance.now() - begun).toBeLessThan(4_000);
    const perQuarter = [0, 1, 2, 3].map((quarter) => closes.filter((at) => Math.floor(at / 800) === quarter).length);
    expect(Math.max(...perQuarter)).toBeLessThanOrEqual(40);
  });

  it("answers every batch under way, and loses none that it acknowledged", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-"));
    const service = await runService({ dataDir, env: { SHUTDOWN_SECONDS: "5" } });
    // Connections that have been accepted: one that waits in the kernel's queue is nobody's yet.
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    await Promise.all(Array.from({ length: 10 }, () => ask(agent, `${service.url}/health`)));
    const answers = Array.from({ length: 10 }, (_, batch) =>
      ask(agent, `${service.url}/mandrill`, batchOf(`stopping-${batch}`)),
    );
    await Promise.race(answers);
    await service.stop();
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await using next = await runService({ dataDir });
    for (const [batch, status] of statuses.entries()) {
      if (status !== 200) continue;
      expect(await post(next.url, `stopping-${batch}`)).toMatchObject({ status: 200, appended: 0, duplicates: 1 });
    }
    await rm(dataDir, { recursive: true });
  });

  it("breaks event streams off instead of completing them, so that their clients come back", async () => {
    const service = await runService();
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: "subscription { eventReceived { id } }" }),
    });
    const brokenOff = expect(response.text()).rejects.toThrow();
    await service.stop();
    await brokenOff;
  });
});

describe("the process", () => {
  it("breaks off whoever does not answer its close, and ends with 0 within the window all the same", async () => {
    await using service = await spawnService({ env: { SHUTDOWN_SECONDS: "5" } });
    const { port, hostname } = new URL(service.url);
    const silent = connect(Number(port), hostname);
    silent.write(
      "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
    );
    await once(silent, "data");
    const begun = performance.now();
    service.signal("SIGTERM");
    expect(await service.ended).toBe(0);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(4_000);
    expect(took).toBeLessThan(5_000);
    silent.destroy();
  });

  it("ends with 0 within the window though Redis hangs, and has the batch under way come again", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    await using service = await spawnService({ env: { REDIS_URL: redis.url, SHUTDOWN_SECONDS: "6" } });
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("live", "subscription { eventReceived { id } }");
    const agent = new Agent({ keepAlive: true });
    await ask(agent, `${service.url}/health`);
    redis.pause();
    const answer = ask(agent, `${service.url}/mandrill`, batchOf("under-way"));
    // Its request has been read once a later one on another connection is answered.
    await ask(new Agent(), `${service.url}/health`);
    const begun = performance.now();
    service.signal("SIGTERM");
    expect(await service.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(6_000);
    expect([await answer, (await client.closed).code]).toEqual([503, 1012]);
  });

  it(`sends ${CLIENTS.toLocaleString("en")} clients away over its seconds, not all at once, and ends with 0 within them`, async () => {
    await using service = await spawnService();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectSocket(service.socketUrl)));
    const begun = performance.now();
    const closed = clients.map(async (client) => {
      const { code } = await client.closed;
      return [code, performance.now() - begun] as const;
    });
    service.signal("SIGTERM");
    expect(await service.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(WINDOW);
    const closes = await Promise.all(closed);
    expect(new Set(closes.map(([code]) => code))).toEqual(new Set([1012]));
    const perSecond = Map.groupBy(closes, ([, at]) => Math.floor(at / 1_000));
    expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(CLIENTS / 4);
  }, 60_000);

  it("ends with 0 on SIGTERM, within the window", async () => {
    await using service = await spawnService({ env: { SHUTDOWN_SECONDS: "5" } });
    const client = await connectSocket(service.socketUrl);
    expect((await post(service.url)).status).toBe(200);
    service.signal("SIGTERM");
    expect((await client.closed).code).toBe(1012);
    expect(await service.ended).toBe(0);
  });

  it("ends with npm start, whose shell does not pass signals on", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-"));
    const npm = spawn("npm", ["start"], { env: { ...process.env, PORT: "0", DATA_DIR: dataDir } });
    await new Promise<void>((resolve) => {
      let printed = "";
      npm.stdout.on("data", (chunk) => {
        printed += chunk;
        if (printed.includes("is listening")) resolve();
      });
    });
    npm.kill("SIGTERM");
    expect(await once(npm, "exit")).toEqual([0, null]);
    await rm(dataDir, { recursive: true });
  });

  it("ends at once on a second SIGTERM", async () => {
    await using service = await spawnService({ env: { SHUTDOWN_SECONDS: "60" } });
    const clients = await Promise.all(Array.from({ length: 3 }, () => connectSocket(service.socketUrl)));
    service.signal("SIGTERM");
    await clients[0]?.closed;
    const begun = performance.now();
    service.signal("SIGTERM");
    expect(await service.ended).toBe(143);
    expect(performance.now() - begun).toBeLessThan(2_000);
    await Promise.all(clients.map(({ closed }) => closed));
  });

  it("ends with 1 and one message that names every bad setting", async () => {
    await expect(spawnService({ env: { PORT: "seventy", RETENTION_EVENTS: "-1" } })).rejects.toThrow(
      /ended with 1:[\s\S]*PORT[\s\S]*RETENTION_EVENTS/,
    );
  });
});
