import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { logUnavailable } from "../../../src/error.ts";
import type { Event } from "../../../src/event/event.ts";
import type { WebhookRequest } from "../../../src/event/webhook-request.ts";
import type { AppendResult, EventLog } from "../../../src/event-log/event-log.ts";
import { type AppendedBatch, createWebhook, type WebhookOptions } from "../../../src/mandrill/webhook.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { SIGNATURES, signatureVector } from "../../harness/mandrill-fixtures.ts";
import {
  jsonBatch,
  type Post,
  post,
  rawEvent,
  rawEvents,
  signedForm,
  signedParameters,
  unsignedForm,
} from "../../harness/mandrill-post.ts";
import { type RecordingLogger, recordingLogger } from "../../harness/recording-logger.ts";

/** What the webhook needs of a log: it knows an event again by its id, and fails on demand. */
class RecordingLog implements Pick<EventLog, "append" | "recordRequests"> {
  readonly appends: (readonly Event[])[] = [];
  readonly requests: WebhookRequest[] = [];
  /** Called before each append; a rejection fails it. */
  beforeAppend: () => Promise<void> = async () => {};
  recordingError: Error | null = null;
  readonly #ids = new Set<string>();

  get events(): readonly Event[] {
    return this.appends.flat();
  }

  async append(events: readonly Event[]): Promise<AppendResult> {
    await this.beforeAppend();
    this.appends.push(events);
    const before = this.#ids.size;
    for (const { id } of events) this.#ids.add(id);
    const appended = this.#ids.size - before;
    return { appended, duplicates: events.length - appended, head: this.#ids.size };
  }

  async recordRequests(requests: readonly WebhookRequest[]): Promise<void> {
    if (this.recordingError !== null) throw this.recordingError;
    this.requests.push(...requests);
  }
}

interface Running {
  readonly url: string;
  readonly port: number;
  readonly log: RecordingLog;
  readonly lines: RecordingLogger["lines"];
  readonly said: RecordingLogger["said"];
  /** Closes the webhook: then everything has been answered and recorded. */
  close(): Promise<void>;
}

const WEBHOOK = { url: "https://user:word@hooks.example.com/mandrill?token=secret", key: "a-secret-key" };
const SIGNED = { authentication: { urls: [WEBHOOK.url], keys: [WEBHOOK.key] } };
const MAX_BODY_BYTES = 1_000_000;

/** A webhook behind a real server of its own, without keys unless `options` say otherwise. */
async function run(options: Partial<WebhookOptions> = {}): Promise<Running> {
  const log = new RecordingLog();
  const { logger, lines, said } = recordingLogger();
  const authentication = { urls: [], keys: [] };
  const webhook = createWebhook({
    eventLog: log,
    authentication,
    maxBodyBytes: MAX_BODY_BYTES,
    metrics: createMetrics(),
    logger,
    ...options,
  });
  const server = createServer((request, response) => void webhook.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await webhook.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, log, lines, said, close: () => webhook.close() };
}

/** What the server has sent in answer to `bytes` when it has sent so many JSON bodies. */
async function exchange(port: number, bytes: string, bodies = 1): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  let received = "";
  // Leaving the loop ends the connection.
  for await (const chunk of socket) {
    received += chunk;
    if (received.split("}\n").length > bodies) break;
  }
  return received;
}

const labelled = (batch: Post, type: string): Post => ({
  ...batch,
  headers: { ...batch.headers, "content-type": type },
});
const head = (...headers: string[]): string =>
  `${["POST /mandrill HTTP/1.1", "Host: x", ...headers].join("\r\n")}\r\n\r\n`;
const FORM_TYPE = "Content-Type: application/x-www-form-urlencoded";

describe("HEAD", () => {
  it("is answered with 200 though keys are configured: Mandrill checks a URL before it has one", async () => {
    const { url } = await run(SIGNED);
    const response = await fetch(`${url}/mandrill`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

describe("a batch", () => {
  it("is appended whole, in one act and in its order, and then acknowledged", async () => {
    const { url, log } = await run();
    const events = rawEvents(60);
    const answer = await post(url, unsignedForm(events));
    expect(answer).toMatchObject({ status: 200, body: { received: 60, appended: 60, duplicates: 0 } });
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(log.appends).toHaveLength(1);
    expect(log.events.map(({ raw }) => raw)).toEqual(events);
  });

  it("is not acknowledged before the log has it", async () => {
    const { url, log } = await run();
    const steps: string[] = [];
    const appending = Promise.withResolvers<void>();
    const durable = Promise.withResolvers<void>();
    log.beforeAppend = () => {
      appending.resolve();
      return durable.promise;
    };
    const answered = post(url, jsonBatch(rawEvents(2))).then(() => steps.push("answered"));
    await appending.promise;
    steps.push("durable");
    durable.resolve();
    await answered;
    expect(steps).toEqual(["durable", "answered"]);
  });

  it("tells how far the log reaches, what is new and when it came, before it is acknowledged", async () => {
    const told: AppendedBatch[] = [];
    const { url } = await run({ onAppended: (batch) => told.push(batch) });
    const begun = performance.now();
    await post(url, jsonBatch(rawEvents(3)));
    await post(url, jsonBatch([]));
    await post(url, jsonBatch(rawEvents(3)));
    const [first, again] = told;
    expect(told).toMatchObject([
      { head: 3, appended: 3 },
      { head: 3, appended: 0 },
    ]);
    expect(first?.arrivedAt).toBeGreaterThan(begun);
    expect(again?.arrivedAt).toBeGreaterThan(first?.arrivedAt as number);
  });

  it("that comes again is recognised, however it is written", async () => {
    const { url } = await run();
    const events = rawEvents(5);
    await post(url, unsignedForm(events));
    expect(await post(url, jsonBatch(events))).toMatchObject({
      status: 200,
      body: { received: 5, appended: 0, duplicates: 5 },
    });
  });

  it("may hold an event twice: Mandrill has sent two clicks that were alike to the byte", async () => {
    const { url, key, raw_body: body, signature } = signatureVector("mandrill_rails_click");
    const running = await run({ authentication: { urls: [url], keys: [key] } });
    const captured: Post = {
      body: body as string,
      headers: { "content-type": "application/x-www-form-urlencoded", "x-mandrill-signature": signature },
    };
    const first = await post(running.url, captured);
    expect(first).toMatchObject({ status: 200, body: { duplicates: 0 } });
    expect(first.body.received).toBe(first.body.appended);
    expect(await post(running.url, captured)).toMatchObject({
      status: 200,
      body: { appended: 0, duplicates: first.body.received },
    });
  });

  it("is never refused for an element in it", async () => {
    const { url, log } = await run(SIGNED);
    const odd = [
      null,
      1,
      "a",
      [],
      {},
      { event: "sms_sent" },
      { event: "open", msg: [] },
      { event: 7 },
      { event: "send", ts: "x" },
    ];
    expect(await post(url, signedForm(odd, WEBHOOK))).toMatchObject({
      status: 200,
      body: { received: 9, appended: 9 },
    });
    expect(log.events.map(({ type }) => type)).toEqual([
      "other",
      "other",
      "other",
      "other",
      "other",
      "other",
      "open",
      "other",
      "send",
    ]);
    expect(log.events.map(({ raw }) => raw)).toEqual(odd);
  });

  it("keeps an element that nobody could read back as its text", async () => {
    const { url, log } = await run();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const batch = { body: `[{"event":"open"},${deep}]`, headers: { "content-type": "application/json" } };
    expect(await post(url, batch)).toMatchObject({ status: 200, body: { received: 2, appended: 2 } });
    expect(log.events[1]).toMatchObject({ type: "other", raw: deep });
  });

  it("of a thousand events is one append", async () => {
    const { url, log } = await run({ maxBodyBytes: 32 * 1024 * 1024 });
    expect(await post(url, unsignedForm(rawEvents(1_000)))).toMatchObject({ status: 200, body: { appended: 1_000 } });
    expect(log.appends).toHaveLength(1);
  });

  it("of no events is acknowledged without an append", async () => {
    const { url, log } = await run();
    expect(await post(url, unsignedForm([]))).toMatchObject({
      status: 200,
      body: { received: 0, appended: 0, duplicates: 0 },
    });
    expect(log.appends).toHaveLength(0);
  });

  it("bears no webhook where signatures are not checked, even if it is signed", async () => {
    const { url, log } = await run({ authentication: { urls: [WEBHOOK.url], keys: [] } });
    await post(url, signedForm([rawEvent("open")], { ...WEBHOOK, key: "any" }));
    expect(log.events).toMatchObject([{ webhook: null }]);
  });
});

describe("a signed webhook", () => {
  it.each(SIGNATURES)("takes what was signed in %s", async (_file, { url, key, params, signature }) => {
    const running = await run({
      authentication: { urls: ["https://other.example.com/", url], keys: ["another", key] },
    });
    const batch = signedParameters(params, { url, key });
    expect(batch.headers["x-mandrill-signature"]).toBe(signature);
    expect(await post(running.url, batch)).toMatchObject({ status: 200 });
  });

  it("labels its events without telling a secret", async () => {
    const { url, log } = await run(SIGNED);
    await post(url, signedForm([rawEvent("open")], WEBHOOK));
    expect(log.events).toMatchObject([{ webhook: "https://***@hooks.example.com/mandrill" }]);
  });

  it("takes an empty batch under the test key, and nothing else", async () => {
    const { url, log } = await run(SIGNED);
    const test = { url: WEBHOOK.url, key: "test-webhook" };
    expect(await post(url, signedForm([], test))).toMatchObject({ status: 200, body: { received: 0 } });
    expect(await post(url, signedForm([rawEvent("open")], test))).toMatchObject({
      status: 401,
      body: { code: "SIGNATURE_MISMATCH" },
    });
    expect(await post(url, signedForm({}, test))).toMatchObject({ status: 401 });
    expect(log.appends).toHaveLength(0);
  });

  it.each<[string, Post, string]>([
    ["an unsigned form", unsignedForm([rawEvent("open")]), "SIGNATURE_MISSING"],
    ["an unsigned form of nothing", unsignedForm([]), "SIGNATURE_MISSING"],
    ["an unsigned form that is no form", { ...unsignedForm([]), body: "%%%" }, "SIGNATURE_MISSING"],
    ["JSON", jsonBatch([rawEvent("open")]), "SIGNATURE_MISSING"],
    ["JSON that is none", { ...jsonBatch([]), body: "{" }, "SIGNATURE_MISSING"],
    [
      "a signed form that calls itself JSON",
      labelled(signedForm([1], WEBHOOK), "application/json"),
      "SIGNATURE_MISSING",
    ],
    ["a form signed with another key", signedForm([1], { ...WEBHOOK, key: "other" }), "SIGNATURE_MISMATCH"],
    [
      "a form signed for another URL",
      signedForm([1], { ...WEBHOOK, url: "https://hooks.example.com/" }),
      "SIGNATURE_MISMATCH",
    ],
    ["a form that was changed", { ...signedForm([1], WEBHOOK), body: "mandrill_events=%5B2%5D" }, "SIGNATURE_MISMATCH"],
    ["a form that cannot be decoded", { ...signedForm([1], WEBHOOK), body: "mandrill_events=%" }, "SIGNATURE_MISMATCH"],
  ])("refuses %s, and says what is expected", async (_what, batch, code) => {
    const { url, log } = await run(SIGNED);
    const answer = await post(url, batch);
    expect(answer).toMatchObject({
      status: 401,
      body: {
        code,
        message: expect.any(String),
        expected: expect.stringContaining("X-Mandrill-Signature: base64(HMAC-SHA1("),
      },
    });
    expect(log.appends).toHaveLength(0);
  });

  it("says in the log which URLs were tried, and tells no key, no password and no address", async () => {
    const { url, lines } = await run(SIGNED);
    await post(url, signedForm([rawEvent("open")], { ...WEBHOOK, key: "other" }));
    expect(lines).toMatchObject([
      { level: 40, code: "SIGNATURE_MISMATCH", triedUrls: ["https://***@hooks.example.com/mandrill?token=***"] },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/a-secret-key|word|secret|@example\.com/);
  });

  it("tells whoever is refused nothing of its URLs", async () => {
    const { url } = await run(SIGNED);
    const { body } = await post(url, unsignedForm([]));
    expect(JSON.stringify(body)).not.toContain("hooks.example.com");
  });

  it.each<[string, Record<string, string>]>([
    ["no events", { something: "[]" }],
    ["events that are no JSON", { mandrill_events: "[" }],
    ["events that are no array", { mandrill_events: '{"event":"open"}' }],
  ])("refuses a signed form with %s as malformed", async (_what, parameters) => {
    const { url } = await run(SIGNED);
    expect(await post(url, signedParameters(parameters, WEBHOOK))).toMatchObject({
      status: 400,
      body: { code: "BATCH_MALFORMED" },
    });
  });
});

describe("a request that is no batch", () => {
  const refused = (code: string) => ({ code, message: expect.any(String), expected: expect.any(String) });

  it.each(["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])(
    "is refused with 405 and Allow where it is a %s",
    async (method) => {
      const { url } = await run(SIGNED);
      const response = await fetch(`${url}/mandrill`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("HEAD, POST");
      expect(await response.json()).toEqual(refused("METHOD_NOT_ALLOWED"));
    },
  );

  it.each([
    ["text/plain", undefined],
    ["multipart/form-data; boundary=x", undefined],
    ["application/json; charset=utf-16", undefined],
    ["application/json", "gzip"],
  ])("is refused with 415 where it is %s, encoded as %s", async (type, encoding) => {
    const { url, log } = await run();
    const headers = { "content-type": type, ...(encoding && { "content-encoding": encoding }) };
    const response = await fetch(`${url}/mandrill`, { method: "POST", headers, body: gzipSync("[]") });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual(refused("UNSUPPORTED_MEDIA_TYPE"));
    expect(log.appends).toHaveLength(0);
  });

  it.each<[string, Post]>([
    ["a form without events", { ...unsignedForm([]), body: "a=b" }],
    ["a form with events twice", { ...unsignedForm([]), body: "mandrill_events=[]&mandrill_events=[]" }],
    ["a form with a stray %", { ...unsignedForm([]), body: "mandrill_events=%5B%5" }],
    ["a form that is not UTF-8", { ...unsignedForm([]), body: "mandrill_events=%FF" }],
    ["JSON that is no array", jsonBatch({ event: "open" })],
    ["JSON that breaks off", { ...jsonBatch([]), body: '[{"event":"open"' }],
    ["no JSON", { ...jsonBatch([]), body: "hello" }],
    ["nothing at all", { ...jsonBatch([]), body: "" }],
  ])("is refused with 400 where it is %s", async (_what, batch) => {
    const { url, log } = await run();
    expect(await post(url, batch)).toMatchObject({ status: 400, body: refused("BATCH_MALFORMED") });
    expect(log.appends).toHaveLength(0);
  });

  it("leaves its connection to those that follow", async () => {
    const { port } = await run();
    const refusal = `${head(FORM_TYPE, "Content-Length: 1")}a`;
    const last = `${head("Content-Type: application/json", "Content-Length: 2", "Connection: close")}[]`;
    const answers = await exchange(port, refusal + last, 2);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400", "HTTP/1.1 200"]);
  });
});

describe("a body that is too large", () => {
  const limited = () => run({ maxBodyBytes: 10_000 });

  it("is refused where it announces itself, before it is sent", async () => {
    const { port, log, close } = await limited();
    const answer = await exchange(port, head(FORM_TYPE, "Content-Length: 10001"));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"BODY_TOO_LARGE"');
    expect(answer).toMatch(/connection: close/i);
    await close();
    expect(log.requests).toMatchObject([{ status: 413, bytes: 0 }]);
  });

  it("is refused while it streams in, at once, and its sender gets to read that", async () => {
    const { port } = await limited();
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const answer = text(socket);
    const answered = once(socket, "data");
    const chunk = `1000\r\n${"a".repeat(0x1000)}\r\n`;
    socket.write(head(FORM_TYPE, "Transfer-Encoding: chunked") + chunk.repeat(3));
    await answered;
    // Still sending: a connection that was reset now would take the answer along.
    for (let i = 0; i < 50; i++) socket.write(chunk);
    socket.end("0\r\n\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 413 .*"code":"BODY_TOO_LARGE"/s);
  });

  it("is refused to a client that sends it all before it reads", async () => {
    const { url } = await limited();
    const answer = await post(url, { ...unsignedForm([]), body: "a".repeat(5_000_000) });
    expect(answer).toMatchObject({
      status: 413,
      body: { code: "BODY_TOO_LARGE", expected: expect.stringContaining("10000 bytes") },
    });
  });

  it("is refused to a client that waits for 100 Continue", async () => {
    const { port } = await limited();
    const answer = await exchange(port, head(FORM_TYPE, "Content-Length: 20000", "Expect: 100-continue"));
    expect(answer).toContain("HTTP/1.1 413 ");
  });

  it("may be as large as is allowed", async () => {
    const { url } = await limited();
    const body = `["${"a".repeat(9_996)}"]`;
    expect(await post(url, { ...jsonBatch([]), body })).toMatchObject({ status: 200 });
    expect(await post(url, { ...jsonBatch([]), body: ` ${body}` })).toMatchObject({ status: 413 });
  });

  it("is none that comes in countless small chunks", async () => {
    const { port } = await limited();
    const chunks = [...'["ab"]'].map((character) => `1\r\n${character}\r\n`).join("");
    const answer = await exchange(
      port,
      `${head("Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close")}${chunks}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*"received":1/s);
  });
});

describe("a body that does not arrive", () => {
  it("is given up when nothing has come for a while", async () => {
    const { port } = await run({ bodyTimeoutMs: 20 });
    const answer = await exchange(port, `${head(FORM_TYPE, "Content-Length: 100")}mandrill`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT".*stopped arriving/s);
  });

  it("is let go with its connection, and answered to nobody", async () => {
    const { port, log, said, close } = await run();
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${head(FORM_TYPE, "Content-Length: 100")}mandrill`, () => socket.destroy());
    await said("ended within its body");
    await close();
    expect(log.requests).toEqual([]);
  });

  it("is given up when the service shuts down, and may be sent again", async () => {
    const { port, url, close } = await run();
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const answer = text(socket);
    socket.write(head("Content-Type: application/json", "Content-Length: 100", "Expect: 100-continue"));
    // The server asks for the body: from now on it reads.
    await once(socket, "data");
    const closed = close();
    expect(await answer).toMatch(/HTTP\/1\.1 503 .*retry-after: .*"code":"SHUTTING_DOWN"/s);
    await closed;
    expect(await post(url, jsonBatch([]))).toMatchObject({ status: 503, body: { code: "SHUTTING_DOWN" } });
  });
});

describe("a log that fails", () => {
  it("is answered with 503, and the batch is taken when it comes again", async () => {
    const { url, log, lines } = await run();
    log.beforeAppend = () => Promise.reject(logUnavailable("The log cannot be reached.", new Error("ECONNREFUSED")));
    const batch = unsignedForm(rawEvents(3));
    const answer = await post(url, batch);
    expect(answer).toMatchObject({
      status: 503,
      body: { code: "LOG_UNAVAILABLE", message: "The log cannot be reached." },
    });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(lines).toMatchObject([{ level: 40, code: "LOG_UNAVAILABLE", err: { message: "ECONNREFUSED" } }]);
    log.beforeAppend = async () => {};
    expect(await post(url, batch)).toMatchObject({ status: 200, body: { appended: 3 } });
  });

  it("in a way that nobody foresaw is answered with 500, which tells nothing but where to look", async () => {
    const { url, log, lines } = await run();
    log.beforeAppend = () => Promise.reject(new Error("secret detail"));
    const { status, body } = await post(url, jsonBatch([1]));
    expect(status).toBe(500);
    expect(body).toEqual({
      code: "INTERNAL",
      message: expect.stringContaining(body.errorId),
      errorId: expect.any(String),
    });
    expect(lines).toMatchObject([
      { level: 50, errorId: body.errorId, err: { message: "secret detail" } },
      { level: 40, code: "INTERNAL" },
    ]);
  });
});

describe("closing", () => {
  it("waits until what is under way has been answered and recorded", async () => {
    const { url, log, close } = await run();
    const appending = Promise.withResolvers<void>();
    const durable = Promise.withResolvers<void>();
    log.beforeAppend = () => {
      appending.resolve();
      return durable.promise;
    };
    const answered = post(url, jsonBatch([1]));
    await appending.promise;
    const closed = close();
    durable.resolve();
    await closed;
    expect(log.requests).toMatchObject([{ status: 200, appended: 1 }]);
    expect(await answered).toMatchObject({ status: 200 });
  });
});

describe("the record of requests", () => {
  it("holds what was taken and what was refused, but not the checks of a URL", async () => {
    const { url, log, close } = await run({ now: () => 1_700_000_000_000 });
    const events = rawEvents(3);
    const { body } = unsignedForm(events);
    await fetch(`${url}/mandrill`, { method: "HEAD" });
    await post(url, unsignedForm(events));
    await post(url, unsignedForm(events));
    await post(url, unsignedForm([]));
    const refusal = await post(url, jsonBatch({}));
    await fetch(`${url}/mandrill`);
    log.beforeAppend = () => Promise.reject(logUnavailable("Down."));
    await post(url, jsonBatch([1, 2]));
    await close();
    const taken = { status: 200, code: null, reason: null, receivedAt: 1_700_000_000_000, bytes: body.length };
    expect(log.requests).toMatchObject([
      { ...taken, received: 3, appended: 3, duplicates: 0 },
      { ...taken, received: 3, appended: 0, duplicates: 3 },
      { status: 200, received: 0, appended: 0, duplicates: 0 },
      {
        status: 400,
        code: "BATCH_MALFORMED",
        reason: refusal.body.message,
        received: null,
        appended: null,
        duplicates: null,
        bytes: 2,
      },
      { status: 405, code: "METHOD_NOT_ALLOWED", bytes: 0, received: null },
      { status: 503, code: "LOG_UNAVAILABLE", reason: "Down.", received: 2, appended: null, duplicates: null },
    ]);
    expect(new Set(log.requests.map(({ id }) => id)).size).toBe(6);
    expect(log.requests.every(({ durationMs }) => durationMs > 0 && durationMs < 30_000)).toBe(true);
  });

  it("says of a signature that fits nothing which URLs are configured, without what is secret in them", async () => {
    const { url, log, close } = await run(SIGNED);
    const { body } = await post(url, signedForm([rawEvent("open")], { ...WEBHOOK, key: "other" }));
    await close();
    const reason = `${body.message} Configured: https://***@hooks.example.com/mandrill?token=***`;
    expect(log.requests).toMatchObject([{ code: "SIGNATURE_MISMATCH", reason }]);
  });

  it("fails no request when it cannot be kept", async () => {
    const { url, log, close } = await run();
    log.recordingError = new Error("no log");
    expect(await post(url, jsonBatch([1]))).toMatchObject({ status: 200 });
    await close();
  });
});
