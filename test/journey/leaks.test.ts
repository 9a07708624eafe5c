import { type ClientRequest, request } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

/** Rounds of subscribing and leaving, and those of them that are under way at once. */
const ROUNDS = 20_000;
const AT_ONCE = 50;
/** What the heap may grow by from half of the rounds to all of them. Bytes. */
const MAX_GROWTH = 2 * 1024 * 1024;
/** As many as clients have, and fewer than are remembered. */
const DOCUMENTS = 40;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let redis: RedisServer;
let service: RunningService;
let kept: SocketClient;
let rounds = 0;
beforeAll(async () => {
  redis = await startRedisServer();
  service = await runService({
    env: { REDIS_URL: redis.url, MAX_MESSAGES_PER_MINUTE: "1000000", MAX_OPERATIONS: "1000" },
  });
  kept = await connectSocket(service.socketUrl);
});
afterAll(async () => {
  await kept[Symbol.asyncDispose]();
  await service.stop();
  await redis.stop();
});

/** A subscription with an own filter, in one of several groups. */
function subscription(round: number): { readonly query: string; readonly variables: Record<string, unknown> } {
  const field = "eventReceived(email: $email, after: $after)";
  return {
    query: `subscription ($email: String, $after: Cursor) { alias${round % DOCUMENTS}: ${field} { id type } }`,
    variables: { email: `reader-${round}@example.com` },
  };
}

/** Resolves when everything that was sent on this socket before has been handled. */
async function handled(client: SocketClient): Promise<void> {
  client.send({ type: "ping" });
  await client.nextOfType("pong");
}

/** Each subscribes and leaves once. */
const WAYS: readonly ((round: number) => Promise<void>)[] = [
  async function completed(round) {
    const { query, variables } = subscription(round);
    kept.subscribe(`${round}`, query, { variables });
    await handled(kept);
    kept.send({ id: `${round}`, type: "complete" });
  },
  async function completedBeforeItRuns(round) {
    const { query, variables } = subscription(round);
    kept.subscribe(`${round}`, query, { variables, extensions: { after: kept.ack.head } });
    kept.send({ id: `${round}`, type: "complete" });
  },
  async function dropped(round) {
    const { query, variables } = subscription(round);
    const client = await connectSocket(service.socketUrl);
    client.subscribe("1", query, { variables });
    await handled(client);
    client.socket.terminate();
    await client.closed;
  },
  async function faultyPlace(round) {
    const { query, variables } = subscription(round);
    kept.subscribe(`${round}`, query, { variables: { ...variables, after: "no cursor" } });
    expect((await kept.next(`${round}`)).type).toBe("error");
  },
  async function faultyVariable(round) {
    kept.subscribe(`${round}`, subscription(round).query, { variables: { email: round } });
    expect((await kept.next(`${round}`)).payload.errors).toHaveLength(1);
    expect((await kept.next(`${round}`)).type).toBe("complete");
  },
  async function faultyDocument(round) {
    kept.subscribe(`${round}`, subscription(round).query.replace("type }", `field${round} }`));
    expect((await kept.next(`${round}`)).type).toBe("error");
  },
  async function streamBrokenOff(round) {
    const asked = streamRequest();
    asked.end(JSON.stringify(subscription(round)));
    await new Promise((resolve, reject) => {
      asked.once("error", reject);
      asked.once("response", (response) => {
        response.on("error", () => {});
        response.once("close", resolve);
        response.once("data", () => response.destroy());
      });
    });
  },
];

function streamRequest(): ClientRequest {
  const headers = { "content-type": "application/json", accept: "text/event-stream" };
  return request(`${service.url}/graphql`, { method: "POST", agent: false, headers });
}

/** Goes on to this round, {@link AT_ONCE} at a time. */
async function goOnTo(last: number): Promise<void> {
  while (rounds < last) {
    const batch = Array.from({ length: Math.min(AT_ONCE, last - rounds) }, () => rounds++);
    await Promise.all(batch.map((round) => WAYS[round % WAYS.length]?.(round)));
  }
  await handled(kept);
}

/** All that may be left behind, by name; the sockets of this file's own clients included. */
async function held() {
  const resources = Object.groupBy(process.getActiveResourcesInfo(), (name) => name);
  const clients = String(await redis.client.client("LIST"))
    .trim()
    .split("\n");
  return {
    ...service.counts(),
    timers: resources.Timeout?.length,
    connections: resources.TCPSocketWrap?.length,
    redisConnections: clients.length,
    redisChannels: await redis.client.pubsub("CHANNELS"),
    redisSubscriptions: clients.filter((client) => /sub=[1-9]/.test(client)).length,
  };
}

function heap(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it(`${ROUNDS.toLocaleString("en")} rounds of subscribing and leaving, on whatever way, leave nothing behind`, async () => {
  // Timers of the start run out, others begin with the first request: they are counted after some rounds.
  const { timers: _, ...before } = await held();
  let timers: number | undefined;
  await goOnTo(1_000);
  // Clients know first that a connection has ended.
  const counted = async () => {
    const now = await held();
    timers = now.timers;
    return now;
  };
  await expect.poll(counted).toMatchObject(before);
  await goOnTo(ROUNDS / 2);
  const halfway = heap();
  await goOnTo(ROUNDS);
  await expect.poll(held).toEqual({ ...before, timers });
  const growth = heap() - halfway;
  expect(growth).toBeLessThan(MAX_GROWTH);
}, 60_000);
