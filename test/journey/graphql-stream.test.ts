import { type Client, createClient } from "graphql-sse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post } from "../harness/mandrill-post.ts";
import { type RunningService, runService } from "../harness/service.ts";

let service: RunningService;
let client: Client<true>;
beforeAll(async () => {
  service = await runService({ env: { MAX_BUFFERED_BYTES: "300000" } });
  client = createClient({ url: `${service.url}/graphql/stream`, singleConnection: true, retryAttempts: 0 });
});
afterAll(async () => {
  client.dispose();
  await service.stop();
});

let posted = 0;

async function publish(types: readonly string[], bytes = 0): Promise<string[]> {
  const ids = types.map(() => `message-${++posted}`);
  const events = types.map((event, index) => ({ event, msg: { _id: ids[index] }, padding: "x".repeat(bytes) }));
  expect((await post(service.url, jsonBatch(events))).status).toBe(200);
  return ids;
}

interface Result {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results of every shape
  readonly data?: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string; readonly after?: string } }[];
  readonly extensions?: { readonly cursor: string };
}

const results = (query: string, after?: string): AsyncIterableIterator<Result> =>
  client.iterate({ query, ...(after === undefined ? {} : { extensions: { after } }) }) as never;

const next = async (from: AsyncIterableIterator<Result>): Promise<Result> => (await from.next()).value;

const ALL = "subscription { eventReceived { messageId } }";
const headNow = async (): Promise<string> => (await next(results("{ recentEvents { head } }"))).data.recentEvents.head;

/** Does what graphql-sse's client does, step by step. */
async function ask(method: string, { token = "", body = "", query = "" } = {}): Promise<Response> {
  return fetch(`${service.url}/graphql/stream${query}`, {
    method,
    headers: { "x-graphql-event-stream-token": token, "content-type": "application/json" },
    ...(body === "" ? {} : { body }),
  });
}

const reserve = async (): Promise<string> => (await ask("PUT")).text();
const operation = (id: string, query: string, extensions: object = {}): string =>
  JSON.stringify({ query, extensions: { operationId: id, ...extensions } });

describe("many operations on one event stream", () => {
  it("are served side by side, resume by extensions.after, and end each for itself", async () => {
    const head = await headNow();
    const all = results(ALL, head);
    const clicks = results("subscription { eventReceived(types: [click]) { messageId } }", head);
    const [open, click] = await publish(["open", "click"]);
    const first = await next(all);
    expect(first).toEqual({ data: { eventReceived: { messageId: open } }, extensions: { cursor: expect.any(String) } });
    expect((await next(all)).data.eventReceived.messageId).toBe(click);
    expect((await next(clicks)).data.eventReceived.messageId).toBe(click);
    await all.return?.();
    const resumed = results(ALL, first.extensions?.cursor);
    expect((await next(resumed)).data.eventReceived.messageId).toBe(click);
    const [later] = await publish(["click"]);
    expect((await next(clicks)).data.eventReceived.messageId).toBe(later);
    await clicks.return?.();
    await resumed.return?.();
  });

  it("are told of a gap, and completed", async () => {
    const lost = results(ALL, "no cursor");
    const { errors } = await next(lost);
    expect(errors?.[0]?.extensions).toMatchObject({ code: "CURSOR_UNKNOWN", head: expect.any(String) });
    expect((await lost.next()).done).toBe(true);
  });

  it("keep to the bound of a slow reader, who goes on where it ended", async () => {
    const token = await reserve();
    using stream = await openEventStream(`${service.url}/graphql/stream?token=${token}`);
    const after = await headNow();
    const query = "subscription { eventReceived { messageId raw } }";
    expect((await ask("POST", { token, body: operation("slow", query, { after }) })).status).toBe(202);
    stream.pause();
    const witness = results(ALL, after);
    const ids: string[] = [];
    for (let count = 0; count < 120; count += 1) ids.push(...(await publish(["open"], 250_000)));
    for (const _id of ids) await next(witness);
    await witness.return?.();
    stream.resume();
    const received: string[] = [];
    for (let id = "slow"; received.length < ids.length; ) {
      const { event, data } = await stream.nextEvent();
      if (event === "complete") continue;
      expect(data.id).toBe(id);
      const [error] = (data.payload as Result).errors ?? [];
      if (error === undefined) received.push(data.payload.data.eventReceived.messageId);
      else {
        expect(error.extensions.code).toBe("SUBSCRIBER_LAGGED");
        id = `slow-${received.length}`;
        await ask("POST", { token, body: operation(id, query, { after: error.extensions.after }) });
      }
    }
    expect(received).toEqual(ids);
  });
});

describe("a stream's token", () => {
  it("may be the client's own, so that a proxy can tell by it which instance has the stream", async () => {
    const headers = { "x-graphql-event-stream-token": crypto.randomUUID() };
    const own = createClient({
      url: `${service.url}/graphql/stream`,
      singleConnection: true,
      retryAttempts: 0,
      headers,
    });
    const all = own.iterate<{ eventReceived: { messageId: string } }>({
      query: ALL,
      extensions: { after: await headNow() },
    });
    const [id] = await publish(["open"]);
    expect((await all.next()).value.data.eventReceived.messageId).toBe(id);
    expect((await ask("PUT", { token: headers["x-graphql-event-stream-token"] })).status).toBe(409);
    expect((await ask("PUT", { token: "short" })).status).toBe(400);
    own.dispose();
  });
});

describe("what is refused", () => {
  const refused = async (response: Promise<Response>): Promise<unknown> => {
    const { status, ...rest } = await response.then(async (each) => ({ status: each.status, body: await each.json() }));
    return [status, rest.body.errors[0].extensions.code];
  };

  it("has a code, whoever refuses it", async () => {
    const token = await reserve();
    expect(await refused(ask("POST", { token: "unknown", body: operation("1", ALL) }))).toEqual([404, "NOT_FOUND"]);
    expect(await refused(ask("GET"))).toEqual([404, "NOT_FOUND"]);
    expect(await refused(ask("PATCH"))).toEqual([405, "METHOD_NOT_ALLOWED"]);
    expect(await refused(ask("POST", { token, body: "{" }))).toEqual([400, "BAD_USER_INPUT"]);
    expect(await refused(ask("POST", { token, body: "[]" }))).toEqual([400, "BAD_USER_INPUT"]);
    expect(await refused(ask("POST", { token, body: JSON.stringify({ query: ALL }) }))).toEqual([
      400,
      "BAD_USER_INPUT",
    ]);
    expect(await refused(ask("POST", { token, body: " ".repeat(70_000) }))).toEqual([413, "BODY_TOO_LARGE"]);
    const invalid = operation("2", "subscription { eventReceived { nothing } }");
    expect(await refused(ask("POST", { token, body: invalid }))).toEqual([400, "GRAPHQL_VALIDATION_FAILED"]);
    expect(await refused(ask("POST", { token, body: operation("3", "{") }))).toEqual([400, "GRAPHQL_PARSE_FAILED"]);
    expect((await ask("POST", { token, body: operation("4", ALL) })).status).toBe(202);
    expect(await refused(ask("POST", { token, body: operation("4", ALL) }))).toEqual([409, "BAD_USER_INPUT"]);
    expect(await refused(ask("DELETE", { token }))).toEqual([400, "BAD_USER_INPUT"]);
  });

  it("is a second reader of the same stream", async () => {
    const token = await reserve();
    using _stream = await openEventStream(`${service.url}/graphql/stream?token=${token}`);
    expect(await refused(ask("GET", { token }))).toEqual([409, "BAD_USER_INPUT"]);
  });
});

it("is broken off, not completed, when the service stops", async () => {
  const own = await runService();
  const token = await (await fetch(`${own.url}/graphql/stream`, { method: "PUT" })).text();
  using stream = await openEventStream(`${own.url}/graphql/stream?token=${token}`);
  await own.stop();
  expect(await stream.ended).toBe(false);
});
