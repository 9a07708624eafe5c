import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";
import { exchange } from "../harness/transport.ts";

const ALL = "subscription { eventReceived { messageId } }";
const TOKEN = "a-static-token-of-some-length";

/** What the service says to bytes that are written as they are, until it closes. */
async function rawAnswer(service: RunningService, head: string): Promise<string> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  socket.write(head.replaceAll("\n", "\r\n"));
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += chunk;
  return text;
}

async function rejectionOf(connecting: Promise<SocketClient>): Promise<string> {
  return connecting.then(
    (client) => {
      client.socket.terminate();
      return "connected";
    },
    (error: Error) => error.message,
  );
}

describe("connections of one address", () => {
  it("are bounded, sockets and event streams together, and a place is free when one has gone", async () => {
    await using service = await runService({ env: { MAX_SOCKETS_ON_LOOPBACK: "2" } });
    await using first = await connectSocket(service.socketUrl);
    const stream = await fetch(`${service.url}/events`, { headers: { accept: "text/event-stream" } });
    expect(stream.status).toBe(200);
    expect(await rejectionOf(connectSocket(service.socketUrl))).toContain("429");
    const refused = await exchange(`${service.url}/events`, { headers: { accept: "text/event-stream" } });
    expect([refused.status, refused.headers["retry-after"], JSON.parse(refused.text)]).toEqual([
      429,
      "1",
      expect.objectContaining({ code: "LIMIT_EXCEEDED", limit: "MAX_SOCKETS_ON_LOOPBACK", allowed: 2 }),
    ]);
    const overSse = await exchange(`${service.url}/graphql?query=${encodeURIComponent(ALL)}`, {
      headers: { accept: "text/event-stream" },
    });
    expect(overSse.text).toContain('"LIMIT_EXCEEDED"');
    // Whoever only asks is not counted.
    expect((await exchange(`${service.url}/graphql?query={__typename}`)).status).toBe(200);
    first.socket.close();
    await first.closed;
    await using again = await connectSocket(service.socketUrl);
    expect(again.ack.head).toEqual(expect.any(String));
    await stream.body?.cancel();
  });

  it("are counted by what a trusted proxy says, and strangers by a smaller number", async () => {
    const env = { TRUSTED_PROXIES: "127.0.0.1", MAX_SOCKETS_PER_ADDRESS: "1" };
    await using service = await runService({ env });
    const from = (address: string): Promise<SocketClient> =>
      connectSocket(service.socketUrl, { options: { headers: { "x-forwarded-for": address } } });
    await using _one = await from("192.0.2.1");
    await using _other = await from("192.0.2.2");
    expect(await rejectionOf(from("192.0.2.1"))).toContain("429");
    expect(await rejectionOf(from("198.51.100.1, 192.0.2.1"))).toContain("429");
  });

  it("may lie about their address where no proxy is trusted", async () => {
    await using service = await runService({ env: { MAX_SOCKETS_ON_LOOPBACK: "1" } });
    await using _one = await connectSocket(service.socketUrl);
    const options = { headers: { "x-forwarded-for": "192.0.2.1" } };
    expect(await rejectionOf(connectSocket(service.socketUrl, { options }))).toContain("429");
  });
});

describe("sockets of one token", () => {
  it("are bounded, whatever their addresses", async () => {
    await using service = await runService({
      env: { ACCESS_TOKENS: `${TOKEN},another-token-of-some-length`, MAX_SOCKETS_PER_TOKEN: "1" },
    });
    const init = { authorization: `Bearer ${TOKEN}` };
    await using first = await connectSocket(service.socketUrl, { init });
    await using second = await connectSocket(service.socketUrl, { init: false });
    second.send({ type: "connection_init", payload: init });
    expect(await second.closed).toEqual({ code: 4429, reason: expect.stringContaining("MAX_SOCKETS_PER_TOKEN") });
    const otherInit = { authorization: "Bearer another-token-of-some-length" };
    await using other = await connectSocket(service.socketUrl, { init: otherInit });
    // It would be the second with the fresh token.
    other.subscribe("renew", `mutation { renewToken(token: "${TOKEN}") }`);
    expect((await other.closed).code).toBe(4429);
    await using _otherAgain = await connectSocket(service.socketUrl, { init: otherInit });
    first.socket.close();
    await first.closed;
    await using again = await connectSocket(service.socketUrl, { init });
    expect(again.ack.head).toEqual(expect.any(String));
  });
});

describe("one socket", () => {
  it("runs so many operations at once, and another when one has ended", async () => {
    await using service = await runService({ env: { MAX_OPERATIONS: "2" } });
    await using client = await connectSocket(service.socketUrl);
    for (const id of ["1", "2", "3"]) client.subscribe(id, ALL, { extensions: { after: client.ack.head } });
    const refused = await client.next();
    expect([refused.id, refused.type, refused.payload[0].extensions]).toEqual([
      "3",
      "error",
      { code: "LIMIT_EXCEEDED", limit: "MAX_OPERATIONS", allowed: 2 },
    ]);
    client.send({ id: "1", type: "complete" });
    client.subscribe("4", ALL, { extensions: { after: client.ack.head } });
    await exchange(`${service.url}/mandrill`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ event: "open", msg: { _id: "m" } }]),
    });
    expect((await client.next("2")).type).toBe("next");
    expect((await client.next("4")).type).toBe("next");
  });

  it("is ended when it sends faster than it may", async () => {
    await using service = await runService({ env: { MAX_MESSAGES_PER_MINUTE: "5" } });
    await using client = await connectSocket(service.socketUrl);
    for (let n = 0; n < 5; n += 1) client.send({ type: "ping" });
    expect(await client.closed).toEqual({ code: 4429, reason: expect.stringContaining("MAX_MESSAGES_PER_MINUTE") });
  });

  it("is ended when it has not said in time what it is", async () => {
    await using service = await runService({ env: { CONNECTION_INIT_SECONDS: "0.05" } });
    await using client = await connectSocket(service.socketUrl, { init: false });
    expect((await client.closed).code).toBe(4408);
  });

  it("is ended when nobody can tell in time whether its token is good", async () => {
    // Accepts and never answers.
    const silent = await import("node:net").then(({ createServer }) => createServer(() => {}));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    try {
      await using service = await runService({
        env: { JWT_JWKS_URL: `http://127.0.0.1:${port}/`, AUTHENTICATION_SECONDS: "0.05" },
      });
      const token = [{ alg: "RS256", kid: "a" }, { exp: 9_999_999_999 }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      await using client = await connectSocket(service.socketUrl, { init: false });
      client.send({ type: "connection_init", payload: { authorization: `Bearer ${token}.AAAA` } });
      expect(await client.closed).toEqual({ code: 4408, reason: "Authentication timeout" });
    } finally {
      silent.close();
    }
  });
});

describe("a request that will not come to its end", () => {
  it("is given up with 408 where its head is slow", async () => {
    await using service = await runService({ env: { HEADERS_SECONDS: "0.1" } });
    const text = await rawAnswer(service, "GET /graphql HTTP/1.1\nHost: localhost\nX-Slow:");
    expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*"REQUEST_TIMEOUT"/);
  });

  it.each(["/graphql", "/session", "/mandrill"])("is given up with 408 where its body stalls: %s", async (path) => {
    await using service = await runService({ env: { BODY_IDLE_SECONDS: "0.1" } });
    const head = `POST ${path} HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 10\n\n{`;
    expect(await rawAnswer(service, head)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"REQUEST_TIMEOUT"/);
  });

  it("is given up with 408 where it goes on and on", async () => {
    await using service = await runService({ env: { HEADERS_SECONDS: "0.05", REQUEST_SECONDS: "0.1" } });
    const head = "POST /mandrill HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 10\n\n[";
    expect(await rawAnswer(service, head)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"REQUEST_TIMEOUT"/);
  });
});

describe("a GraphQL request over HTTP", () => {
  it("is refused when it is larger than a message may be, announced or not", async () => {
    await using service = await runService();
    const body = JSON.stringify({ query: "{ __typename }", variables: { x: "x".repeat(70_000) } });
    for (const headers of [{ "content-length": String(body.length) }, { "transfer-encoding": "chunked" }]) {
      const { status, text } = await exchange(`${service.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers } as Record<string, string>,
        body,
      });
      expect([status, JSON.parse(text).errors[0].extensions.code]).toEqual([413, "BODY_TOO_LARGE"]);
    }
  });
});

it("subscribers who read the log wait in line, and all get everything", async () => {
  await using service = await runService({ env: { MAX_REPLAYS: "1", RECENT_ENTRIES: "1" } });
  await using first = await connectSocket(service.socketUrl);
  const events = Array.from({ length: 600 }, (_, n) => ({ event: "open", msg: { _id: `m${n}` } }));
  await exchange(`${service.url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  const ids = Array.from({ length: 20 }, (_, n) => `s${n}`);
  for (const id of ids) first.subscribe(id, ALL, { extensions: { after: first.ack.head } });
  for (const id of ids) {
    for (let n = 0; n < events.length; n += 1) {
      expect((await first.next(id)).payload.data.eventReceived.messageId).toBe(`m${n}`);
    }
  }
});
