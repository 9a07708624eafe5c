import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { jsonBatch } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

const WORKERS = 2;
/** As a regular expression. */
const APPENDED = 'mandrill_live_events_total\\{result="appended"\\}';

async function startPool(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const redis = await startRedisServer();
  const service = await spawnService({ env: { REDIS_URL: redis.url, WORKERS: String(WORKERS), ...env } });
  onTestFinished(async () => {
    await service[Symbol.asyncDispose]();
    await redis.stop();
  });
  return service;
}

/** Process ids of the workers. */
function workersOf({ pid }: ServiceProcess): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

async function post({ url }: ServiceProcess, messageId: string): Promise<number> {
  const batch = jsonBatch([{ event: "send", msg: { _id: messageId } }]);
  return (await fetch(`${url}/mandrill`, { method: "POST", ...batch })).status;
}

/** On a connection of its own, so that any worker may be asked. */
function readMetrics(url: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/metrics`, { headers: { connection: "close" }, ...(signal && { signal }) });
}

async function metric({ url }: Pick<ServiceProcess, "url">, name: string): Promise<number> {
  const text = await (await readMetrics(url)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Sockets, one after the other: they are dealt out to the workers that are free. */
async function connectSome(service: ServiceProcess): Promise<SocketClient[]> {
  const clients: SocketClient[] = [];
  for (let i = 0; i < 4 * WORKERS; i++) clients.push(await connectSocket(service.socketUrl));
  onTestFinished(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
  });
  for (const client of clients) {
    client.subscribe("a", "subscription { eventReceived { messageId } }");
    client.send({ type: "ping" });
    await client.nextOfType("pong");
  }
  return clients;
}

describe("several workers on one port", () => {
  it("hand every event to the subscribers of all, in one order", async () => {
    const service = await startPool();
    expect(workersOf(service)).toHaveLength(WORKERS);
    const clients = await connectSome(service);
    const ids = Array.from({ length: 20 }, (_, i) => `m-${i}`);
    for (const id of ids) expect(await post(service, id)).toBe(200);
    for (const client of clients) {
      const received: string[] = [];
      while (received.length < ids.length) received.push((await client.next("a")).payload.data.eventReceived.messageId);
      expect(received).toEqual(ids);
    }
  });

  it("add their metrics up, whichever is asked", async () => {
    const service = await startPool();
    for (let i = 0; i < 10; i++) expect(await post(service, `m-${i}`)).toBe(200);
    for (let i = 0; i < 2 * WORKERS; i++) {
      expect(await metric(service, APPENDED)).toBe(10);
    }
  });

  it("add up the metrics of those that have started, and none where one of these stands still", async () => {
    const service = await startPool();
    // Each may open so many: it tells how many have been added up.
    const files = await metric(service, "process_max_fds");
    const [first, other] = workersOf(service) as [number, number];
    process.kill(first, "SIGKILL");
    let next: number | undefined;
    do {
      next = workersOf(service).find((pid) => pid !== first && pid !== other);
      await fetch(`${service.url}/health`).catch(() => {});
    } while (next === undefined);
    process.kill(next, "SIGSTOP");
    const begun = performance.now();
    expect(await metric(service, "process_max_fds")).toBe(files / WORKERS);
    expect(performance.now() - begun).toBeLessThan(4_000);
    process.kill(next, "SIGCONT");
    while ((await metric(service, "process_max_fds")) !== files);

    process.kill(next, "SIGSTOP");
    // The one that stands still is dealt one of these connections.
    const gone = new AbortController();
    const asked = Array.from({ length: 2 }, () => readMetrics(service.url, gone.signal));
    const answer = await Promise.race(asked);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: "METRICS_UNAVAILABLE" }),
    ]);
    // Where it ends while it is waited for, the others have the answer.
    const again = metric(service, "mandrill_live_ready");
    process.kill(next, "SIGKILL");
    expect(await again).toBe(1);
    gone.abort();
    await Promise.allSettled(asked);
  });

  it("are where they say, with the metrics of all on a port of their own", async () => {
    const service = await startPool({ METRICS_PORT: "0", LOG_LEVEL: "info" });
    const [, own = ""] = await service.match(/"url":"(http:[^"]+)\/metrics"/);
    expect(service.url).not.toBe(own);
    for (let i = 0; i < 10; i++) expect(await post(service, `m-${i}`)).toBe(200);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
    for (let i = 0; i < 2 * WORKERS; i++) {
      expect(await metric({ url: own }, APPENDED)).toBe(10);
    }
  });

  it("count the connections of an address, and the sockets of a token, together", async () => {
    const token = "a-static-token-of-some-length";
    const service = await startPool({
      MAX_SOCKETS_ON_LOOPBACK: "12",
      MAX_SOCKETS_PER_TOKEN: "4",
      ACCESS_TOKENS: token,
      CONNECTION_INIT_SECONDS: "60",
      AUTHENTICATION_SECONDS: "60",
    });
    const clients: SocketClient[] = [];
    onTestFinished(async () => {
      for (const client of clients) await client[Symbol.asyncDispose]();
    });
    /** What becomes of one more socket. */
    const attempt = async (init: object | false): Promise<string> => {
      try {
        clients.push(await connectSocket(service.socketUrl, { init }));
        return "open";
      } catch (error) {
        return (error as Error).message;
      }
    };
    /** Until both have told each other how many there are, one or another is let in, and has to go. */
    const settled = async (init: object | false, least: number, refusal: RegExp): Promise<void> => {
      for (let refused = 0; refused < 2 * WORKERS; ) {
        const outcome = await attempt(init);
        if (outcome !== "open") {
          expect(outcome).toMatch(refusal);
          refused += 1;
          continue;
        }
        refused = 0;
        if (clients.length > least) {
          const client = clients.pop() as SocketClient;
          client.socket.close();
          await client.closed;
        }
      }
    };
    await settled({ authorization: `Bearer ${token}` }, 4, /4429/);
    expect(clients.length).toBe(4);
    await settled(false, 12, /: 429$/);
    expect(clients.length).toBe(12);
    // What a worker has held is free when it has ended.
    const [first] = workersOf(service) as [number];
    process.kill(first, "SIGKILL");
    const { length } = clients;
    await Promise.race(clients.map(({ closed }) => closed));
    while ((await attempt(false)) !== "open");
    expect(clients.length).toBe(length + 1);
  });

  it("are replaced when they end", async () => {
    const service = await startPool();
    const [first] = workersOf(service) as [number];
    process.kill(first, "SIGKILL");
    for (;;) {
      const now = workersOf(service);
      if (now.length === WORKERS && !now.includes(first)) break;
      // Time goes by with every answer. The connection that the worker had taken ends with it.
      await fetch(`${service.url}/health`).catch(() => {});
    }
    expect(await post(service, "afterwards")).toBe(200);
  });

  it("answer on a connection that was on its way to one of them when that ended", async () => {
    const service = await startPool();
    const [first] = workersOf(service) as [number];
    process.kill(first, "SIGSTOP");
    // The one that stands still is dealt one of these connections, and no other before it has taken that.
    const answered: number[] = [];
    const others = Promise.withResolvers<void>();
    const asked = Array.from({ length: WORKERS + 1 }, async () => {
      const { status } = await fetch(`${service.url}/health`, { headers: { connection: "close" } });
      answered.push(status);
      if (answered.length === WORKERS) others.resolve();
    });
    await others.promise;
    process.kill(first, "SIGKILL");
    await Promise.all(asked);
    expect(answered).toEqual(asked.map(() => 200));
  });

  it("stop together and in order", async () => {
    const service = await startPool({ SHUTDOWN_SECONDS: "5" });
    const workers = workersOf(service);
    const clients = await connectSome(service);
    service.signal("SIGTERM");
    expect(new Set((await Promise.all(clients.map(({ closed }) => closed))).map(({ code }) => code))).toEqual(
      new Set([1012]),
    );
    expect(await service.ended).toBe(0);
    for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

describe("workers that cannot be", () => {
  it("are refused on the embedded log, with the way out", async () => {
    await expect(spawnService({ env: { WORKERS: "2" } })).rejects.toThrow(
      /WORKERS makes 2 processes, and the embedded event log is for one: set REDIS_URL/,
    );
  });

  it("end the whole where the port is taken, and say so once", async () => {
    const taken = await startPool();
    const { port } = new URL(taken.url);
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const failed = spawnService({ env: { REDIS_URL: redis.url, WORKERS: "2", PORT: port } });
    await expect(failed).rejects.toThrow(/EADDRINUSE/);
  });
});
