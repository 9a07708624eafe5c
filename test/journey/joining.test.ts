import { createClient } from "graphql-sse";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { batchOf, startPublisher } from "../harness/fault-publisher.ts";
import { LAST, startFaultInstance, untilServed } from "../harness/fault-scene.ts";
import { startFaultSubscriber } from "../harness/fault-subscriber.ts";
import { post } from "../harness/mandrill-post.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import type { ServiceProcess } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const ROUNDS = 15;
/** Events that each round takes behind the head. */
const TAKEN = 40;
const PUBLISHERS = 3;
/** Events of a replay that is longer than what the service keeps in memory by far. */
const LONG = 5_000;
const BATCH = 1_000;
const RECENT_ENTRIES = "20";

const SNAPSHOT = "{ recentEvents(first: 100) { head nodes { messageId } } }";
const FROM = "subscription ($after: Cursor) { eventReceived(after: $after) { messageId } }";

interface Result {
  // biome-ignore lint/suspicious/noExplicitAny: results of two shapes
  readonly data?: any;
  readonly errors?: unknown;
}

/** A client of one instance. */
interface Listening extends AsyncDisposable {
  /** Results of an operation, one after the other; returned, it is ended. */
  open(query: string, variables?: Record<string, unknown>): AsyncIterator<Result>;
}

type Way = (service: ServiceProcess) => Promise<Listening>;

async function overSocket({ socketUrl }: ServiceProcess): Promise<Listening> {
  const client = await connectSocket(socketUrl);
  let operations = 0;
  return {
    async *open(query, variables = {}) {
      operations += 1;
      const id = `${operations}`;
      client.subscribe(id, query, { variables });
      try {
        for (;;) {
          const { type, payload } = await client.next(id);
          yield type === "next" ? payload : { errors: payload };
        }
      } finally {
        client.send({ id, type: "complete" });
      }
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function overEventStreams({ url }: ServiceProcess): Promise<Listening> {
  const client = createClient({ url: `${url}/graphql`, retryAttempts: 0 });
  return {
    open: (query, variables = {}) => client.iterate({ query, variables }) as AsyncIterator<Result>,
    [Symbol.asyncDispose]: async () => client.dispose(),
  };
}

const WAYS: readonly (readonly [name: string, way: Way])[] = [
  ["a WebSocket", overSocket],
  ["Server-Sent Events", overEventStreams],
];

async function pageOf(listening: Listening): Promise<{ readonly head: string; readonly messages: readonly string[] }> {
  const results = listening.open(SNAPSHOT);
  const { head, nodes } = (await results.next()).value.data.recentEvents;
  await results.return?.();
  return { head, messages: nodes.map(({ messageId }: { messageId: string }) => messageId).reverse() };
}

async function take(results: AsyncIterator<Result>, count: number): Promise<string[]> {
  const messages: string[] = [];
  while (messages.length < count) {
    const { data, errors } = (await results.next()).value;
    if (errors !== undefined) throw new Error(`it ended: ${JSON.stringify(errors)}`);
    messages.push(data.eventReceived.messageId);
  }
  return messages;
}

async function redis(): Promise<ServiceProcess[]> {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const env: Environment = { REDIS_URL: server.url, RECENT_ENTRIES };
  return Promise.all([startFaultInstance(env), startFaultInstance(env)]);
}

/** Instances on one log that are posted to all the time, and everything in its order, once it is settled. */
async function underLoad(services: readonly ServiceProcess[]) {
  const [{ url, socketUrl }] = services as [ServiceProcess];
  const witness = await startFaultSubscriber(() => socketUrl);
  onTestFinished(() => witness.stop());
  const publishers = Array.from({ length: PUBLISHERS }, (_, i) => {
    const publisher = startPublisher({ name: `load-${i}`, urls: () => services.map((service) => service.url) });
    onTestFinished(() => publisher.giveUp());
    return publisher;
  });
  const more = async (count: number): Promise<void> => {
    await Promise.all(publishers.map((publisher) => publisher.more(count)));
  };
  await more(50);
  return {
    more,
    async settled(): Promise<readonly string[]> {
      await Promise.all(publishers.map((publisher) => publisher.stop()));
      await untilServed([witness], url);
      return witness.received;
    },
  };
}

describe.each([
  ["SQLite", async () => [await startFaultInstance({ RECENT_ENTRIES })]],
  ["Redis, on another instance", redis],
])("eventReceived behind the head of recentEvents, under load, on %s", (_, start) => {
  it.each(WAYS)("goes on exactly where the page ended, over %s", async (_name, way) => {
    const services = await start();
    const { more, settled } = await underLoad(services);
    await using asking = await way(services[0] as ServiceProcess);
    await using listening = await way(services.at(-1) as ServiceProcess);
    const joined: (readonly string[])[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { head, messages } = await pageOf(asking);
      // From the log every third time: what lies behind the head has left the memory by then.
      if (round % 3 === 0) await more(10);
      const results = listening.open(FROM, { after: head });
      joined.push([...messages, ...(await take(results, TAKEN))]);
      await results.return?.();
    }
    const everything = await settled();
    for (const messages of joined) {
      const from = everything.indexOf(messages[0] as string);
      expect(messages).toEqual(everything.slice(from, from + messages.length));
    }
  });

  it.each(WAYS)(
    `goes over from a replay of ${LONG.toLocaleString("en")} events to what comes now, without a seam, over %s`,
    async (_name, way) => {
      const services = await start();
      await using listening = await way(services.at(-1) as ServiceProcess);
      const { head } = await pageOf(listening);
      const old = Array.from({ length: LONG }, (_, i) => `old-${i}`);
      for (let from = 0; from < LONG; from += BATCH) {
        const { status } = await post(services[0]?.url as string, batchOf(old.slice(from, from + BATCH)));
        expect(status).toBe(200);
      }
      const { more, settled } = await underLoad(services);
      const results = listening.open(FROM, { after: head });
      expect(await take(results, LONG)).toEqual(old);
      await more(50);
      // The witness begins where its instance has read to, which may be within the last batch.
      const loaded = (await settled()).filter((messageId) => !messageId.startsWith("old-"));
      expect(loaded.at(-1)).toBe(LAST);
      expect(await take(results, loaded.length)).toEqual(loaded);
    },
  );
});
