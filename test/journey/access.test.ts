import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { type Service, startService } from "../../src/service.ts";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { bearer, JWT_SECRET, signToken } from "../harness/tokens.ts";

const STATIC = "a-static-token-for-tests";
const HEAD = "{ recentEvents(first: 1) { head } }";
const EVENTS = "subscription { eventReceived { email } }";

/** Every line that the service has written, at its most talkative. */
const written: string[] = [];
let folder: string;
let service: Service;
let socketUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-access-"));
  const env = { ACCESS_TOKENS: STATIC, JWT_SECRET, PORT: "0", SHUTDOWN_SECONDS: "0", DATA_DIR: folder };
  const logger = pino({ level: "trace" }, { write: (line: string) => void written.push(line) });
  service = await startService(loadConfig(env), logger);
  socketUrl = `${service.url.replace("http:", "ws:")}/graphql`;
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

async function ask(query: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, body: await response.text() };
}

async function ticketFor(token: string): Promise<{ ticket: string; expiresAt: string }> {
  const response = await fetch(`${service.url}/tickets`, { method: "POST", headers: bearer(token) });
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return (await response.json()) as { ticket: string; expiresAt: string };
}

describe("over HTTP", () => {
  it("nobody is answered without a token, and the refusal says how to bring one", async () => {
    const response = await fetch(`${service.url}/graphql?query=${encodeURIComponent(HEAD)}`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toEqual({
      errors: [{ message: expect.stringContaining("Authorization: Bearer"), extensions: { code: "UNAUTHENTICATED" } }],
    });
  });

  it("a static token and a signed one are answered, and no other", async () => {
    expect((await ask(HEAD, bearer(STATIC))).status).toBe(200);
    expect((await ask(HEAD, bearer(await signToken()))).status).toBe(200);
    expect((await ask(HEAD, bearer(await signToken({}, "another secret, long enough to sign")))).status).toBe(401);
    expect((await ask(HEAD, { authorization: `Basic ${STATIC}` })).status).toBe(401);
  });

  it("the webhook and the probes need no token", async () => {
    expect((await post(service.url, jsonBatch([rawEvent("open")]))).status).toBe(200);
    for (const path of ["/health", "/ready"]) expect((await fetch(service.url + path)).status).toBe(200);
  });

  it("the page to ask from is given to everybody, and answers to nobody", async () => {
    const page = await fetch(`${service.url}/graphql`, { headers: { accept: "text/html" } });
    expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
  });

  it("renewToken has nothing to renew", async () => {
    const { body } = await ask(`mutation { renewToken(token: "${STATIC}") }`, bearer(STATIC));
    expect(JSON.parse(body).errors[0].extensions.code).toBe("BAD_USER_INPUT");
  });
});

describe("over a WebSocket", () => {
  it.each<[where: string, connect: () => Promise<object>]>([
    ["in connection_init", async () => ({ init: { authorization: `Bearer ${STATIC}` } })],
    ["in connection_init, with a capital", async () => ({ init: { Authorization: `Bearer ${await signToken()}` } })],
    ["in the handshake", async () => ({ options: { headers: bearer(STATIC) } })],
    [
      "in connection_init, beside a bad one in the handshake",
      async () => ({ init: { authorization: `Bearer ${STATIC}` }, options: { headers: bearer("stale") } }),
    ],
  ])("a token is taken %s", async (_where, connect) => {
    await using client = await connectSocket(socketUrl, await connect());
    client.subscribe("1", HEAD);
    expect((await client.next("1")).payload.data.recentEvents.head).toEqual(expect.any(String));
  });

  it.each<[what: string, init: object, headers: Record<string, string>]>([
    ["no token", {}, {}],
    ["a bad token", { authorization: "Bearer stale" }, {}],
    ["a token without its scheme", { authorization: STATIC }, {}],
    ["a token that is no text", { authorization: { bearer: STATIC } }, {}],
    ["a bad token in the handshake", {}, bearer("stale")],
    ["a bad token beside a good one in the handshake", { authorization: "Bearer stale" }, bearer(STATIC)],
  ])("%s closes it with 4401", async (_what, init, headers) => {
    const client = await connectSocket(socketUrl, { init: false, options: { headers } });
    client.send({ type: "connection_init", payload: init });
    expect((await client.closed).code).toBe(4401);
  });

  it("nothing is answered before connection_init has let somebody in", async () => {
    const client = await connectSocket(socketUrl, { init: false, options: { headers: bearer(STATIC) } });
    client.subscribe("1", HEAD);
    expect((await client.closed).code).toBe(4401);
  });
});

describe("a ticket", () => {
  const stream = (path: string, ticket: string) => openEventStream(`${service.url}${path}ticket=${ticket}`);
  const query = `query=${encodeURIComponent(EVENTS)}`;

  it("opens event streams for who can send no header", async () => {
    const { ticket } = await ticketFor(await signToken({ mandrill_live: { emails: ["ticket@example.com"] } }));
    using events = await stream("/events?", ticket);
    using results = await stream(`/graphql?${query}&`, ticket);
    const posted = ["somebody@example.com", "ticket@example.com"].map((email, seed) =>
      rawEvent("open", { msg: { email } }, 100 + seed),
    );
    await post(service.url, jsonBatch(posted));
    expect((await events.nextEvent()).data.email).toBe("ticket@example.com");
    expect((await results.nextEvent()).data.data.eventReceived.email).toBe("ticket@example.com");
  });

  it("opens them again and again, until its token's own end", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 1_000;
    const { ticket, expiresAt } = await ticketFor(await signToken({ exp }));
    expect(Date.parse(expiresAt)).toBe(exp * 1_000);
    for (let i = 0; i < 3; i += 1) using(await stream("/events?", ticket));
  });

  it("is not sold to who has no token, and not by GET", async () => {
    expect((await fetch(`${service.url}/tickets`, { method: "POST" })).status).toBe(401);
    const got = await fetch(`${service.url}/tickets`, { headers: bearer(STATIC) });
    expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("reads, and does nothing else", async () => {
    const { ticket } = await ticketFor(STATIC);
    for (const path of ["/tickets", "/graphql", "/session"]) {
      const response = await fetch(`${service.url}${path}?ticket=${ticket}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: HEAD }),
      });
      expect([path, response.status]).toEqual([path, path === "/session" ? 400 : 401]);
    }
  });

  it("that is changed opens nothing", async () => {
    const { ticket } = await ticketFor(STATIC);
    await expect(stream("/events?", `${ticket}A`)).rejects.toThrow("401");
    await expect(stream("/events?", "")).rejects.toThrow("401");
  });
});

describe("a page's log-in", () => {
  const logIn = (body: object | null, headers: Record<string, string> = {}) =>
    fetch(`${service.url}/session`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
  const ownPage = () => ({ origin: service.url });

  it("is a cookie that no script can read and no other site can use", async () => {
    const response = await logIn({ token: STATIC });
    expect(response.status).toBe(200);
    const cookie = response.headers.get("set-cookie") ?? "";
    const [pair = "", ...attributes] = cookie.split("; ");
    expect(attributes.map((each) => each.replace(/=\d+$/, "=n")).sort()).toEqual(
      ["HttpOnly", "Max-Age=n", "Path=/", "SameSite=Strict"].sort(),
    );
    expect(pair).not.toContain(STATIC);
    expect((await ask(HEAD, { cookie: pair, ...ownPage() })).status).toBe(200);
    await using client = await connectSocket(socketUrl, { options: { headers: { cookie: pair, ...ownPage() } } });
    client.subscribe("1", HEAD);
    expect((await client.next("1")).payload.data.recentEvents.head).toEqual(expect.any(String));
  });

  it("is for TLS alone where the page came by TLS", async () => {
    const response = await logIn(null, { ...bearer(STATIC), "x-forwarded-proto": "https" });
    expect(response.headers.get("set-cookie")).toContain("; Secure");
  });

  it("tells the page how long it lasts and what it may see", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 1_000;
    const response = await logIn({ token: await signToken({ exp, mandrill_live: { tags: ["a"], raw: false } }) });
    const told = { expiresAt: new Date(exp * 1_000).toISOString(), scope: { tags: ["a"], raw: false } };
    expect(await response.json()).toEqual(told);
    const cookie = (response.headers.get("set-cookie") ?? "").split(";", 1)[0] as string;
    const session = await fetch(`${service.url}/session`, { headers: { cookie, ...ownPage() } });
    expect(await session.json()).toEqual(told);
  });

  it("ends when the page logs out", async () => {
    const response = await fetch(`${service.url}/session`, { method: "DELETE" });
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toMatch(/^mandrill_live_session=; Max-Age=0; /);
  });

  it("is refused without a good token, in whatever shape it comes", async () => {
    expect((await logIn({ token: "wrong" })).status).toBe(401);
    expect((await logIn(null, bearer("wrong"))).status).toBe(401);
    for (const body of [{}, { token: 5 }, []]) expect((await logIn(body)).status).toBe(400);
    expect((await logIn({ token: "x".repeat(20_000) })).status).toBe(413);
    expect((await fetch(`${service.url}/session`)).status).toBe(401);
    expect((await fetch(`${service.url}/session`, { method: "PUT", headers: bearer(STATIC) })).status).toBe(405);
  });
});

it("writes no token, no ticket and no cookie to its log, however talkative it is", async () => {
  const signed = await signToken({ sub: "ada@example.com" });
  const { ticket } = await ticketFor(signed);
  const secrets = [STATIC, signed, ticket, `${ticket}A`, "stale-secret"];
  for (const secret of secrets) {
    await fetch(`${service.url}/events?wait=0&ticket=${secret}`, { headers: { accept: "application/json" } });
    await fetch(`${service.url}/nowhere?ticket=${secret}`);
    await ask(HEAD, bearer(secret));
    await ask("{ nonsense", { ...bearer(secret), cookie: `mandrill_live_session=${secret}` });
    await ask(`mutation { renewToken(token: "${secret}") }`, bearer(STATIC));
    await ask(`mutation { renewToken(token: ${secret}) }`, bearer(STATIC));
    const client = await connectSocket(socketUrl, { init: false });
    client.send({ type: "connection_init", payload: { authorization: `Bearer ${secret}` } });
    client.send("{");
    await client.closed;
  }
  expect(written.length).toBeGreaterThan(0);
  expect(written.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
});

function using(stream: Disposable): void {
  stream[Symbol.dispose]();
}
