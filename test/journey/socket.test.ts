import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

let service: RunningService;
beforeAll(async () => {
  service = await runService({ env: { PING_SECONDS: "1" } });
});
afterAll(() => service.stop());

let posted = 0;

/** Posts events of these types, each about the same new recipient unless another is given; returns their messages. */
async function post(types: readonly string[], email = "ada@example.com"): Promise<string[]> {
  const ids = types.map(() => `message-${++posted}`);
  const events = types.map((event, index) => ({ event, ts: 1_700_000_000 + posted, msg: { _id: ids[index], email } }));
  const response = await fetch(`${service.url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  expect(await response.json()).toEqual({ received: types.length, appended: types.length, duplicates: 0 });
  return ids;
}

const OPENS_AND_CLICKS = "subscription { eventReceived(types: [open, click]) { messageId type } }";
const ALL = "subscription ($after: Cursor) { eventReceived(after: $after) { messageId } }";

describe("the tutorial's subscription over a WebSocket", () => {
  it("gets both events of the tutorial's curl, in order, and nothing else", async () => {
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("1", OPENS_AND_CLICKS, { extensions: { after: client.ack.head } });
    const [, open, click] = await post(["send", "open", "click"]);
    const first = await client.next("1");
    expect(first).toEqual({
      id: "1",
      type: "next",
      payload: {
        data: { eventReceived: { messageId: open, type: "open" } },
        extensions: { cursor: expect.any(String) },
      },
    });
    expect((await client.next("1")).payload.data.eventReceived).toEqual({ messageId: click, type: "click" });
  });

  it("goes on from the acknowledgement's head, and from any event's cursor", async () => {
    await using client = await connectSocket(service.socketUrl);
    const ids = await post(["open", "open", "open"]);
    client.subscribe("a", OPENS_AND_CLICKS, { extensions: { after: client.ack.head } });
    const cursors: string[] = [];
    for (const id of ids) {
      const { payload } = await client.next("a");
      expect(payload.data.eventReceived.messageId).toBe(id);
      cursors.push(payload.extensions.cursor);
    }
    client.subscribe("b", ALL, { variables: { after: cursors[0] } });
    expect((await client.next("b")).payload.data.eventReceived.messageId).toBe(ids[1]);
    client.subscribe("c", ALL, { variables: { after: cursors[0] }, extensions: { after: cursors[1] } });
    expect((await client.next("c")).payload.data.eventReceived.messageId).toBe(ids[2]);
  });

  it("without a place begins with what comes later, whatever was acknowledged before", async () => {
    await using client = await connectSocket(service.socketUrl);
    for (let round = 0; round < 20; round += 1) {
      await post(["open"]);
      client.subscribe(`live-${round}`, OPENS_AND_CLICKS);
      // A query behind it on the same socket: when that is answered the subscription is running.
      client.subscribe(`probe-${round}`, "{ recentEvents(first: 1) { head } }");
      await client.next(`probe-${round}`);
      const [later] = await post(["click"]);
      expect((await client.next(`live-${round}`)).payload.data.eventReceived.messageId).toBe(later);
      client.send({ id: `live-${round}`, type: "complete" });
    }
  });
});

describe("several operations on one socket", () => {
  it("are served each by its own filter", async () => {
    await using client = await connectSocket(service.socketUrl);
    const after = client.ack.head;
    const filtered = (args: string): string => `subscription { eventReceived(${args}) { messageId } }`;
    client.subscribe("email", filtered('email: "Grace@Example.com"'), { extensions: { after } });
    client.subscribe("none", filtered("types: []"), { extensions: { after } });
    client.subscribe("all", ALL, { extensions: { after } });
    const [other] = await post(["open"], "ada@example.com");
    const [wanted] = await post(["open"], "GRACE@example.com");
    expect((await client.next("all")).payload.data.eventReceived.messageId).toBe(other);
    expect((await client.next("all")).payload.data.eventReceived.messageId).toBe(wanted);
    expect((await client.next("email")).payload.data.eventReceived.messageId).toBe(wanted);
    client.send({ id: "none", type: "complete" });
    client.subscribe("probe", "{ recentEvents(first: 1) { nodes { messageId } } }");
    expect((await client.next()).payload.data.recentEvents.nodes).toEqual([{ messageId: wanted }]);
  });

  it("live on when one of them fails, whatever is wrong with it", async () => {
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("sibling", ALL, { extensions: { after: client.ack.head } });
    const wrong: [string, string, Record<string, unknown>, string][] = [
      ["syntax", "subscription { eventReceived {", {}, "GRAPHQL_PARSE_FAILED"],
      ["field", "subscription { eventReceived { nothing } }", {}, "GRAPHQL_VALIDATION_FAILED"],
      ["variable", ALL.replace("$after: Cursor", "$after: Cursor!"), {}, "BAD_USER_INPUT"],
      [
        "enum",
        "subscription ($t: [EventType!]) { eventReceived(types: $t) { id } }",
        { variables: { t: ["opened"] } },
        "BAD_USER_INPUT",
      ],
      ["nothing", "subscription { eventReceived @skip(if: true) { id } }", {}, "BAD_USER_INPUT"],
      ["cursor", ALL, { variables: { after: "no cursor" } }, "CURSOR_UNKNOWN"],
      ["i".repeat(129), ALL, {}, "BAD_USER_INPUT"],
    ];
    for (const [id, query, payload, code] of wrong) {
      client.subscribe(id, query, payload);
      const message = await client.next(id);
      const errors = message.type === "error" ? message.payload : message.payload.errors;
      expect([id, errors[0].extensions.code]).toEqual([id, code]);
    }
    const [id] = await post(["spam"]);
    expect((await client.next("sibling")).payload.data.eventReceived.messageId).toBe(id);
  });

  it("may use an id again once it was completed, at once and many times", async () => {
    await using client = await connectSocket(service.socketUrl);
    for (const reuses of [1, 2, 50]) {
      for (let round = 0; round < reuses; round += 1) {
        client.subscribe("again", ALL);
        client.send({ id: "again", type: "complete" });
      }
      client.subscribe("again", ALL);
      client.subscribe("probe", "{ recentEvents(first: 1) { head } }");
      await client.next("probe");
      await client.next("probe");
      const [id] = await post(["open"]);
      const message = await client.next("again");
      expect([message.type, message.payload.data.eventReceived.messageId]).toEqual(["next", id]);
      // Exactly one got it, and after the client's own end nobody gets anything.
      client.send({ id: "again", type: "complete" });
      client.subscribe("witness", ALL, { extensions: { after: message.payload.extensions.cursor } });
      const [later] = await post(["open"]);
      const witnessed = await client.next();
      expect([witnessed.id, witnessed.payload.data.eventReceived.messageId]).toEqual(["witness", later]);
      client.send({ id: "witness", type: "complete" });
    }
  });

  it("get nothing more after their client completed them", async () => {
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("gone", ALL, { extensions: { after: client.ack.head } });
    client.subscribe("stays", ALL, { extensions: { after: client.ack.head } });
    await post(["open"]);
    await client.next("gone");
    await client.next("stays");
    client.send({ id: "gone", type: "complete" });
    client.subscribe("probe", "{ recentEvents(first: 1) { head } }");
    await client.next("probe");
    const [id] = await post(["open"]);
    expect((await client.next("stays")).payload.data.eventReceived.messageId).toBe(id);
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ id: "probe", type: "complete" });
    expect(await client.next()).toEqual({ type: "pong" });
  });
});

describe("the protocol", () => {
  it.each([
    ["a second connection_init", [{ type: "connection_init" }], 4429],
    ["no JSON", ["{"], 4400],
    ["an unknown type", [{ type: "start", id: "1" }], 4400],
    [
      "an id that runs already",
      [
        { id: "1", type: "subscribe", payload: { query: ALL } },
        { id: "1", type: "subscribe", payload: { query: ALL } },
      ],
      4409,
    ],
    ["a message over 64 KiB", [{ id: "1", type: "subscribe", payload: { query: " ".repeat(70_000) } }], 1009],
  ])("ends the socket for %s", async (_what, messages, code) => {
    await using client = await connectSocket(service.socketUrl);
    for (const message of messages) client.send(message);
    expect((await client.closed).code).toBe(code);
  });

  it("ends the socket for a subscribe before the acknowledgement", async () => {
    await using client = await connectSocket(service.socketUrl, { init: false });
    client.subscribe("1", ALL);
    expect((await client.closed).code).toBe(4401);
  });

  it("ends a socket that never says what it is", async () => {
    await using client = await connectSocket(service.socketUrl, { init: false });
    expect((await client.closed).code).toBe(4408);
  });

  it("answers a ping at any time, with its payload", async () => {
    await using client = await connectSocket(service.socketUrl, { init: false });
    client.send({ type: "ping", payload: { at: 1 } });
    expect(await client.next()).toEqual({ type: "pong", payload: { at: 1 } });
  });

  it("takes WebSockets nowhere else", async () => {
    await expect(connectSocket(service.socketUrl.replace("/graphql", "/mandrill"))).rejects.toThrow("404");
  });
});

it("pings within its interval, with the place up to which each operation has been served", async () => {
  await using client = await connectSocket(service.socketUrl);
  client.subscribe("idle", 'subscription { eventReceived(tag: "nobody has this") { id } }', {
    extensions: { after: client.ack.head },
  });
  await post(["open", "open"]);
  const { payload } = await client.nextOfType("ping");
  expect(payload.positions).toEqual({ idle: expect.any(String) });
  client.subscribe("on", ALL, { extensions: { after: payload.positions.idle } });
  const [id] = await post(["open"]);
  expect((await client.next("on")).payload.data.eventReceived.messageId).toBe(id);
});
