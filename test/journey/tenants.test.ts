import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post, type RawEvent, rawEvent } from "../harness/mandrill-post.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { openSharedStream } from "../harness/shared-stream-client.ts";
import { connectSocket } from "../harness/socket-client.ts";
import {
  ask,
  COUNTS,
  createWorld,
  EVENT,
  HEAD,
  type Json,
  MESSAGE,
  pages,
  polled,
  RECEIVED,
  RECENT,
  received,
  results,
  STATIC,
  shared,
  streamed,
  subscribeAll,
  tokenFor,
  type World,
} from "../harness/tenant-world.ts";
import { type Claim, comparable, FILTERS, isVisible, OURS, TENANTS_EVENTS, THEIRS } from "../harness/tenants.ts";
import { bearer } from "../harness/tokens.ts";

const SCOPES: readonly (readonly [name: string, claim: Claim])[] = [
  ["a subaccount", { subaccounts: [OURS] }],
  ["a tag", { tags: [`tag-${OURS}`] }],
  ["addresses, in whatever case", { emails: [`${OURS.toUpperCase()}@example.com`, "shared@EXAMPLE.com"] }],
  ["a subaccount and a tag together", { subaccounts: [OURS], tags: [`tag-${OURS}`, `tag-${THEIRS}`] }],
  ["a subaccount and somebody else's address", { subaccounts: [OURS], emails: [`${THEIRS}@example.com`] }],
  ["all subaccounts there are", { subaccounts: [OURS, THEIRS] }],
  ["no subaccount at all", { subaccounts: [] }],
  ["no tag at all, beside a subaccount", { subaccounts: [OURS], tags: [] }],
];

describe.each(["the embedded log", "Redis"])("on %s", (store) => {
  let server: RedisServer | undefined;
  let everything: World;
  let made = 0;

  const create = (events: readonly RawEvent[]): Promise<World> => {
    made += 1;
    return createWorld(events, server === undefined ? {} : { REDIS_URL: server.url, REDIS_PREFIX: `world-${made}` });
  };

  beforeAll(async () => {
    if (store === "Redis") server = await startRedisServer();
    everything = await create(TENANTS_EVENTS);
  });
  afterAll(async () => {
    await everything.service.stop();
    await server?.stop();
  });

  describe.each(SCOPES)("a viewer of %s", (_name, claim) => {
    const visible = TENANTS_EVENTS.filter((raw) => isVisible(raw, claim));
    let alone: World;
    let token: string;

    beforeAll(async () => {
      alone = await create(visible);
      token = await tokenFor(claim);
    });
    afterAll(() => alone.service.stop());

    /** The same asked of both worlds, with answers that can be compared. */
    const both = async <T>(act: (world: World) => Promise<T>): Promise<readonly [T, T]> => {
      const [here, there] = await Promise.all([act(everything), act(alone)]);
      return [comparable(here), comparable(there)];
    };

    /** The same for each of several things to ask; returns what was answered. */
    const sameForEach = <T>(items: readonly T[], act: (world: World, item: T) => Promise<Json>): Promise<Json[]> =>
      Promise.all(
        items.map(async (item) => {
          const [here, there] = await both((world) => act(world, item));
          expect(here, JSON.stringify(item)).toEqual(there);
          return here;
        }),
      );

    it("sees what it may see", async () => {
      const answer = await ask(everything.service, token, RECENT, { first: 500 });
      expect(answer.data.recentEvents.nodes.length).toBe(visible.length);
    });

    it("is answered by recentEvents as if nothing else were there, by every filter and page by page", async () => {
      await sameForEach(FILTERS, (world, filter) => pages(world, token, RECENT, { ...filter, first: 500 }));
      await sameForEach(FILTERS, (world, filter) => pages(world, token, RECENT, { ...filter, first: 3 }));
      await sameForEach(FILTERS, (world, filter) =>
        ask(world.service, token, RECENT, { ...filter, first: 2, since: world.origin }),
      );
    });

    it("is answered by messageEvents, eventCounts and event as if nothing else were there", async () => {
      const messages = new Set(FILTERS.flatMap((filter) => filter.messageId ?? []));
      await sameForEach([...messages], (world, messageId) => pages(world, token, MESSAGE, { messageId, first: 3 }));
      const span = { from: new Date(0).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
      const countable = FILTERS.filter(({ messageId }) => messageId === undefined);
      const counts = await sameForEach(countable, (world, filter) =>
        ask(world.service, token, COUNTS, { ...filter, ...span }),
      );
      expect(counts.filter(({ errors }) => errors !== undefined)).toEqual([]);
      const all = await ask(everything.service, STATIC, RECENT, { first: 500 });
      const ids = all.data.recentEvents.nodes.map(({ id }: Json) => id);
      expect(ids.length).toBe(TENANTS_EVENTS.length);
      const events = await sameForEach(ids, (world, id) => ask(world.service, token, EVENT, { id }));
      const hidden = events.filter(({ data }) => data.event === null);
      expect(hidden.length).toBe(TENANTS_EVENTS.length - visible.length);
    });

    it("is sent over a WebSocket what it would be sent alone: replayed, and over a query", async () => {
      const [here, there] = await both(async (world) => {
        await using client = await connectSocket(world.service.socketUrl, {
          init: { authorization: `Bearer ${token}` },
        });
        client.subscribe("query", RECENT, { variables: { first: 500 } });
        const answer = await client.next("query");
        subscribeAll(client, world.origin);
        return [answer.payload, ...(await received(client, world.head))];
      });
      expect(here).toEqual(there);
      expect(here[1].length).toBe(visible.length);
    });

    it("is sent over an event stream of many operations what it would be sent alone: replayed, and over a query", async () => {
      const [here, there] = await both(async (world) => {
        await using client = await connectSocket(world.service.socketUrl, {
          init: { authorization: `Bearer ${token}` },
        });
        subscribeAll(client, world.origin);
        const overSocket = await received(client, world.head);
        const lengths = overSocket.map(({ length }) => length);
        const [answer, ...overStream] = await shared(world, token, lengths);
        expect(overStream).toEqual(overSocket);
        return [answer, ...overStream];
      });
      expect(here).toEqual(there);
      expect(here[1].length).toBe(visible.length);
    });

    it("is sent by long polling and by event streams what it would be sent alone", async () => {
      // A URL has no way to ask for no type at all.
      const filters = FILTERS.filter(({ types }) => types?.length !== 0);
      await sameForEach(filters, (world, filter) => polled(world, token, filter));
      await sameForEach(filters, (world, filter) => streamed(world, token, filter));
    });

    it("is not told what the webhook was sent", async () => {
      const query = "{ webhookRequests { received } }";
      const { errors } = await ask(everything.service, token, query);
      expect(errors[0].extensions.code).toBe("FORBIDDEN");
      await using client = await connectSocket(everything.service.socketUrl, {
        init: { authorization: `Bearer ${token}` },
      });
      client.subscribe("1", query);
      expect((await client.next("1")).payload.errors[0].extensions.code).toBe("FORBIDDEN");
      using stream = await openSharedStream(everything.service.url, bearer(token));
      await stream.subscribe("1", query);
      expect((await stream.next()).payload.errors[0].extensions.code).toBe("FORBIDDEN");
    });
  });

  it("what comes live is sent to each tenant alone, on every transport", async () => {
    const [ours, theirs] = await Promise.all([
      create(TENANTS_EVENTS.filter((raw) => isVisible(raw, { subaccounts: [OURS] }))),
      create([]),
    ]);
    const token = await tokenFor({ subaccounts: [OURS] });
    const live = ["open", "click", "blacklist", "inbound", "send"].flatMap((type, seed) =>
      [THEIRS, OURS].map((subaccount) =>
        rawEvent(
          type as "open",
          type === "blacklist"
            ? { reject: { email: "shared@example.com", subaccount } }
            : { msg: { subaccount, email: "shared@example.com", tags: ["shared"], _id: "message-live" } },
          9_000 + seed * 2 + (subaccount === OURS ? 1 : 0),
        ),
      ),
    );
    const hear = async ({ service }: World, events: readonly RawEvent[]) => {
      await using client = await connectSocket(service.socketUrl, { init: { authorization: `Bearer ${token}` } });
      using stream = await openEventStream(`${service.url}/events?raw=1`, bearer(token));
      const query = new URLSearchParams({ query: RECEIVED });
      using sse = await openEventStream(`${service.url}/graphql?${query}`, bearer(token));
      using many = await openSharedStream(service.url, bearer(token));
      await many.subscribe("1", RECEIVED, { extensions: { after: client.ack.head } });
      subscribeAll(client, undefined);
      // Answered behind the subscriptions: when it is, they are running.
      client.subscribe("running", HEAD);
      await client.next("running");
      for (const event of events) await post(service.url, jsonBatch([event]));
      const { head } = (await ask(service, STATIC, HEAD)).data.recentEvents;
      const overSocket = await received(client, head);
      const expected = overSocket[0].length;
      const overStream: Json[] = [];
      const overSse: Json[] = [];
      const overShared: Json[] = [];
      for (let i = 0; i < expected; i += 1) {
        overStream.push((await stream.nextEvent()).data);
        overSse.push((await sse.nextEvent()).data);
        overShared.push((await many.next()).payload);
      }
      return comparable({ overSocket, overStream, overSse, overShared, expected });
    };
    const here = await hear(ours, live);
    const there = await hear(
      theirs,
      live.filter((raw) => isVisible(raw, { subaccounts: [OURS] })),
    );
    expect(here).toEqual(there);
    expect(here.expected).toBe(5);
    await Promise.all([ours.service.stop(), theirs.service.stop()]);
  });

  it("GraphQL over SSE replays to a tenant what it would be sent alone", async () => {
    const claim = { subaccounts: [OURS] };
    const token = await tokenFor(claim);
    const last = rawEvent("open", {
      msg: { subaccount: OURS, email: "shared@example.com", tags: ["shared"], _id: "message-shared" },
    });
    const worlds = [
      await create([...TENANTS_EVENTS, last]),
      await create([...TENANTS_EVENTS.filter((raw) => isVisible(raw, claim)), last]),
    ];
    for (const filter of [{}, { email: "shared@example.com" }, { tag: "shared" }, { messageId: "message-shared" }]) {
      const [here, there] = await Promise.all(
        worlds.map(async (world) => {
          const { data } = await ask(world.service, token, RECENT, { first: 1 });
          return comparable(await results(world, token, filter, data.recentEvents.nodes[0].id));
        }),
      );
      expect(here, JSON.stringify(filter)).toEqual(there);
      expect(here?.length).toBeGreaterThan(1);
    }
    await Promise.all(worlds.map(({ service }) => service.stop()));
  });

  it("content is withheld where raw is false, on every transport, and nothing else is", async () => {
    const [token, whole] = await Promise.all([tokenFor({ raw: false }), tokenFor({ raw: true })]);
    const withheld = (event: Json): Json => ({
      ...event,
      raw: null,
      ...("text" in event ? { text: null, html: null } : {}),
    });
    const all = (await ask(everything.service, whole, RECENT, { first: 500 })).data.recentEvents.nodes;
    expect(all.every(({ raw }: Json) => raw !== null)).toBe(true);
    expect(all.some(({ text, html }: Json) => text != null && html != null)).toBe(true);
    const lean = (await ask(everything.service, token, RECENT, { first: 500 })).data.recentEvents.nodes;
    expect(lean).toEqual(all.map(withheld));
    const oldestFirst = lean.toReversed();
    const { service, origin, head } = everything;
    await using client = await connectSocket(service.socketUrl, { init: { authorization: `Bearer ${token}` } });
    subscribeAll(client, origin);
    const overSocket = await received(client, head);
    const lengths = overSocket.map(({ length }) => length);
    const [, ...overStream] = await shared(everything, token, lengths);
    expect(overStream).toEqual(overSocket);
    expect(overSocket[0].map(({ data }: Json) => data.eventReceived)).toEqual(oldestFirst);
    expect(await polled(everything, token, {})).toEqual(oldestFirst);
    expect(await streamed(everything, token, {})).toEqual(oldestFirst);
    for (const { id } of oldestFirst.slice(0, 20)) {
      const { event } = (await ask(service, token, EVENT, { id })).data;
      expect(event.raw).toBeNull();
    }
  });
});
