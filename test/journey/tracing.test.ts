import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { jsonBatch } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code?: number };
}

/** A collector that keeps what it is sent: OTLP over HTTP, as JSON. */
async function startCollector(): Promise<{ readonly url: string; readonly spans: SentSpan[] }> {
  const spans: SentSpan[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

describe("tracing", () => {
  it("has one trace from the POST through the append to the frames of every instance", async () => {
    const collector = await startCollector();
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const env = { REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const services = [await runService({ env }), await runService({ env })] as const;
    const clients = await Promise.all(services.map(({ socketUrl }) => connectSocket(socketUrl)));
    for (const client of clients) {
      client.subscribe("a", "subscription { eventReceived { messageId raw } }");
      client.send({ type: "ping" });
      await client.nextOfType("pong");
    }
    const batch = jsonBatch([
      { event: "send", msg: { _id: "m-1" } },
      { event: "open", msg: { _id: "m-1" } },
    ]);
    const headers = { ...batch.headers, traceparent: `00-${TRACE}-${CALLER}-01` };
    expect((await fetch(`${services[0].url}/mandrill`, { method: "POST", body: batch.body, headers })).status).toBe(
      200,
    );
    for (const client of clients) {
      // What Mandrill sent is as it was: the trace stands beside it.
      expect((await client.next("a")).payload.data.eventReceived.raw).toEqual({ event: "send", msg: { _id: "m-1" } });
      await client[Symbol.asyncDispose]();
    }
    // A stop sends what is left.
    for (const service of services) await service.stop();

    const [post, append, ...deliveries] = ["POST /mandrill", "append", "deliver"].flatMap((name) =>
      collector.spans.filter((span) => span.name === name),
    ) as [SentSpan, SentSpan, ...SentSpan[]];
    expect(collector.spans.map(({ traceId }) => traceId)).toEqual(collector.spans.map(() => TRACE));
    expect(post.parentSpanId).toBe(CALLER);
    expect(append.parentSpanId).toBe(post.spanId);
    expect(deliveries).toHaveLength(services.length);
    for (const delivery of deliveries) {
      expect(delivery.parentSpanId).toBe(post.spanId);
      expect(delivery.attributes).toEqual([{ key: "mandrill_live.entries", value: { intValue: 2 } }]);
    }
  });

  it("tells which batches were refused, and why", async () => {
    const collector = await startCollector();
    await using service = await runService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` } });
    await fetch(`${service.url}/mandrill`, { method: "POST", ...jsonBatch({ no: "array" }) });
    await service.stop();
    expect(collector.spans).toMatchObject([{ name: "POST /mandrill", status: { code: 2 } }]);
    expect(collector.spans[0]?.attributes).toContainEqual({
      key: "mandrill_live.code",
      value: { stringValue: "BATCH_MALFORMED" },
    });
  });

  it("does not keep the service from working where nobody takes the spans", async () => {
    await using service = await runService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" } });
    const { status } = await fetch(`${service.url}/mandrill`, { method: "POST", ...jsonBatch([{ event: "send" }]) });
    expect(status).toBe(200);
  });
});
