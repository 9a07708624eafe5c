import type { Client } from "graphql-ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Gap } from "../../../client/gap.ts";
import { createResumingClient, type ResumingClientOptions } from "../../../client/resuming-client.ts";
import { Listener } from "../../harness/listener.ts";
import { jsonBatch, post } from "../../harness/mandrill-post.ts";
import { createProxy, type TcpProxy } from "../../harness/proxy.ts";
import { createScriptedSocketServer } from "../../harness/scripted-socket-server.ts";
import { type RunningService, runService } from "../../harness/service.ts";
import { LIBRARIES, type Library, type Wanted } from "./libraries.ts";

const CUTS = 20;

let service: RunningService;
let proxy: TcpProxy;
let client: Client;
let gaps: Gap[];
/** Resolves before every attempt to connect again; a test may hold it. */
let retryWait: () => Promise<void>;
let posted = 0;

beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  retryWait = () => Promise.resolve();
  gaps = [];
  proxy = await createProxy(Number(new URL(service.url).port));
});
afterEach(async () => {
  await client.dispose();
  await proxy.close();
});

function connectTo(url: string, options: Partial<ResumingClientOptions> = {}): void {
  const onGap = (gap: Gap): void => void gaps.push(gap);
  client = createResumingClient({ url, retryWait: () => retryWait(), onGap, ...options });
}

const proxied = (): string => `ws://127.0.0.1:${proxy.port}/graphql`;

/** Posts a batch of opens about a recipient; returns their messages. */
async function postOpens(count: number, email = "ada@example.com"): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `message-${++posted}`);
  const batch = ids.map((_id) => ({ event: "open", ts: 1_760_000_000, _id, msg: { _id, email } }));
  expect(await post(service.url, jsonBatch(batch))).toMatchObject({ status: 200, body: { appended: count } });
  return ids;
}

/** Subscribes through the library; resolves when the server has the subscription. */
async function listen(library: Library, wanted: Wanted = {}): Promise<Listener<string>> {
  const listener = new Listener<string>();
  library.subscribe(client, wanted, listener.next, listener.error);
  // urql subscribes a little later; messages go out in the order of these calls.
  await new Promise((resolve) => setImmediate(resolve));
  const probe = new Listener();
  client.subscribe({ query: "{ recentEvents(first: 1) { head } }" }, probe);
  expect(await probe.ended).toEqual({});
  expect(probe.results).toHaveLength(1);
  return listener;
}

describe.each(LIBRARIES)("under $name", (library) => {
  it(`nothing is lost and nothing comes twice over ${CUTS} forced disconnects while events flow`, async () => {
    connectTo(proxied());
    const listener = await listen(library);
    const expected: string[] = [];
    let cutting = true;
    const publishing = (async () => {
      while (cutting) expected.push(...(await postOpens(5)));
    })();
    for (let cut = 0; cut < CUTS; cut += 1) {
      const connected = proxy.connected();
      // At every other cut in the midst of events, else before the new socket can have been acknowledged.
      if (cut % 2 === 0) await listener.has(listener.results.length + 7);
      expect(proxy.cutAll()).toBeGreaterThan(0);
      await connected;
    }
    cutting = false;
    await publishing;
    expected.push(...(await postOpens(1)));
    await listener.until((results) => results.includes(expected.at(-1) as string));
    expect(listener.results).toEqual(expected);
    expect(listener.ends).toBe(0);
    expect(gaps).toEqual([]);
  });

  it("nothing is lost when it is cut off before its first event", async () => {
    connectTo(proxied());
    await postOpens(3);
    let open = (): void => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    const waiting = new Promise<void>((resolve) => {
      retryWait = () => {
        resolve();
        return held;
      };
    });
    const listener = await listen(library, { email: "grace@example.com" });
    proxy.cutAll();
    await waiting;
    await postOpens(2);
    const expected = await postOpens(3, "grace@example.com");
    open();
    await listener.has(3);
    expected.push(...(await postOpens(1, "grace@example.com")));
    await listener.has(4);
    expect(listener.results).toEqual(expected);
  });

  it("a log trimmed past the last match is no gap, since the pings move its place", async () => {
    await using server = await createScriptedSocketServer();
    connectTo(server.url);
    const listener = new Listener<string>();
    library.subscribe(client, { email: "wanted" }, listener.next, listener.error);
    const first = await server.next("subscribe");
    expect(first.payload.extensions?.after).toBeUndefined();
    for (let round = 0; round < 3; round += 1) {
      server.append("other", "other", "other");
      server.ping();
      await server.next("pong");
      server.trim(server.length);
      for (const connection of server.connections) connection.close(1012);
      const { payload } = await server.next("subscribe");
      expect(payload).toEqual({ ...first.payload, extensions: { after: server.head } });
    }
    server.append("wanted");
    await listener.has(1);
    expect(listener.results).toEqual(["wanted"]);
    expect(gaps).toEqual([]);
  });
});

describe("a network that is gone without a word", () => {
  it("is left for a new connection, and what the old one held back is not delivered again", async () => {
    connectTo(proxied(), { silenceTimeout: 100 });
    const listener = await listen(LIBRARIES[0] as Library);
    const expected = await postOpens(3);
    await listener.has(3);
    const closed = new Promise((resolve) => client.on("closed", resolve));
    proxy.stall();
    expected.push(...(await postOpens(3)));
    await closed;
    expected.push(...(await postOpens(3)));
    proxy.resume();
    await listener.has(9);
    expected.push(...(await postOpens(1)));
    await listener.has(10);
    expect(listener.results).toEqual(expected);
  });
});

describe("several operations on one socket", () => {
  it("each get their own events, in order and once, over forced disconnects", async () => {
    connectTo(proxied());
    const emails = ["ada@example.com", "grace@example.com", undefined];
    const listeners = await Promise.all(emails.map((email) => listen(LIBRARIES[0] as Library, { email })));
    const expected: string[][] = [[], [], []];
    for (let round = 0; round < 10; round += 1) {
      for (const email of ["ada@example.com", "grace@example.com"]) {
        const ids = await postOpens(2, email);
        emails.forEach((wanted, index) => {
          if (wanted === undefined || wanted === email) expected[index]?.push(...ids);
        });
        proxy.cutAll();
      }
    }
    await Promise.all(listeners.map((listener, index) => listener.has(expected[index]?.length as number)));
    expect(listeners.map(({ results }) => results)).toEqual(expected);
  });

  it("go on when one of them meets a gap", async () => {
    connectTo(proxied());
    const whole = await listen(LIBRARIES[0] as Library);
    const foreign = new Listener<{ data?: { eventReceived: { messageId: string } } | null | undefined }>();
    const query = "subscription ($from: Cursor) { eventReceived(after: $from) { messageId } }";
    const told = new Promise<void>((resolve) => {
      client.on("message", (message) => {
        if (message.type === "error") resolve();
      });
    });
    let closed = 0;
    client.on("closed", () => {
      closed += 1;
    });
    client.subscribe({ query, variables: { from: "a cursor of another log" } }, foreign);
    await told;
    const expected = await postOpens(2);
    await Promise.all([whole.has(2), foreign.has(2)]);
    expect(whole.results).toEqual(expected);
    expect(foreign.results.map(({ data }) => data?.eventReceived.messageId)).toEqual(expected);
    expect(gaps).toMatchObject([
      { code: "CURSOR_UNKNOWN", after: "a cursor of another log", head: expect.any(String), goesOn: "head" },
    ]);
    expect(closed).toBe(0);
  });
});
