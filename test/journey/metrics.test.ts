import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { METRICS } from "../../src/telemetry/metrics.ts";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post, rawEvent, type SavedWebhook, signedForm, unsignedForm } from "../harness/mandrill-post.ts";
import { parseMetrics, type Samples } from "../harness/prometheus-text.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { bearer, JWT_SECRET, signToken } from "../harness/tokens.ts";
import { exchange } from "../harness/transport.ts";

const WEBHOOK: SavedWebhook = { url: "https://live.example.com/mandrill", key: "webhook-key" };
const KEYS = { MANDRILL_WEBHOOK_URLS: WEBHOOK.url, MANDRILL_WEBHOOK_KEYS: WEBHOOK.key };
const SUBSCRIPTION = "subscription ($after: Cursor) { eventReceived(after: $after) { cursor } }";

async function read(url: string): Promise<Samples> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  return parseMetrics(await response.text());
}

/** Reads until it is as wanted: with every answer, time goes by. */
async function readUntil(url: string, wanted: (samples: Samples) => boolean): Promise<Samples> {
  for (;;) {
    const samples = await read(url);
    if (wanted(samples)) return samples;
  }
}

function open(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => rawEvent("open", {}, from + i + 1));
}

describe("the metrics of a service", () => {
  it("are in Prometheus' text format, all of them", async () => {
    await using service = await runService();
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    const told = [...parseMetrics(text).keys()].map((series) => series.replace(/\{.*/, ""));
    for (const [name, { type, ...row }] of Object.entries(METRICS)) {
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
      // What is counted by a label has no value before there is one.
      if (!("labels" in row)) expect(told).toContain(type === "histogram" ? `${name}_count` : name);
    }
    expect(told).toEqual(expect.arrayContaining(["nodejs_eventloop_lag_p99_seconds", "process_resident_memory_bytes"]));
  });

  it("count what Mandrill posts, by what became of it", async () => {
    await using service = await runService({ env: KEYS });
    const begun = Date.now() / 1_000;
    const batch = signedForm([...open(2), rawEvent("click")], WEBHOOK);
    expect((await post(service.url, batch)).body).toMatchObject({ appended: 3 });
    expect((await post(service.url, batch)).body).toMatchObject({ duplicates: 3 });
    const forged = { ...batch, headers: { ...batch.headers, "x-mandrill-signature": "bm9uZQ==" } };
    expect((await post(service.url, forged)).status).toBe(401);
    expect((await post(service.url, forged)).status).toBe(401);
    expect((await post(service.url, unsignedForm(open(1)))).status).toBe(401);
    expect((await post(service.url, { body: "?", headers: { "content-type": "text/plain" } })).status).toBe(415);

    const samples = await read(service.url);
    const requests = (code: string) => samples.get(`mandrill_live_webhook_requests_total{code="${code}"}`);
    expect(requests("OK")).toBe(2);
    expect(requests("SIGNATURE_MISMATCH")).toBe(2);
    expect(requests("SIGNATURE_MISSING")).toBe(1);
    expect(requests("UNSUPPORTED_MEDIA_TYPE")).toBe(1);
    expect(requests("LOG_UNAVAILABLE")).toBe(0);
    expect(samples.get('mandrill_live_events_total{result="appended"}')).toBe(3);
    expect(samples.get('mandrill_live_events_total{result="duplicate"}')).toBe(3);
    expect(samples.get('mandrill_live_events_received_total{type="open"}')).toBe(4);
    expect(samples.get('mandrill_live_events_received_total{type="click"}')).toBe(2);
    expect(samples.get("mandrill_live_append_duration_seconds_count")).toBe(2);
    expect(samples.get("mandrill_live_event_delay_seconds_count")).toBe(2);
    expect(samples.get("mandrill_live_last_webhook_timestamp_seconds")).toBeGreaterThanOrEqual(begun);
    expect(samples.get("mandrill_live_log_entries")).toBe(3);
    expect(samples.get('mandrill_live_http_requests_total{path="/mandrill",status="200"}')).toBe(2);
    expect(samples.get('mandrill_live_http_requests_total{path="/mandrill",status="401"}')).toBe(3);
    expect(samples.get("mandrill_live_ready")).toBe(1);
  });

  it("count who listens, what they were sent, their replays, gaps and ends", async () => {
    await using service = await runService();
    expect((await post(service.url, jsonBatch(open(1)))).status).toBe(200);
    const clients = [await connectSocket(service.socketUrl), await connectSocket(service.socketUrl)] as const;
    for (const client of clients) client.subscribe("a", SUBSCRIPTION);
    await readUntil(service.url, (samples) => samples.get("mandrill_live_subscribers") === 2);
    expect((await post(service.url, jsonBatch(open(1, 10)))).status).toBe(200);
    const [first] = await Promise.all(clients.map((client) => client.next("a")));
    const cursor = first?.payload.data.eventReceived.cursor as string;

    const before = await read(service.url);
    expect(before.get("mandrill_live_sockets")).toBe(2);
    expect(before.get("mandrill_live_groups")).toBe(1);
    expect(before.get("mandrill_live_feed_lag_entries")).toBe(0);
    expect((await post(service.url, jsonBatch(open(3, 20)))).status).toBe(200);
    for (const client of clients) for (let i = 0; i < 3; i++) await client.next("a");
    const after = await read(service.url);
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown("mandrill_live_delivery_delay_seconds_count")).toBe(1);
    expect(grown("mandrill_live_frames_sent_total")).toBe(6);
    const payload = { data: { eventReceived: { cursor } }, extensions: { cursor } };
    const frame = 4 + JSON.stringify({ id: "a", type: "next", payload }).length;
    expect(grown("mandrill_live_sent_bytes_total")).toBe(6 * frame);

    const [one, other] = clients;
    one.subscribe("behind", SUBSCRIPTION, { variables: { after: cursor } });
    for (let i = 0; i < 3; i++) await one.next("behind");
    one.subscribe("lost", SUBSCRIPTION, { variables: { after: "of another log" } });
    expect((await one.next("lost")).payload[0].extensions.code).toBe("CURSOR_UNKNOWN");
    one.send({ id: "a", type: "complete" });
    other.socket.close(1000);
    const last = await readUntil(
      service.url,
      (samples) => samples.get("mandrill_live_sockets") === 1 && samples.get("mandrill_live_subscribers") === 1,
    );
    expect(last.get("mandrill_live_replays_total")).toBe(2);
    expect(last.get('mandrill_live_gaps_told_total{code="CURSOR_UNKNOWN"}')).toBe(1);
    expect(last.get('mandrill_live_gaps_told_total{code="CURSOR_EXPIRED"}')).toBe(0);
    expect(last.get('mandrill_live_operations_ended_total{code="CURSOR_UNKNOWN"}')).toBe(1);
    expect(last.get('mandrill_live_operations_ended_total{code="OK"}')).toBe(2);
    expect(last.get('mandrill_live_sockets_closed_total{code="1000"}')).toBe(1);
    await one[Symbol.asyncDispose]();
    await readUntil(service.url, (samples) => samples.get('mandrill_live_sockets_closed_total{code="1006"}') === 1);
  });

  it("take the time from the arrival of a POST to the frame, of batches that this instance took in", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    await using service = await runService({ env });
    await using other = await runService({ env });
    for (const { url } of [service, other]) await readUntil(url, (of) => of.get("mandrill_live_ready") === 1);
    const taken = (of: Samples) => of.get("mandrill_live_post_to_frame_seconds_count");
    const both = [await connectSocket(service.socketUrl), await connectSocket(other.socketUrl)] as const;
    for (const client of both) client.subscribe("a", SUBSCRIPTION);
    for (const { url } of [service, other]) await readUntil(url, (of) => of.get("mandrill_live_subscribers") === 1);

    // Its head has come, as the service says, a while before its body does.
    const { body, headers } = jsonBatch(open(2));
    const slow = request(`${service.url}/mandrill`, {
      method: "POST",
      headers: { ...headers, expect: "100-continue" },
    });
    slow.flushHeaders();
    await once(slow, "continue");
    const arrived = performance.now();
    for (let i = 0; i < 20; i++) expect(taken(await read(service.url))).toBe(0);
    const least = (performance.now() - arrived) / 1_000;
    slow.end(body);
    const [answer] = (await once(slow, "response")) as [IncomingMessage];
    expect(answer.resume().statusCode).toBe(200);
    for (const client of both) for (let i = 0; i < 2; i++) await client.next("a");
    const samples = await readUntil(service.url, (of) => taken(of) === 1);
    expect(samples.get("mandrill_live_post_to_frame_seconds_sum")).toBeGreaterThan(least);
    expect(samples.get("mandrill_live_delivery_delay_seconds_count")).toBe(1);
    const ofOther = await readUntil(other.url, (of) => of.get("mandrill_live_delivery_delay_seconds_count") === 1);
    expect(taken(ofOther)).toBe(0);

    // Nothing is new, then something is, and so it goes on in another log.
    expect((await post(service.url, { body, headers })).body).toMatchObject({ appended: 0 });
    expect((await post(service.url, jsonBatch(open(3)))).body).toMatchObject({ appended: 1 });
    await readUntil(service.url, (of) => taken(of) === 2);
    await redis.client.flushall();
    expect((await post(service.url, jsonBatch(open(1)))).status).toBe(200);
    for (const client of both) await client.next("a");
    expect((await both[0].next("a")).payload[0].extensions.code).toBe("CURSOR_UNKNOWN");
    expect((await post(service.url, jsonBatch(open(1, 30)))).status).toBe(200);
    await readUntil(service.url, (of) => Number(taken(of)) > 2);
  });

  it("tell the transports of open streams apart", async () => {
    await using service = await runService();
    const stream = await openEventStream(`${service.url}/events`);
    const gone = new AbortController();
    const sse = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: SUBSCRIPTION }),
      signal: gone.signal,
    });
    expect(sse.status).toBe(200);
    expect((await fetch(`${service.url}/graphql/stream`, { method: "PUT" })).status).toBe(201);
    const poll = fetch(`${service.url}/events?wait=300`, {
      headers: { accept: "application/json" },
      signal: gone.signal,
    }).catch(() => {});
    const openOf = (samples: Samples) =>
      ["event-stream", "long-poll", "graphql-sse", "graphql-stream"].map((transport) =>
        samples.get(`mandrill_live_streams{transport="${transport}"}`),
      );
    await readUntil(service.url, (samples) => openOf(samples).join() === "1,1,1,1");
    stream[Symbol.dispose]();
    gone.abort();
    await poll;
    await readUntil(service.url, (samples) => openOf(samples).slice(0, 3).join() === "0,0,0");
  });

  it("count what is refused to who asks, and tokens that end", async () => {
    const env = { ...KEYS, JWT_SECRET };
    await using service = await runService({ env: { ...env, ACCESS_TOKENS: "an-operator-token-of-some-length" } });
    const operator = bearer("an-operator-token-of-some-length");
    const exp = Math.floor(Date.now() / 1_000) + 2;
    const init = bearer(await signToken({ exp }));
    await using client = await connectSocket(service.socketUrl, { init });
    const ask = (query: string, headers: Record<string, string>) =>
      fetch(`${service.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ query }),
      });
    expect((await ask("{ recentEvents { head } }", {})).status).toBe(401);
    await ask("{ recentEvents(first: 0) { head } }", operator);
    expect((await client.closed).code).toBe(4403);
    const response = await fetch(`${service.url}/metrics`, { headers: operator });
    const samples = parseMetrics(await response.text());
    expect(samples.get('mandrill_live_http_requests_total{path="/graphql",status="401"}')).toBe(1);
    expect(samples.get('mandrill_live_graphql_errors_total{code="BAD_USER_INPUT"}')).toBe(1);
    expect(samples.get('mandrill_live_stays_ended_total{reason="expired"}')).toBe(1);
    expect(samples.get('mandrill_live_stays_ended_total{reason="revoked"}')).toBe(0);
    expect(samples.get('mandrill_live_sockets_closed_total{code="4403"}')).toBe(1);
  });

  it("count what the log has trimmed", async () => {
    await using service = await runService({ env: { RETENTION_EVENTS: "5" } });
    expect((await post(service.url, jsonBatch(open(12)))).status).toBe(200);
    const samples = await read(service.url);
    expect(samples.get("mandrill_live_log_entries")).toBe(5);
    expect(samples.get("mandrill_live_log_trimmed_entries_total")).toBe(7);
  });

  it("are answered in time while the log does not answer, and say that it is not ready", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    await using service = await runService({ env: { REDIS_URL: redis.url } });
    await readUntil(service.url, (samples) => samples.get("mandrill_live_ready") === 1);
    expect((await post(service.url, jsonBatch(open(2)))).status).toBe(200);
    expect((await read(service.url)).get("mandrill_live_log_entries")).toBe(2);
    redis.pause();
    try {
      const begun = performance.now();
      const samples = await readUntil(service.url, (found) => found.get("mandrill_live_ready") === 0);
      expect(samples.get("mandrill_live_log_entries")).toBe(2);
      expect(performance.now() - begun).toBeLessThan(8_000);
    } finally {
      redis.resume();
    }
  });
});

describe("who may read the metrics", () => {
  it("is who may see every event", async () => {
    const token = "an-operator-token-of-some-length";
    await using service = await runService({ env: { ...KEYS, JWT_SECRET, ACCESS_TOKENS: token } });
    const status = async (headers: Record<string, string>, method = "GET") =>
      (await fetch(`${service.url}/metrics`, { method, headers })).status;
    expect(await status({})).toBe(401);
    expect(await status(bearer("another-token-of-some-length-that-is-none"))).toBe(401);
    const scoped = await signToken({ mandrill_live: { emails: ["ada@example.com"] } });
    expect(await status(bearer(scoped))).toBe(403);
    expect(await status(bearer(token))).toBe(200);
    expect(await status(bearer(token), "HEAD")).toBe(200);
    expect(await status(bearer(token), "POST")).toBe(405);
  });

  it("is everybody on a port of their own, which has nothing else", async () => {
    const env = { ...KEYS, JWT_SECRET, METRICS_PORT: "0", LOG_LEVEL: "info" };
    await using service = await spawnService({ env });
    const [, own = ""] = await service.match(/"url":"(http:[^"]+)\/metrics"/);
    expect((await read(own)).get("mandrill_live_ready")).toBe(1);
    expect((await fetch(`${own}/graphql`)).status).toBe(404);
    expect((await fetch(`${own}/metrics`, { method: "POST" })).status).toBe(405);
    const main = await fetch(`${service.url}/metrics`, { headers: bearer(await signToken()) });
    expect(main.status).toBe(404);
  });

  it("is who asks for this machine by name where no access rule is set, on a port of their own too", async () => {
    await using service = await spawnService({ env: { METRICS_PORT: "0", LOG_LEVEL: "info" } });
    const [, own = ""] = await service.match(/"url":"(http:[^"]+)\/metrics"/);
    const rebound = await exchange(`${own}/metrics`, { headers: { host: "evil.example" } });
    expect([rebound.status, rebound.text]).toEqual([403, expect.stringContaining("ACCESS_TOKENS")]);
    const { status, headers } = await exchange(`${own}/metrics`);
    expect([status, headers]).toEqual([200, expect.objectContaining({ "x-content-type-options": "nosniff" })]);
  });
});
