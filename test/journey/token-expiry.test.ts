import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";
import { bearer, JWT_SECRET, signToken } from "../harness/tokens.ts";

const STATIC = "a-static-token-for-tests";
const EVENTS = "subscription { eventReceived { receivedAt messageId } }";
const HEAD = "{ recentEvents(first: 1) { head } }";

let service: RunningService;
beforeAll(async () => {
  service = await runService({ env: { JWT_SECRET, ACCESS_TOKENS: STATIC } });
});
afterAll(() => service.stop());

/** How long a token is good that is to expire while it is used: a busy machine has connected and posted by then. */
const LONG = 2_000;

let seed = 0;

/** Posts one event after the other until `stop` settles, and once more: there is always something to deliver. */
async function postUntil(stop: Promise<unknown>): Promise<void> {
  let stopped = false;
  const settled = () => {
    stopped = true;
  };
  void stop.then(settled, settled);
  for (let last = false; !last; ) {
    last = stopped;
    seed += 1;
    await post(service.url, jsonBatch([rawEvent("open", {}, seed)]));
  }
}

async function postOne(): Promise<string> {
  seed += 1;
  const event = rawEvent("open", {}, seed);
  await post(service.url, jsonBatch([event]));
  return event._id as string;
}

/** Milliseconds from now, in seconds since the Unix epoch. */
const inMs = (ms: number): number => (Date.now() + ms) / 1_000;

/** All that comes of an operation until its socket closes. */
async function untilClosed(client: SocketClient, id: string): Promise<string[]> {
  const times: string[] = [];
  for (;;) {
    try {
      times.push((await client.next(id)).payload.data.eventReceived.receivedAt);
    } catch {
      return times;
    }
  }
}

const connect = (token: string) => connectSocket(service.socketUrl, { init: { authorization: `Bearer ${token}` } });

describe("when a token expires", () => {
  it("its socket gets nothing more, not even what comes within the same moment, and is closed with 4403", async () => {
    const exp = inMs(LONG);
    await using client = await connect(await signToken({ exp }));
    client.subscribe("1", EVENTS);
    const [times, { code, reason }] = await Promise.all([
      untilClosed(client, "1"),
      client.closed,
      postUntil(client.closed),
    ]);
    expect([code, reason]).toEqual([4403, "Token expired"]);
    expect(times.length).toBeGreaterThan(3);
    expect(times.filter((time) => Date.parse(time) >= exp * 1_000)).toEqual([]);
  });

  it("a socket on which nothing happens is closed all the same", async () => {
    const exp = inMs(400);
    await using client = await connect(await signToken({ exp }));
    expect((await client.closed).code).toBe(4403);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1_000);
  });

  it("GraphQL over SSE ends with the error", async () => {
    const exp = inMs(LONG);
    const url = `${service.url}/graphql?query=${encodeURIComponent(EVENTS)}`;
    using stream = await openEventStream(url, bearer(await signToken({ exp })));
    const results: { data?: { eventReceived: { receivedAt: string } }; errors?: unknown }[] = [];
    const read = (async () => {
      for (;;) {
        const { event, data } = await stream.nextEvent();
        if (event !== "next") return;
        results.push(data);
        if (data.errors !== undefined) return;
      }
    })();
    await Promise.all([read, postUntil(read)]);
    expect(results.pop()).toEqual({ errors: [{ message: "Token expired", extensions: { code: "UNAUTHENTICATED" } }] });
    expect(results.length).toBeGreaterThan(3);
    const times = results.map(({ data }) => Date.parse(data?.eventReceived.receivedAt ?? ""));
    expect(times.filter((time) => !(time < exp * 1_000))).toEqual([]);
  });

  it("/events ends with the error", async () => {
    const exp = inMs(LONG);
    using stream = await openEventStream(`${service.url}/events`, bearer(await signToken({ exp })));
    const times: string[] = [];
    let end: unknown;
    const read = (async () => {
      for (;;) {
        const { event, data } = await stream.nextEvent();
        end = data;
        if (event === "end") return;
        times.push(data.receivedAt);
      }
    })();
    await Promise.all([read, postUntil(read)]);
    expect(end).toEqual({ code: "UNAUTHENTICATED", message: "Token expired" });
    expect(times.length).toBeGreaterThan(3);
    expect(times.filter((time) => Date.parse(time) >= exp * 1_000)).toEqual([]);
    expect(await stream.ended).toBe(true);
  });

  it("a long poll that waits is answered with the error", async () => {
    const headers = { ...bearer(await signToken({ exp: inMs(400) })), accept: "application/json" };
    const response = await fetch(`${service.url}/events?wait=20`, { headers });
    expect([response.status, await response.json()]).toEqual([
      401,
      { code: "UNAUTHENTICATED", message: "Token expired" },
    ]);
  });

  it("a query that it was asked with is not answered, however long the log has taken", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const slow = await runService({ env: { JWT_SECRET, REDIS_URL: redis.url } });
    onTestFinished(() => slow.stop());
    const ask = (token: string) =>
      fetch(`${slow.url}/graphql?query=${encodeURIComponent(HEAD)}`, { headers: bearer(token) });
    expect((await ask(await signToken())).status).toBe(200);
    const [expiring, expired] = [await signToken({ exp: inMs(LONG) }), await signToken({ exp: inMs(LONG) })];
    const client = await connectSocket(slow.socketUrl, { init: { authorization: `Bearer ${expiring}` } });
    redis.pause();
    const answer = ask(expired);
    client.subscribe("1", HEAD);
    expect((await client.closed).code).toBe(4403);
    redis.resume();
    expect(await (await answer).json()).toMatchObject({ errors: [{ message: "Token expired" }] });
    await expect(client.next("1")).rejects.toThrow("the socket closed");
  });

  it("a new connection with it is refused", async () => {
    const token = await signToken({ exp: inMs(-10) });
    const client = await connectSocket(service.socketUrl, { init: false });
    client.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    expect(await client.closed).toEqual({ code: 4401, reason: "Token expired" });
    expect((await fetch(`${service.url}/events`, { headers: bearer(token) })).status).toBe(401);
  });
});

describe("renewToken", () => {
  const renew = async (client: SocketClient, token: string, id = "renew") => {
    client.subscribe(id, "mutation ($token: String!) { renewToken(token: $token) }", { variables: { token } });
    return (await client.next(id)).payload;
  };

  it("keeps the socket and its subscriptions until the fresh token's end", async () => {
    const first = inMs(LONG);
    const second = inMs(2 * LONG);
    await using client = await connect(await signToken({ exp: first, mandrill_live: { raw: false } }));
    client.subscribe("1", EVENTS);
    const renewed = await renew(client, await signToken({ exp: second, mandrill_live: { raw: false } }));
    expect(Date.parse(renewed.data.renewToken)).toBe(Math.round(second * 1_000));
    const [times] = await Promise.all([untilClosed(client, "1"), postUntil(client.closed)]);
    const after = times.filter((time) => Date.parse(time) > first * 1_000);
    expect(after.length).toBeGreaterThan(3);
    expect(times.filter((time) => Date.parse(time) >= second * 1_000)).toEqual([]);
    expect((await client.closed).code).toBe(4403);
  });

  it("refuses a token that may see something else, and the socket lives on", async () => {
    await using client = await connect(await signToken({ mandrill_live: { tags: ["a"] } }));
    for (const claim of [{ tags: ["b"] }, { tags: ["a"], raw: false }, {}, { tags: [] }]) {
      const { errors } = await renew(client, await signToken({ mandrill_live: claim }), JSON.stringify(claim));
      expect(errors[0].extensions.code).toBe("FORBIDDEN");
    }
    const same = { emails: undefined, raw: true, tags: ["a", "a"] };
    expect((await renew(client, await signToken({ mandrill_live: same }))).errors).toBeUndefined();
  });

  it("refuses a token that is not good, and the socket lives on with the first", async () => {
    await using client = await connect(STATIC);
    client.subscribe("1", EVENTS);
    for (const token of ["", "wrong", await signToken({ exp: inMs(-10) }), await signToken({}, "x".repeat(40))]) {
      const { errors } = await renew(client, token, `renew ${token}`);
      expect(errors[0].extensions.code).toBe("UNAUTHENTICATED");
    }
    client.subscribe("head", HEAD);
    await client.next("head");
    const id = await postOne();
    expect((await client.next("1")).payload.data.eventReceived.messageId).toBe(id);
  });

  it("answers the end of the year 9999 for a token that does not expire", async () => {
    await using client = await connect(await signToken({ exp: inMs(5_000) }));
    expect((await renew(client, STATIC)).data.renewToken).toBe("9999-12-31T23:59:59.999Z");
  });

  it("answers likewise while no access rules are set, so that a client need not know", async () => {
    await using open = await runService();
    await using client = await connectSocket(open.socketUrl, { init: { authorization: "Bearer whatever" } });
    expect((await renew(client, "whatever")).data.renewToken).toBe("9999-12-31T23:59:59.999Z");
  });
});
