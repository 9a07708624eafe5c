import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { createStays } from "../../../src/access/stay.ts";
import type { Viewer } from "../../../src/access/viewer.ts";
import { ServiceError } from "../../../src/error.ts";
import { createEventSubscriptions } from "../../../src/graphql/event-subscription.ts";
import { createGroups } from "../../../src/graphql/group.ts";
import { presentError } from "../../../src/graphql/present-error.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { createEventsEndpoint } from "../../../src/http/events-endpoint.ts";
import { createHub } from "../../../src/hub/hub.ts";
import { openEventStream } from "../../harness/event-stream-client.ts";
import { createScriptedLog } from "../../harness/scripted-log.ts";

const SIGNED_IN: Viewer = { scope: { raw: true }, expiresAt: Number.POSITIVE_INFINITY, subject: "one" };

interface SceneOptions {
  readonly viewer?: Partial<Viewer>;
  readonly maxBufferedBytes?: number;
  readonly stallTimeout?: number;
}

/** The endpoint alone behind a server, over a log whose faults the test decides. */
async function startScene({ viewer = {}, maxBufferedBytes = 1_000_000, stallTimeout = 30_000 }: SceneOptions = {}) {
  const eventLog = createScriptedLog();
  const hub = createHub({
    eventLog,
    recentEntries: { maxEntries: 100, maxBytes: 1_000_000 },
    logger: pino({ enabled: false }),
  });
  const present = (error: unknown) => presentError(error, { maskUnexpected: true });
  const groups = createGroups({ schema, presentError: present });
  const revoked = new Set<string>();
  const stays = createStays((tokenId) => revoked.has(tokenId));
  const responses: ServerResponse[] = [];
  const endpoint = createEventsEndpoint({
    schema,
    subscriptions: createEventSubscriptions({ schema, hub, groups }),
    hub,
    eventLog,
    viewerOf: async ({ headers }) => {
      if (headers.authorization === "none") throw new ServiceError("UNAUTHENTICATED", "Who are you?");
      return { ...SIGNED_IN, ...viewer };
    },
    stays,
    presentError: present,
    maxBufferedBytes,
    stallTimeout,
    heartbeatInterval: 60_000,
  });
  const server = createServer((request, response) => {
    responses.push(response);
    endpoint.handle(request, response).catch((error: ServiceError) => {
      response.writeHead(error.status).end(JSON.stringify({ code: error.code, ...error.extensions }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  hub.start();
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    stays.stop();
    await hub.stop();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  const subscribed = async (count: number): Promise<void> => {
    while (hub.size < count) await new Promise(setImmediate);
  };
  const poll = async (query: string) => {
    const response = await fetch(`${url}?${query}`, { headers: { accept: "application/json" } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { eventLog, hub, groups, endpoint, revoked, stays, responses, url, subscribed, poll };
}

describe("listeners of one scope", () => {
  it("share a group whatever they filter by and however they listen, and others do not", async () => {
    const { url, groups, poll, eventLog, subscribed } = await startScene();
    const { cursor } = await eventLog.head();
    using _all = await openEventStream(url);
    using _some = await openEventStream(`${url}?types=open&email=ada@example.com`);
    const waiting = poll(`after=${cursor}`);
    await subscribed(3);
    expect(groups.size).toBe(1);
    using _whole = await openEventStream(`${url}?raw=1`);
    expect(groups.size).toBe(2);
    eventLog.append([{ type: "open" }]);
    expect((await waiting).body.events).toHaveLength(1);
  });

  it("are not shown what it withholds, though they ask for it", async () => {
    const { url, eventLog } = await startScene({ viewer: { scope: { raw: false, tags: ["mine"] } } });
    using stream = await openEventStream(`${url}?raw=1`);
    eventLog.append([{ id: "theirs" }, { type: "inbound", tags: ["mine"] }, { id: "mine", tags: ["mine"] }]);
    const { data } = await stream.nextEvent();
    expect([data.id, data.raw]).toEqual(["mine", null]);
  });
});

describe("a viewer whose time is over", () => {
  it("is told so at the end of the stream", async () => {
    const scene = await startScene({ viewer: { tokenId: "token" } });
    using stream = await openEventStream(scene.url);
    scene.eventLog.append([{}]);
    await stream.nextEvent();
    scene.revoked.add("token");
    scene.eventLog.append([{}]);
    expect(await stream.nextEvent()).toMatchObject({ event: "end", data: { code: "UNAUTHENTICATED" } });
    expect(await stream.ended).toBe(true);
    expect(scene.hub.size).toBe(0);
  });

  it("is refused at the end of a poll, even where there is something", async () => {
    const { eventLog, poll, revoked, subscribed } = await startScene({ viewer: { tokenId: "token" } });
    const waiting = poll(`after=${(await eventLog.head()).cursor}`);
    await subscribed(1);
    revoked.add("token");
    eventLog.append([{}]);
    expect(await waiting).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
  });

  it("was never let in where the token is no good", async () => {
    const { url } = await startScene();
    for (const accept of ["text/event-stream", "application/json"]) {
      const response = await fetch(url, { headers: { accept, authorization: "none" } });
      expect([response.status, await response.json()]).toEqual([401, { code: "UNAUTHENTICATED" }]);
    }
  });
});

describe("a log that is away", () => {
  it("ends a stream that has to read it, with the reason, so that its client comes back", async () => {
    const { url, eventLog } = await startScene();
    const { cursor } = await eventLog.head();
    using live = await openEventStream(url);
    eventLog.append([{}]);
    await live.nextEvent();
    eventLog.down = true;
    using stream = await openEventStream(`${url}?after=${cursor}`);
    expect(await stream.nextEvent()).toMatchObject({ event: "end", data: { code: "LOG_UNAVAILABLE" } });
    expect(await stream.ended).toBe(true);
  });

  it("is told to a poll with 503", async () => {
    const { eventLog, poll } = await startScene();
    eventLog.down = true;
    expect(await poll("")).toMatchObject({ status: 503, body: { code: "LOG_UNAVAILABLE" } });
  });
});

it("tells everybody who listens of a log that is another one, and goes on in it", async () => {
  const { url, eventLog, hub } = await startScene();
  using stream = await openEventStream(url);
  const waiting = await openEventStream(`${url}?types=spam`);
  eventLog.append([{}]);
  await stream.nextEvent();
  eventLog.flush();
  eventLog.append([{}, {}], "number");
  for (const each of [stream, waiting]) {
    const { event, id, data } = await each.nextEvent();
    expect([event, data.code, data.head === id]).toEqual(["gap", "CURSOR_UNKNOWN", true]);
  }
  eventLog.append([{ id: "in-the-new-one", type: "spam" }]);
  for (const each of [stream, waiting]) expect((await each.nextEvent()).data.id).toBe("in-the-new-one");
  waiting[Symbol.dispose]();
  expect(hub.head).toBe((await eventLog.head()).cursor);
});

it("cuts a reader that has taken nothing for too long", async () => {
  const { url, eventLog, responses } = await startScene({ stallTimeout: 50, maxBufferedBytes: 100_000 });
  using stream = await openEventStream(`${url}?raw=1`);
  stream.pause();
  const [response] = responses as [ServerResponse];
  const cut = once(response, "close");
  while (!response.writableNeedDrain) {
    eventLog.append([{ bytes: 90_000 }]);
    await new Promise(setImmediate);
  }
  await cut;
  expect(response.writableFinished).toBe(false);
});

it("answers who waits, and breaks streams off, when it is closed", async () => {
  const { url, eventLog, endpoint, poll, subscribed } = await startScene();
  const { cursor } = await eventLog.head();
  using stream = await openEventStream(url);
  const waiting = poll(`after=${cursor}&wait=60`);
  await subscribed(2);
  endpoint.close();
  expect(await waiting).toEqual({ status: 200, body: { events: [], head: cursor } });
  expect(await stream.ended).toBe(false);
});

it("keeps nothing of who has gone", async () => {
  const { url, eventLog, hub, groups } = await startScene();
  const { cursor } = await eventLog.head();
  const stream = await openEventStream(url);
  const polling = new AbortController();
  const polled = fetch(`${url}?after=${cursor}`, { signal: polling.signal, headers: { accept: "application/json" } });
  while (hub.size < 2) await new Promise(setImmediate);
  stream[Symbol.dispose]();
  polling.abort();
  await expect(polled).rejects.toThrow();
  while (hub.size > 0) await new Promise(setImmediate);
  expect(groups.size).toBe(0);
});
