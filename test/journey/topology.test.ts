import { createClient } from "graphql-sse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedForm } from "../harness/mandrill-post.ts";
import { type Nginx, startNginx } from "../harness/nginx.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const WEBHOOK = { url: "https://mail.example.com/mandrill", key: "topology-key" };
const TOKEN = "topology-token";
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` };
const SUBSCRIPTION = "subscription ($tag: String) { eventReceived(tag: $tag) { messageId } }";

let redis: RedisServer;
let services: [ServiceProcess, ServiceProcess];
let proxy: Nginx;
/** Everything that docker-compose.yml starts, by the configuration that it mounts. */
beforeAll(async () => {
  redis = await startRedisServer({ config: { appendonly: "yes", "maxmemory-policy": "noeviction" } });
  const env = {
    REDIS_URL: redis.url,
    NODE_ENV: "production",
    TRUSTED_PROXIES: "127.0.0.1",
    MANDRILL_WEBHOOK_URLS: WEBHOOK.url,
    MANDRILL_WEBHOOK_KEYS: WEBHOOK.key,
    ACCESS_TOKENS: TOKEN,
  };
  services = await Promise.all([spawnService({ env }), spawnService({ env })]);
  proxy = await startNginx([services[0].url, services[1].url]);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const service of services) await service[Symbol.asyncDispose]();
  await redis.stop();
});

async function post(messageIds: readonly string[], tag: string, url = proxy.url): Promise<number> {
  const events = messageIds.map((_id) => ({ event: "send", _id, ts: 1_795_467_660, msg: { _id, tags: [tag] } }));
  const { status } = await fetch(`${url}/mandrill`, { method: "POST", ...signedForm(events, WEBHOOK) });
  return status;
}

/** The lines of an event stream that begin with `data:`, as they come. */
async function* dataOf(response: Response): AsyncGenerator<{ messageId: string; cursor: string }> {
  let text = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const lines = text.split("\n");
    text = lines.pop() as string;
    for (const line of lines) if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
  }
}

describe("two instances behind nginx", () => {
  it("answer what is not for everybody with a refusal, and health without a token", async () => {
    expect((await fetch(`${proxy.url}/health`)).status).toBe(200);
    expect((await fetch(`${proxy.url}/ready`)).status).toBe(200);
    expect((await fetch(`${proxy.url}/events`, { headers: { accept: "application/json" } })).status).toBe(401);
  });

  it("hand events to WebSockets, whichever instance they came by", async () => {
    await using one = await connectSocket(proxy.socketUrl, { init: AUTHORIZATION });
    await using other = await connectSocket(proxy.socketUrl, { init: AUTHORIZATION });
    for (const client of [one, other]) {
      client.subscribe("a", SUBSCRIPTION, { variables: { tag: "sockets" } });
      client.send({ type: "ping" });
      await client.nextOfType("pong");
    }
    const ids = Array.from({ length: 10 }, (_, i) => `socket-${i}`);
    for (const id of ids) expect(await post([id], "sockets")).toBe(200);
    for (const client of [one, other]) {
      const received: string[] = [];
      while (received.length < ids.length) received.push((await client.next("a")).payload.data.eventReceived.messageId);
      expect(received).toEqual(ids);
    }
  });

  it("stream events as they come: the proxy keeps none back", async () => {
    const abort = new AbortController();
    const response = await fetch(`${proxy.url}/events?tag=stream`, {
      headers: { ...AUTHORIZATION, accept: "text/event-stream" },
      signal: abort.signal,
    });
    expect(response.headers.get("content-type")).toMatch("text/event-stream");
    const events = dataOf(response);
    for (const id of ["stream-1", "stream-2", "stream-3"]) {
      // Each is waited for before the next is posted: a buffer that waits to be full would hold it for ever.
      expect(await post([id], "stream")).toBe(200);
      expect((await events.next()).value).toMatchObject({ messageId: id });
    }
    abort.abort();
  });

  it("serve GraphQL over server-sent events, and long polling", async () => {
    const client = createClient({ url: `${proxy.url}/graphql`, headers: AUTHORIZATION });
    const results = client.iterate<{ eventReceived: { messageId: string } }>({
      query: SUBSCRIPTION,
      variables: { tag: "poll" },
    });
    const poll = async (after: string) => {
      const response = await fetch(`${proxy.url}/events?tag=poll&wait=20&after=${after}`, {
        headers: { ...AUTHORIZATION, accept: "application/json" },
      });
      return (await response.json()) as { events: { messageId: string }[]; head: string };
    };
    const start = (await (
      await fetch(`${proxy.url}/events?tag=poll&wait=0`, { headers: { ...AUTHORIZATION, accept: "application/json" } })
    ).json()) as { head: string };
    const first = results.next();
    const waiting = poll(start.head);
    expect(await post(["poll-1"], "poll")).toBe(200);
    const polled = await waiting;
    expect(polled.events).toMatchObject([{ messageId: "poll-1" }]);
    expect(await post(["poll-2"], "poll")).toBe(200);
    expect((await poll(polled.head)).events).toMatchObject([{ messageId: "poll-2" }]);
    // Whether the stream was there before the first event, or between the two, is no matter here.
    expect((await first).value?.data?.eventReceived.messageId).toMatch(/^poll-/);
    client.dispose();
  });

  it("serve graphql-sse's single connection mode: nginx sends all requests of a stream's token to one of them", async () => {
    // Half of them would be on the wrong instance at their second request, were it left to chance.
    const clients = Array.from({ length: 8 }, () =>
      createClient({
        url: `${proxy.url}/graphql/stream`,
        singleConnection: true,
        retryAttempts: 0,
        headers: { ...AUTHORIZATION, "x-graphql-event-stream-token": crypto.randomUUID() },
      }),
    );
    const place = await fetch(`${proxy.url}/events`, { headers: { ...AUTHORIZATION, accept: "application/json" } });
    const { head } = (await place.json()) as { head: string };
    const results = clients.map((client) =>
      client.iterate<{ eventReceived: { messageId: string } }>({
        query: SUBSCRIPTION,
        variables: { tag: "single" },
        extensions: { after: head },
      }),
    );
    for (const id of ["single-1", "single-2"]) {
      expect(await post([id], "single")).toBe(200);
      for (const each of results) {
        expect((await each.next()).value?.data).toEqual({ eventReceived: { messageId: id } });
      }
    }
    for (const client of clients) client.dispose();
  });

  it("lose nothing when one of them is gone: the proxy turns to the other", async () => {
    await using client = await connectSocket(services[1].socketUrl, { init: AUTHORIZATION });
    client.subscribe("a", SUBSCRIPTION, { variables: { tag: "failover" } });
    client.send({ type: "ping" });
    await client.nextOfType("pong");
    services[0].signal("SIGKILL");
    await services[0].ended;
    const ids = Array.from({ length: 10 }, (_, i) => `failover-${i}`);
    for (const id of ids) expect(await post([id], "failover")).toBe(200);
    const received: string[] = [];
    while (received.length < ids.length) received.push((await client.next("a")).payload.data.eventReceived.messageId);
    expect(received).toEqual(ids);
  });
});
