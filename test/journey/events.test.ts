import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Block, openEventStream } from "../harness/event-stream-client.ts";
import { Listener } from "../harness/listener.ts";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { createProxy } from "../harness/proxy.ts";
import { type RunningService, runService } from "../harness/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await runService({ env: { PING_SECONDS: "0.5" } });
});
afterAll(() => service.stop());

let posted = 0;

/** Posts events of these types; returns the ids of their messages. */
async function publish(types: readonly string[], msg: object = {}, to = service): Promise<string[]> {
  const ids = types.map(() => `message-${++posted}`);
  const events = types.map((event, index) => ({ event, ts: 1_700_000_000 + posted, msg: { _id: ids[index], ...msg } }));
  expect((await post(to.url, jsonBatch(events))).status).toBe(200);
  return ids;
}

const at = (query = "", to = service): string => `${to.url}/events${query === "" ? "" : `?${query}`}`;

interface Polled {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON was answered is for the test to judge
  readonly body: any;
}

async function poll(query = "", to = service): Promise<Polled> {
  const response = await fetch(at(query, to), { headers: { accept: "application/json" } });
  return { status: response.status, body: await response.json() };
}

const headNow = async (to = service): Promise<string> => (await poll("wait=0", to)).body.head;
const messageOf = ({ data }: Block): unknown => data.messageId;
const messagesOf = ({ body }: Polled): unknown => body.events.map(({ messageId }: { messageId: string }) => messageId);

describe("an EventSource", () => {
  it("gets everything by onmessage, opens included, and after a restart goes on where it was", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-"));
    const first = await runService({ dataDir });
    // One address for both: a port that is given up may be anybody's a moment later.
    const target = { host: "127.0.0.1", port: Number(new URL(first.url).port) };
    await using proxy = await createProxy(target);
    const source = new EventSource(`http://127.0.0.1:${proxy.port}/events?types=open,click`);
    const listener = new Listener<string>();
    source.onmessage = ({ data }) => listener.next(JSON.parse(data).messageId);
    await new Promise<void>((resolve) => {
      source.onopen = () => resolve();
    });
    const [open] = await publish(["open", "send"], {}, first);
    await listener.has(1);
    await first.stop();
    const second = await runService({ dataDir });
    const [missed] = await publish(["click", "send"], {}, second);
    target.port = Number(new URL(second.url).port);
    await listener.has(2);
    const [live] = await publish(["open"], {}, second);
    await listener.has(3);
    expect(listener.results).toEqual([open, missed, live]);
    source.close();
    await second.stop();
    await rm(dataDir, { recursive: true });
  });
});

describe("the stream", () => {
  it("begins with its place, and tells an event with the schema's field names and without content", async () => {
    using stream = await openEventStream(at());
    expect(stream.response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      vary: expect.stringContaining("accept"),
    });
    const [id] = await publish(["click"], { email: "ada@example.com", subject: "Welcome", tags: ["welcome"] });
    expect(await stream.next()).toEqual({ retry: expect.stringMatching(/^\d{4}$/), id: expect.any(String) });
    const block = await stream.nextEvent();
    const nothing = { sender: null, sentAt: null, metadata: {}, subaccount: null, template: null };
    expect(block).toEqual({
      id: block.data.cursor,
      data: {
        id: expect.any(String),
        cursor: expect.any(String),
        type: "click",
        name: "click",
        occurredAt: expect.stringMatching(/^2023-11-14T.*Z$/),
        receivedAt: expect.any(String),
        messageId: id,
        messageState: null,
        email: "ada@example.com",
        message: { email: "ada@example.com", subject: "Welcome", tags: ["welcome"], ...nothing },
        webhook: null,
        ip: null,
        userAgent: null,
        location: null,
        client: null,
        url: null,
      },
    });
  });

  it("brings raw, text and html where they are asked for", async () => {
    using lean = await openEventStream(at("types=inbound"));
    using whole = await openEventStream(at("types=inbound&raw=1"));
    const mail = rawEvent("inbound");
    await post(service.url, jsonBatch([mail]));
    const { data } = await whole.nextEvent();
    expect([data.raw, data.text, data.html]).toEqual([mail, "Hello\n", "<p>Hello</p>"]);
    const { raw: _raw, text: _text, html: _html, ...rest } = data;
    expect((await lean.nextEvent()).data).toEqual(rest);
  });

  it.each([
    ["types=open,click", { event: "click" }],
    ["types=%20spam", { event: "spam" }],
    ["email=Grace@Example.com", { msg: { email: "grace@example.COM" } }],
    ["messageId=wanted-message", { msg: { _id: "wanted-message" } }],
    ["tag=wanted-tag", { msg: { tags: ["other", "wanted-tag"] } }],
    ["subaccount=wanted-account", { msg: { subaccount: "wanted-account" } }],
    ["tag=both&types=open", { event: "open", msg: { tags: ["both"] } }],
  ])("of %s has nothing else", async (query, wanted) => {
    using stream = await openEventStream(at(query));
    const others = [{ event: "send", msg: { _id: "other", email: "ada@example.com", tags: ["both"] } }];
    const event = { event: "deferral", ...wanted, ts: 1_700_000_000 + ++posted };
    await post(service.url, jsonBatch([...others.map((each) => ({ ...each, ts: event.ts })), event]));
    expect((await stream.nextEvent()).data).toMatchObject({
      occurredAt: new Date(event.ts * 1_000).toISOString(),
      type: event.event,
    });
  });

  it("goes on behind after, and behind Last-Event-ID where both are given", async () => {
    const before = await headNow();
    const ids = await publish(["open", "open", "open"]);
    using all = await openEventStream(at(`after=${before}`));
    const blocks = [await all.nextEvent(), await all.nextEvent(), await all.nextEvent()];
    expect(blocks.map(messageOf)).toEqual(ids);
    using later = await openEventStream(at(`after=${before}`), { "last-event-id": blocks[1]?.id as string });
    expect(messageOf(await later.nextEvent())).toBe(ids[2]);
  });

  it("moves its id by heartbeats, past what does not match", async () => {
    using stream = await openEventStream(at("tag=nobody-has-this"));
    const start = await stream.next();
    await publish(["open", "send"]);
    const head = await headNow();
    let beat = await stream.next();
    while (beat.id !== head) beat = await stream.next();
    expect([Object.keys(beat), beat.id !== start.id]).toEqual([["id"], true]);
    using resumed = await openEventStream(at(), { "last-event-id": beat.id as string });
    const [id] = await publish(["open"]);
    expect(messageOf(await resumed.nextEvent())).toBe(id);
  });

  it("tells a gap, and goes on from its id", async () => {
    const own = await runService({ env: { RETENTION_EVENTS: "3" } });
    const expired = await headNow(own);
    await publish(["open", "open", "open", "open", "open"], {}, own);
    for (const [place, code] of [
      [expired, "CURSOR_EXPIRED"],
      ["no%20cursor%0Adata:%20injected", "CURSOR_UNKNOWN"],
    ]) {
      using stream = await openEventStream(at(`after=${place}`, own));
      const head = await headNow(own);
      expect(await stream.nextEvent()).toEqual({
        event: "gap",
        id: head,
        data: { code, oldest: expect.any(String), head },
      });
      const [id] = await publish(["click"], {}, own);
      expect(messageOf(await stream.nextEvent())).toBe(id);
      using resumed = await openEventStream(at("", own), { "last-event-id": head });
      expect(messageOf(await resumed.nextEvent())).toBe(id);
    }
    await own.stop();
  });

  it("tells a place even where the log it finds is empty", async () => {
    await using own = await runService();
    using stream = await openEventStream(at("after=unknown", own));
    const { id, data } = await stream.nextEvent();
    expect([data.code, data.oldest, data.head === id]).toEqual(["CURSOR_UNKNOWN", null, true]);
    expect(await poll("after=unknown", own)).toMatchObject({ status: 410, body: { oldest: null, head: id } });
    const [message] = await publish(["open"], {}, own);
    expect(messageOf(await stream.nextEvent())).toBe(message);
  });

  it("is broken off, not completed, when the service stops", async () => {
    const own = await runService();
    using stream = await openEventStream(at("", own));
    await own.stop();
    expect(await stream.ended).toBe(false);
  });
});

describe("a reader that does not read", () => {
  const large = (): object => ({
    event: "open",
    ts: 1_700_000_000 + ++posted,
    msg: { _id: `large-${posted}` },
    padding: "x".repeat(250_000),
  });

  it("goes on from where it was, at its own pace, and loses nothing", async () => {
    await using own = await runService({ env: { MAX_BUFFERED_BYTES: "300000" } });
    using slow = await openEventStream(at("raw=1", own));
    using witness = await openEventStream(at("", own));
    slow.pause();
    const events = Array.from({ length: 64 }, large);
    for (const event of events) await post(own.url, jsonBatch([event]));
    for (const _event of events) await witness.nextEvent();
    slow.resume();
    const received: unknown[] = [];
    const gaps: Block[] = [];
    let last = "";
    while (received.length < events.length) {
      const block = await slow.nextEvent();
      if (block.event === undefined) received.push(messageOf(block));
      else gaps.push({ ...block, event: last });
      last = block.id as string;
    }
    expect(received).toEqual(events.map(({ msg }: { msg?: { _id: string } }) => msg?._id));
    expect(gaps.length).toBeGreaterThan(0);
    for (const { event: before, id, data } of gaps)
      expect([id, data]).toEqual([before, { code: "SUBSCRIBER_LAGGED", after: before }]);
  });
});

describe("long polling", () => {
  it("answers at once when there is something, and then with what came later", async () => {
    const first = await poll();
    expect(first).toEqual({ status: 200, body: { events: [], head: expect.any(String) } });
    const ids = await publish(["open", "click"]);
    const found = await poll(`after=${first.body.head}`);
    expect([messagesOf(found), found.body.events[1].cursor]).toEqual([ids, found.body.head]);
    expect(found.body.events[0]).not.toHaveProperty("raw");
    const [later] = await publish(["spam"]);
    expect(messagesOf(await poll(`after=${found.body.head}&raw=1`))).toEqual([later]);
  });

  it("waits for something to come", async () => {
    const head = await headNow();
    const waiting = [poll(`after=${head}&wait=20`), poll(`types=click&after=${head}&wait=20`)];
    using witness = await openEventStream(at());
    const [open] = await publish(["open"]);
    await witness.nextEvent();
    const [click] = await publish(["click"]);
    expect((await Promise.all(waiting)).map(messagesOf)).toEqual([[open], [click]]);
  });

  it("answers when the time is over, with a place past what does not match", async () => {
    const before = await headNow();
    await publish(["open", "send"]);
    const begun = performance.now();
    const { status, body } = await poll(`after=${before}&wait=0.3&tag=nobody-has-this`);
    expect(performance.now() - begun).toBeGreaterThan(290);
    expect([status, body]).toEqual([200, { events: [], head: await headNow() }]);
    expect(body.head).not.toBe(before);
    expect(await poll(`after=${body.head}&wait=0`)).toMatchObject({ body: { events: [] } });
  });

  it("pages through what does not fit into one answer", async () => {
    await using own = await runService({ env: { MAX_BUFFERED_BYTES: "2000" } });
    let after = await headNow(own);
    const ids = await publish(
      Array.from({ length: 30 }, () => "open"),
      {},
      own,
    );
    const received: unknown[] = [];
    while (received.length < ids.length) {
      const { body } = await poll(`after=${after}&wait=0`, own);
      expect(JSON.stringify(body.events).length).toBeLessThan(2_100);
      received.push(...body.events.map(({ messageId }: { messageId: string }) => messageId));
      after = body.head;
    }
    expect(received).toEqual(ids);
  });

  it("is refused with 410 where the cursor is of no use, with the place to go on from", async () => {
    await using own = await runService({ env: { RETENTION_EVENTS: "2" } });
    const expired = await headNow(own);
    await publish(["open", "open", "open", "open"], {}, own);
    const places = { oldest: expect.any(String), head: await headNow(own) };
    const message = expect.any(String);
    expect(await poll(`after=${expired}`, own)).toEqual({
      status: 410,
      body: { code: "CURSOR_EXPIRED", message, ...places },
    });
    expect(await poll("after=unknown", own)).toEqual({
      status: 410,
      body: { code: "CURSOR_UNKNOWN", message, ...places },
    });
  });
});

describe("a request that cannot be served", () => {
  it.each([
    ["typ=open", "typ"],
    ["types=opened", "types"],
    ["types=open,,click", "types"],
    ["types=open&types=click", "types"],
    ["email=", "email"],
    ["raw=yes", "raw"],
    ["wait=-1", "wait"],
    ["wait=301", "wait"],
  ])("by %s is refused with 400 and the parameter's name, on both ways", async (query, argument) => {
    for (const accept of ["text/event-stream", "application/json"]) {
      const response = await fetch(at(query), { headers: { accept } });
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: "BAD_USER_INPUT", message: expect.any(String), argument },
      ]);
    }
  });

  it("by another method is refused with 405 and those that there are", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await fetch(at(), { method });
      expect([response.status, response.headers.get("allow"), (await response.json()).code]).toEqual([
        405,
        "GET, HEAD",
        "METHOD_NOT_ALLOWED",
      ]);
    }
  });

  it("for another form is refused with 406", async () => {
    const response = await fetch(at(), { headers: { accept: "text/html, application/json;q=0" } });
    expect([response.status, (await response.json()).code]).toEqual([406, "NOT_ACCEPTABLE"]);
  });

  it("is not followed by an event, where it asks for the head alone", async () => {
    for (const accept of ["text/event-stream", "application/json"]) {
      const response = await fetch(at("types=open"), { method: "HEAD", headers: { accept } });
      expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, accept, ""]);
    }
    expect((await fetch(at("typ=open"), { method: "HEAD" })).status).toBe(400);
  });
});
