import { type Client, createClient } from "graphql-sse";
import { describe, expect, it, onTestFinished } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { batchOf } from "../harness/fault-publisher.ts";
import { post } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

const HOPS = 200;
/** Events that are on their way at the most: enough to have every hop meet some in flight. */
const AHEAD = 60;
const MOST_A_BATCH = 8;
const MOST_A_HOP = 10;
/** So little that polls have to page, and that a reader may be too slow. */
const MAX_BUFFERED_BYTES = "12000";

const SUBSCRIPTION = "subscription ($after: Cursor) { eventReceived(after: $after) { messageId cursor } }";
const SINCE = "query ($since: Cursor) { recentEvents(since: $since, first: 500) { head nodes { messageId } } }";

/** What one way gave: messages in order, and the place behind them. */
interface Taken {
  readonly messages: readonly string[];
  readonly place: string;
}

interface Instance {
  readonly service: RunningService;
  readonly distinct: Client;
  readonly single: Client<true>;
}

/** Goes on from a place and takes so many events, or what there is. */
type Way = (instance: Instance, place: string, count: number) => Promise<Taken>;

interface Shown {
  readonly messageId: string;
  readonly cursor: string;
}

interface Told {
  readonly data?: { readonly eventReceived: Shown } | null;
  readonly errors?: readonly { readonly extensions: Record<string, unknown> }[];
}

/** Takes as many as wanted of what `next` gives, or until it has been too slow. */
async function take(place: string, count: number, next: () => Promise<Told>): Promise<Taken> {
  const events: Shown[] = [];
  while (events.length < count) {
    const { data, errors = [] } = await next();
    if (errors.length > 0) {
      expect(errors[0]?.extensions).toMatchObject({ code: "SUBSCRIBER_LAGGED", after: events.at(-1)?.cursor ?? place });
      break;
    }
    events.push(data?.eventReceived as Shown);
  }
  return { messages: events.map(({ messageId }) => messageId), place: events.at(-1)?.cursor ?? place };
}

/** The same from an event stream, which goes on by itself. */
async function takeFromStream(
  url: string,
  headers: Record<string, string>,
  place: string,
  count: number,
): Promise<Taken> {
  using stream = await openEventStream(url, headers);
  return await take(place, count, async () => {
    for (;;) {
      const { event, data } = await stream.nextEvent();
      if (event === undefined) return { data: { eventReceived: data } };
      expect([event, data.code]).toEqual(["gap", "SUBSCRIBER_LAGGED"]);
    }
  });
}

async function overGraphqlSse(client: Client<boolean>, after: string, count: number): Promise<Taken> {
  const results = client.iterate({ query: SUBSCRIPTION, variables: { after } });
  const taken = await take(after, count, async () => (await results.next()).value as Told);
  await results.return?.();
  return taken;
}

const WAYS: Readonly<Record<string, Way>> = {
  async socket({ service }, place, count) {
    await using client = await connectSocket(service.socketUrl);
    client.subscribe("hop", SUBSCRIPTION, { extensions: { after: place } });
    return await take(place, count, async () => {
      const { type, payload } = await client.next("hop");
      return type === "next" ? payload : { errors: payload };
    });
  },
  streamByHeader: ({ service }, place, count) =>
    takeFromStream(`${service.url}/events?after=ignored`, { "last-event-id": place }, place, count),
  streamByQuery: ({ service }, place, count) =>
    takeFromStream(`${service.url}/events?after=${place}&raw=1`, {}, place, count),
  async poll({ service }, place) {
    const accept = { accept: "application/json" };
    const response = await fetch(`${service.url}/events?after=${place}&wait=10`, { headers: accept });
    const { events, head } = (await response.json()) as { events: Shown[]; head: string };
    return { messages: events.map(({ messageId }) => messageId), place: head };
  },
  async query({ service }, place) {
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: SINCE, variables: { since: place } }),
    });
    const { head, nodes } = ((await response.json()) as { data: { recentEvents: { head: string; nodes: Shown[] } } })
      .data.recentEvents;
    return { messages: nodes.map(({ messageId }) => messageId).reverse(), place: head };
  },
  distinctSse: ({ distinct }, place, count) => overGraphqlSse(distinct, place, count),
  singleSse: ({ single }, place, count) => overGraphqlSse(single, place, count),
};

async function startInstance(env: Record<string, string>): Promise<Instance> {
  const service = await runService({ env: { MAX_BUFFERED_BYTES, ...env } });
  const distinct = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const single = createClient({ url: `${service.url}/graphql/stream`, singleConnection: true, retryAttempts: 0 });
  onTestFinished(async () => {
    distinct.dispose();
    single.dispose();
    await service.stop();
  });
  return { service, distinct, single };
}

async function headOf({ service }: Instance): Promise<string> {
  const response = await fetch(`${service.url}/events`, { headers: { accept: "application/json" } });
  return ((await response.json()) as { head: string }).head;
}

/** 0 to `limit - 1`, the same for the same seed (Marsaglia's xorshift32). */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** One listener who changes the way, and the instance, again and again while events come. */
async function hop(instances: readonly Instance[], seed: number): Promise<void> {
  const random = randomFrom(seed);
  const oneOf = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T;
  const [start] = instances as [Instance];
  let place = await headOf(start);
  const acknowledged: string[] = [];
  const received: string[] = [];
  let room = Promise.withResolvers<void>();
  let over = false;
  const publishing = (async () => {
    const pick = randomFrom(seed + 1);
    while (!over) {
      while (acknowledged.length - received.length > AHEAD) await room.promise;
      const batch = Array.from({ length: 1 + pick(MOST_A_BATCH) }, (_, i) => `hop-${acknowledged.length + i}`);
      const { url } = (instances[pick(instances.length)] as Instance).service;
      expect((await post(url, batchOf(batch))).status).toBe(200);
      acknowledged.push(...batch);
    }
  })();
  const go = async (way: Way, place: string, count: number): Promise<string> => {
    const taken = await way(oneOf(instances), place, count);
    received.push(...taken.messages);
    room.resolve();
    room = Promise.withResolvers();
    return taken.place;
  };

  const names = Object.keys(WAYS);
  for (let hops = 0; hops < HOPS; hops += 1) {
    place = await go(WAYS[oneOf(names)] as Way, place, 1 + random(MOST_A_HOP));
  }
  over = true;
  await publishing;
  const last = await post(start.service.url, batchOf(["the-last"]));
  expect(last.status).toBe(200);
  while (received.at(-1) !== "the-last") place = await go(WAYS.streamByQuery as Way, place, 1);
  expect(received).toEqual([...acknowledged, "the-last"]);
}

describe(`one cursor serves every way to listen: ${HOPS} hops while events come lose and double nothing`, () => {
  it("on one instance with its own log", async () => {
    await hop([await startInstance({})], 20_261_123);
  });

  it("between two instances on one Redis", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    await hop([await startInstance(env), await startInstance(env)], 20_261_124);
  });
});
