import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Client, FormattedExecutionResult, SubscribePayload } from "graphql-ws";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import type { Gap, GapAnswer, Lag } from "../../../client/gap.ts";
import { createResumingClient, type ResumingClientOptions } from "../../../client/resuming-client.ts";
import { Listener } from "../../harness/listener.ts";
import {
  type ClientMessage,
  createScriptedSocketServer,
  LISTEN,
  type ScriptedSocketServer,
} from "../../harness/scripted-socket-server.ts";

type Heard = FormattedExecutionResult<{ readonly eventReceived: { readonly messageId: string } }>;

let server: ScriptedSocketServer;
let clients: Client[];
let waits: number[];
beforeEach(async () => {
  server = await createScriptedSocketServer();
  clients = [];
  waits = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(clients.map((client) => client.dispose()));
  await server.close();
});

function connect(options: Partial<ResumingClientOptions> = {}): Client {
  const retryWait = (attempt: number): Promise<void> => {
    waits.push(attempt);
    return Promise.resolve();
  };
  const client = createResumingClient({ url: server.url, retryWait, ...options });
  clients.push(client);
  return client;
}

class TextListener extends Listener<Heard> {
  get texts(): (string | undefined)[] {
    return this.results.map(({ data }) => data?.eventReceived.messageId);
  }
}

/** Subscribes; resolves when the server has the message. */
async function listen(
  client: Client,
  payload: Partial<SubscribePayload> = {},
): Promise<{ listener: TextListener; stop: () => void; message: ClientMessage }> {
  const listener = new TextListener();
  const stop = client.subscribe<NonNullable<Heard["data"]>>({ query: LISTEN, ...payload }, listener);
  return { listener, stop, message: await server.next("subscribe") };
}

/** Closes every socket from the server's side; resolves to the next subscribe message. */
function reconnect(code = 1012): Promise<ClientMessage> {
  for (const connection of server.connections) connection.close(code);
  return server.next("subscribe");
}

/** Pings, and resolves when a client has heard it. */
async function ping(): Promise<void> {
  server.ping();
  await server.next("pong");
}

/** Sockets go on in real time. */
const FAKED = ["setTimeout", "clearTimeout", "Date"] as const;

const NEVER = { email: "never" };

describe("a subscription's place", () => {
  it("is sent in extensions.after of a repeated message, of which nothing else changes", async () => {
    const given = {
      operationName: "Listen",
      query: LISTEN,
      variables: { email: "one", list: [{ deep: null }] },
      extensions: { persistedQuery: { version: 1, sha256Hash: "abc" } },
    };
    const kept = structuredClone(given);
    const { listener, message } = await listen(connect(), given);
    expect(message.payload).toEqual(kept);
    server.append("one", "two", "one");
    await listener.has(2);
    const repeated = await reconnect();
    expect(repeated.payload).toEqual({ ...kept, extensions: { ...kept.extensions, after: server.cursor(3) } });
    expect(given).toEqual(kept);
  });

  it("moves with every event, and nothing is delivered twice", async () => {
    const { listener } = await listen(connect());
    for (let round = 1; round <= 5; round += 1) {
      server.append(`live ${round}`);
      await listener.has(round * 2 - 1);
      for (const connection of server.connections) connection.close(1001);
      server.append(`missed ${round}`);
      expect((await server.next("subscribe")).payload.extensions.after).toBe(server.cursor(round * 2 - 1));
      await listener.has(round * 2);
    }
    expect(listener.texts).toEqual([1, 2, 3, 4, 5].flatMap((round) => [`live ${round}`, `missed ${round}`]));
  });

  it("is its connection's head when it is cut off before its first event, and stays so over further cuts", async () => {
    server.append("before");
    const { listener, message } = await listen(connect());
    expect(message.payload).toEqual({ query: LISTEN });
    for (let cut = 0; cut < 3; cut += 1) {
      // No await between: the client cannot have seen anything.
      for (const connection of server.connections) connection.close(1012);
      if (cut === 0) server.append("meanwhile");
      const { payload, connection } = await server.next("subscribe");
      expect(payload.extensions).toEqual({ after: server.cursor(cut === 0 ? 1 : 2) });
      expect(connection.running.size).toBe(1);
      await listener.has(1);
    }
    expect(listener.texts).toEqual(["meanwhile"]);
  });

  it("is what the last ping said when it was subscribed long after its connection began", async () => {
    const client = connect();
    await listen(client, { variables: NEVER });
    server.append("one", "two", "three");
    await ping();
    server.append("four");
    await listen(client);
    const messages = [await reconnect(), await server.next("subscribe")];
    expect(messages.map(({ payload }) => payload.extensions.after)).toEqual([server.cursor(3), server.cursor(3)]);
  });

  it("is what the application gave it when it is cut off before its first event", async () => {
    const client = connect();
    server.append("one", "two", "three");
    const byVariable = await listen(client, { variables: { ...NEVER, after: server.cursor(1) } });
    expect(byVariable.message.payload.extensions).toBeUndefined();
    const byExtension = await listen(client, { variables: NEVER, extensions: { after: server.cursor(2) } });
    expect(byExtension.message.payload.extensions).toEqual({ after: server.cursor(2) });
    const messages = [await reconnect(), await server.next("subscribe")];
    expect(messages.map(({ payload }) => payload.extensions.after)).toEqual([server.cursor(1), server.cursor(2)]);
    expect(messages[0]?.payload.variables.after).toBe(server.cursor(1));
  });

  it("moves with the pings where nothing matches, so that a log trimmed meanwhile is no gap", async () => {
    const gaps: Gap[] = [];
    const { listener } = await listen(connect({ onGap: (gap) => void gaps.push(gap) }), {
      variables: { email: "wanted" },
    });
    server.append("other", "other", "other");
    await ping();
    server.trim(3);
    expect((await reconnect()).payload.extensions.after).toBe(server.cursor(3));
    server.append("wanted");
    await listener.has(1);
    expect(gaps).toEqual([]);
  });

  it("is left alone by results without a cursor and by queries", async () => {
    const client = connect();
    const { message, listener } = await listen(client);
    message.connection.send({
      id: message.id,
      type: "next",
      payload: { data: { eventReceived: { messageId: "bare" } } },
    });
    message.connection.send({ id: message.id, type: "next", payload: { data: null, extensions: { cursor: 7 } } });
    await listener.has(2);
    const query = { query: "query Head { head }", variables: { after: "x" }, extensions: { client: "test" } };
    const asked = await listen(client, query);
    expect(asked.message.payload).toEqual(query);
    expect(await asked.listener.ended).toEqual({});
    expect(asked.listener.results).toEqual([{ data: { head: server.head } }]);
    expect((await reconnect()).payload.extensions.after).toBe(server.cursor(0));
  });

  it("is not moved by what a former socket still says", async () => {
    const sockets: WsWebSocket[] = [];
    class Recorded extends WsWebSocket {
      constructor(...given: ConstructorParameters<typeof WsWebSocket>) {
        super(...given);
        sockets.push(this);
      }
    }
    const client = connect({ webSocketImpl: Recorded });
    const { listener, message } = await listen(client);
    server.append("one");
    await listener.has(1);
    const say = (said: object): void => {
      sockets[0]?.onmessage?.({ data: JSON.stringify(said), type: "message", target: sockets[0] });
    };
    const next = { data: { eventReceived: { messageId: "late" } }, extensions: { cursor: server.cursor(9) } };
    const position = { type: "ping", payload: { positions: { [message.id ?? ""]: server.cursor(8) } } };
    sockets[0]?.on("error", () => {});
    client.terminate();
    say(position);
    expect((await server.next("subscribe")).payload.extensions.after).toBe(server.cursor(1));
    say({ id: message.id, type: "next", payload: next });
    say(position);
    sockets[0]?.onclose?.({ code: 4400, reason: "late", wasClean: true, type: "close", target: sockets[0] });
    server.append("two");
    await listener.has(2);
    expect(listener.texts).toEqual(["one", "two"]);
    expect((await reconnect()).payload.extensions.after).toBe(server.cursor(2));
  });
});

describe("a connection that ends", () => {
  it.each([1000, 1001, 1011, 1012, 1013, 1014, 4408, 4429, 4499, 4500, 4504])(
    "with the close code %i is made anew",
    async (code) => {
      const { listener } = await listen(connect());
      server.append("one");
      await listener.has(1);
      expect((await reconnect(code)).payload.extensions.after).toBe(server.cursor(1));
      server.append("two");
      await listener.has(2);
      expect(listener.texts).toEqual(["one", "two"]);
    },
  );

  it.each([1002, 1003, 1007, 1008, 1009, 4400, 4406, 4409])("with the close code %i is the end", async (code) => {
    const { listener, message } = await listen(connect());
    message.connection.close(code, "why");
    expect(await listener.ended).toMatchObject({ error: { code, reason: "why" } });
  });

  it("takes its operations along to one new connection, whatever it ended with", async () => {
    const client = connect();
    for (let count = 0; count < 3; count += 1) await listen(client);
    const repeated = [await reconnect(1011), await server.next("subscribe"), await server.next("subscribe")];
    expect(new Set(repeated.map(({ connection }) => connection)).size).toBe(1);
    expect(waits).toEqual([0]);
  });

  it("is made anew until the server is back, with a longer wait each time", async () => {
    const { port } = server;
    let fifth = (): void => {};
    const tried = new Promise<void>((resolve) => {
      fifth = resolve;
    });
    const retryWait = (attempt: number): Promise<void> => {
      waits.push(attempt);
      if (attempt === 4) fifth();
      return Promise.resolve();
    };
    const { listener } = await listen(connect({ retryWait }));
    await server.close();
    await tried;
    expect(waits).toEqual([0, 1, 2, 3, 4]);
    server = await createScriptedSocketServer({ port });
    server.append("one");
    await listener.has(1);
  });

  it("ends the operation when the application's own limits say so", async () => {
    const { listener, message } = await listen(connect({ shouldRetry: () => false }));
    message.connection.close(1011);
    expect(await listener.ended).toMatchObject({ error: { code: 1011 } });
    const other = await listen(connect({ retryAttempts: 0 }));
    other.message.connection.close(4500);
    expect(await other.listener.ended).toMatchObject({ error: { code: 4500 } });
  });

  it("is terminated when nothing has come for 40 seconds, and kept as long as anything comes", async () => {
    vi.useFakeTimers({ toFake: [...FAKED] });
    const { message } = await listen(connect());
    for (let round = 0; round < 3; round += 1) {
      vi.advanceTimersByTime(39_999);
      await ping();
    }
    expect([...server.connections]).toEqual([message.connection]);
    vi.advanceTimersByTime(40_000);
    expect((await server.next("subscribe")).connection).not.toBe(message.connection);
  });

  it("is terminated when it is not acknowledged in that time", async () => {
    server.onInit = () => false;
    vi.useFakeTimers({ toFake: [...FAKED] });
    const client = connect({ silenceTimeout: 1_000 });
    client.subscribe({ query: LISTEN }, new Listener());
    await server.next("connection_init");
    server.onInit = () => true;
    vi.advanceTimersByTime(1_000);
    await server.next("subscribe");
  });

  it("is terminated when its peer takes it in that time and says nothing", async () => {
    const taken: Socket[] = [];
    const mute = createServer((socket) => taken.push(socket)).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const urls = [`ws://127.0.0.1:${(mute.address() as AddressInfo).port}`];
    vi.useFakeTimers({ toFake: [...FAKED] });
    const client = connect({ url: () => urls.shift() ?? server.url });
    client.subscribe({ query: LISTEN }, new Listener());
    await once(mute, "connection");
    vi.advanceTimersByTime(40_000);
    await server.next("subscribe");
    for (const socket of taken) socket.destroy();
    mute.close();
  });

  it("may be silent for ever where the application says so", async () => {
    vi.useFakeTimers({ toFake: [...FAKED] });
    const { message } = await listen(connect({ silenceTimeout: 0 }));
    vi.advanceTimersByTime(10_000_000);
    await ping();
    expect([...server.connections]).toEqual([message.connection]);
  });

  it("asks a failing url function again, and tells its errors", async () => {
    const errors: unknown[] = [];
    const answers = [new Error("offline"), new Error("still offline"), server.url];
    const url = async (): Promise<string> => {
      const answer = answers.shift() ?? server.url;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    await listen(connect({ url, on: { error: (error) => errors.push(error) } }));
    expect(errors).toEqual([new Error("offline"), new Error("still offline")]);
    expect(waits).toEqual([0, 1]);
  });

  it("asks failing connectionParams again", async () => {
    const answers: (Error | Record<string, unknown>)[] = [new Error("offline"), { token: "fresh" }];
    const connectionParams = (): Record<string, unknown> => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? {};
    };
    await listen(connect({ connectionParams }));
    expect((await server.next("connection_init")).payload).toEqual({ token: "fresh" });
  });
});

describe("credentials that are refused", () => {
  it.each([4401, 4403])("by %i end the operations where they cannot change", async (code) => {
    const { listener, message } = await listen(connect({ connectionParams: { token: "old" } }));
    message.connection.close(code, "Token expired");
    expect(await listener.ended).toMatchObject({ error: { code } });
    expect(waits).toEqual([]);
  });

  it.each([4401, 4403])("by %i are asked for again, and the operations go on", async (code) => {
    let asked = 0;
    const connectionParams = (): Record<string, unknown> => {
      asked += 1;
      return { token: asked };
    };
    const client = connect({ connectionParams });
    const { listener } = await listen(client);
    await listen(client);
    server.append("one");
    await listener.has(1);
    for (let renewal = 0; renewal < 2; renewal += 1) {
      expect((await reconnect(code)).payload.extensions.after).toBe(server.cursor(1));
      await server.next("subscribe");
    }
    expect(asked).toBe(3);
  });

  it.each([4401, 4403])("by %i twice without an acknowledgement are the end", async (code) => {
    const { listener, message } = await listen(connect({ connectionParams: () => ({ token: "old" }) }));
    server.onInit = (connection) => {
      connection.close(code);
      return false;
    };
    message.connection.close(code);
    expect(await listener.ended).toMatchObject({ error: { code } });
    expect(waits).toEqual([0]);
  });
});

describe("a gap", () => {
  /** A client whose operation's place the log has trimmed: what it is told, and how it subscribes then. */
  async function fallBehind(answer?: (gap: Gap) => GapAnswer | undefined | Promise<GapAnswer>) {
    const gaps: Gap[] = [];
    const onGap = (gap: Gap) => {
      gaps.push(gap);
      return answer?.(gap);
    };
    const client = connect({ onGap });
    const sibling = await listen(client);
    const { listener } = await listen(client, { variables: NEVER });
    server.append("one", "two", "three", "four");
    await sibling.listener.has(4);
    server.trim(2);
    const messages = [await reconnect(), await server.next("subscribe")];
    return { client, gaps, listener, sibling: sibling.listener, connection: messages[0]?.connection };
  }

  it("is told with what is lost, and the operation goes on behind the oldest entry on the same socket", async () => {
    const { gaps, listener, sibling, connection } = await fallBehind();
    const repeated = await server.next("subscribe");
    expect(gaps).toEqual([
      {
        code: "CURSOR_EXPIRED",
        operation: { query: LISTEN, variables: NEVER },
        after: server.cursor(0),
        oldest: server.cursor(3),
        head: server.cursor(4),
        goesOn: "oldest",
      },
    ]);
    expect(repeated.payload).toEqual({ query: LISTEN, variables: NEVER, extensions: { after: server.cursor(3) } });
    expect(repeated.connection).toBe(connection);
    server.append("never", "five");
    await listener.has(1);
    await sibling.has(6);
    expect(listener.texts).toEqual(["never"]);
    expect(sibling.texts).toEqual(["one", "two", "three", "four", "never", "five"]);
  });

  it.each([
    ["behind the head", () => "head" as const, "a-4"],
    ["behind a cursor of its own", () => ({ after: "a-2" }), "a-2"],
    ["behind a cursor that it has fetched first", () => Promise.resolve({ after: "a-3" }), "a-3"],
  ])("can be answered: go on %s", async (_, answer, after) => {
    const { connection } = await fallBehind(answer);
    const repeated = await server.next("subscribe");
    expect(repeated.payload.extensions.after).toBe(after);
    expect(repeated.connection).toBe(connection);
  });

  it("can be answered: end, with the server's error", async () => {
    const { listener, sibling } = await fallBehind(() => "end");
    expect(await listener.ended).toMatchObject({ error: [{ extensions: { code: "CURSOR_EXPIRED" } }] });
    server.append("five");
    await sibling.has(5);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("no way on"))],
    [
      "rejects",
      () => {
        throw new Error("no way on");
      },
    ],
  ])("whose listener %s ends the operation with that", async (_, answer) => {
    const { listener } = await fallBehind(answer);
    expect(await listener.ended).toEqual({ error: new Error("no way on") });
  });

  it("ends the operation with the server's error where nobody listens for it", async () => {
    const { listener } = await listen(connect(), { variables: { after: "z-1" } });
    expect(await listener.ended).toMatchObject({ error: [{ extensions: { code: "CURSOR_UNKNOWN" } }] });
  });

  it("of a log that is another one now is told, and live operations go on behind its head", async () => {
    const gaps: Gap[] = [];
    const { listener, message } = await listen(connect({ onGap: (gap) => void gaps.push(gap) }));
    server.append("one");
    await listener.has(1);
    server.replaceLog("other", "another");
    const repeated = await server.next("subscribe");
    expect(gaps).toMatchObject([{ code: "CURSOR_UNKNOWN", after: "a-1", head: "b-2", goesOn: "head" }]);
    expect(repeated.payload.extensions.after).toBe("b-2");
    expect(repeated.connection).toBe(message.connection);
    server.append("three");
    await listener.has(2);
    expect(listener.texts).toEqual(["one", "three"]);
  });

  it("is told again each time, later and later while nothing comes between", async () => {
    let gaps = 0;
    const { listener } = await listen(
      connect({
        onGap: () => {
          gaps += 1;
          return gaps === 4 ? "end" : { after: "z-1" };
        },
      }),
      { variables: { after: "z-1" } },
    );
    expect(await listener.ended).toHaveProperty("error");
    expect(gaps).toBe(4);
    expect(waits).toEqual([1, 2]);
  });

  it("without a cursor to go on from begins behind its connection's head, if the application gave it a place", async () => {
    server.append("one");
    const variables = { after: server.cursor(0), ...NEVER };
    const { message } = await listen(connect({ onGap: () => undefined }), { variables });
    message.connection.fail(message.id, { code: "CURSOR_UNKNOWN", oldest: null, head: null });
    const { payload } = await server.next("subscribe");
    expect(payload).toEqual({ query: LISTEN, variables, extensions: { after: server.cursor(1) } });
  });

  it("goes on behind the head where the oldest entry is not told", async () => {
    const { message } = await listen(connect({ onGap: ({ goesOn }) => (goesOn === "head" ? "oldest" : "end") }));
    server.append("one");
    message.connection.fail(message.id, { code: "CURSOR_EXPIRED", oldest: null, head: server.head });
    expect((await server.next("subscribe")).payload.extensions).toEqual({ after: server.head });
  });

  it("without a cursor to go on from begins live", async () => {
    const { message } = await listen(connect({ onGap: () => undefined }));
    message.connection.fail(message.id, { code: "CURSOR_UNKNOWN", oldest: null, head: null });
    expect((await server.next("subscribe")).payload).toEqual({ query: LISTEN });
  });
});

describe("an operation's error", () => {
  const error = ({ connection, id }: ClientMessage, extensions: object): void => connection.fail(id, extensions);

  it("SUBSCRIBER_LAGGED resumes it where the server says, at once and on the same socket", async () => {
    const lags: Lag[] = [];
    const operation = { query: LISTEN, variables: { email: "one" } };
    const { listener, message } = await listen(connect({ onLag: (lag) => lags.push(lag) }), operation);
    server.append("one", "two", "three");
    await listener.has(1);
    error(message, { code: "SUBSCRIBER_LAGGED", after: server.cursor(3) });
    const repeated = await server.next("subscribe");
    expect(repeated.payload).toEqual({ ...operation, extensions: { after: server.cursor(3) } });
    expect(repeated.connection).toBe(message.connection);
    expect(repeated.id).not.toBe(message.id);
    expect(lags).toEqual([{ operation, after: server.cursor(3) }]);
    expect(waits).toEqual([]);
    error(repeated, { code: "SUBSCRIBER_LAGGED", after: null });
    expect((await server.next("subscribe")).payload.extensions).toEqual({ after: server.cursor(3) });
  });

  it.each(["LOG_UNAVAILABLE", "SHUTTING_DOWN"])("%s makes it wait and try again", async (code) => {
    const { listener, message } = await listen(connect());
    server.append("one");
    await listener.has(1);
    error(message, { code });
    const again = await server.next("subscribe");
    expect(again.payload.extensions).toEqual({ after: server.cursor(1) });
    error(again, { code });
    const third = await server.next("subscribe");
    expect(waits).toEqual([0, 1]);
    server.append("two");
    await listener.has(2);
    error(third, { code });
    await server.next("subscribe");
    expect(waits).toEqual([0, 1, 0]);
  });

  it.each([{ code: "BAD_USER_INPUT" }, { code: "LIMIT_EXCEEDED" }, { code: "INTERNAL" }, {}])(
    "%j is the application's",
    async (extensions) => {
      const { listener, message } = await listen(connect());
      error(message, extensions);
      expect(await listener.ended).toEqual({ error: [{ message: "told", extensions }] });
    },
  );
});

describe("an application", () => {
  it("whose sink throws has that operation ended with what it threw, and no other", async () => {
    const client = connect();
    const { listener, message } = await listen(client);
    const thrown = await new Promise((resolve) => {
      const next = (): never => {
        throw new Error("out of paint");
      };
      client.subscribe({ query: LISTEN }, { next, error: resolve, complete: () => resolve("complete") });
      void server.next("subscribe").then(() => server.append("one"));
    });
    expect(thrown).toEqual(new Error("out of paint"));
    expect(await server.next("complete")).toMatchObject({ connection: message.connection });
    server.append("two");
    await listener.has(2);
  });

  it("stops an operation once, and hears nothing of it any more", async () => {
    const client = connect();
    const { listener, stop, message } = await listen(client);
    const other = await listen(client);
    stop();
    stop();
    expect(await listener.ended).toEqual({});
    expect((await server.next("complete")).id).toBe(message.id);
    server.append("one");
    await other.listener.has(1);
    expect(listener.results).toEqual([]);
    expect(listener.ends).toBe(1);
  });

  it("stops an operation that waits for its next attempt", async () => {
    let due = (): void => {};
    const retryWait = () =>
      new Promise<void>((resolve) => {
        due = resolve;
      });
    const client = connect({ retryWait });
    const other = await listen(client);
    const { listener, stop, message } = await listen(client);
    message.connection.fail(message.id, { code: "LOG_UNAVAILABLE" });
    server.append("one");
    await other.listener.has(1);
    stop();
    due();
    expect(await listener.ended).toEqual({});
    const third = await listen(client);
    expect(third.message.connection.running.size).toBe(2);
  });

  it("ends everything by dispose, also while no server answers", async () => {
    const client = createResumingClient({ url: server.url });
    const { listener } = await listen(client);
    vi.useFakeTimers({ toFake: [...FAKED] });
    const closed = new Promise((resolve) => client.on("closed", resolve));
    await server.close();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(1);
    await client.dispose();
    expect(await listener.ended).toEqual({});
    expect(listener.ends).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends by dispose what waits for its next attempt, and connects no more", async () => {
    vi.useFakeTimers({ toFake: [...FAKED] });
    const client = createResumingClient({ url: server.url });
    const { listener, message } = await listen(client);
    const closed = new Promise((resolve) => client.on("closed", resolve));
    message.connection.fail(message.id, { code: "LOG_UNAVAILABLE" });
    await closed;
    let connecting = 0;
    client.on("connecting", () => {
      connecting += 1;
    });
    await client.dispose();
    expect(await listener.ended).toEqual({});
    await new Promise((resolve) => setImmediate(resolve));
    expect(connecting).toBe(0);
  });

  it("iterates over what comes, through disconnects, until it leaves", async () => {
    const client = connect();
    const iterator = client.iterate<NonNullable<Heard["data"]>>({ query: LISTEN });
    await server.next("subscribe");
    const texts: (string | undefined)[] = [];
    server.append("one", "two");
    for await (const { data } of iterator) {
      texts.push(data?.eventReceived.messageId);
      if (texts.length === 2) {
        await reconnect();
        server.append("three");
      }
      if (texts.length === 3) {
        server.append("never seen");
        await ping();
        break;
      }
    }
    expect(texts).toEqual(["one", "two", "three"]);
    await server.next("complete");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("has what ends an operation thrown by its iterator", async () => {
    const iterator = connect().iterate({ query: LISTEN });
    const message = await server.next("subscribe");
    message.connection.close(4400, "why");
    await expect(iterator.next()).rejects.toMatchObject({ code: 4400 });
  });

  it("wakes an iterator that waits by returning it", async () => {
    const iterator = connect().iterate({ query: LISTEN });
    await server.next("subscribe");
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("may bring its own ids", async () => {
    const ids = ["first", "second"];
    const client = connect({ generateID: ({ variables }) => `${ids.shift()} ${variables?.email}` });
    const { message } = await listen(client, { variables: NEVER });
    expect(message.id).toBe("first never");
    server.append("one");
    await ping();
    expect((await reconnect()).payload.extensions.after).toBe(server.cursor(1));
  });

  it("may keep its connection open without an operation", async () => {
    connect({ lazy: false });
    const first = await server.next("connection_init");
    first.connection.close(1012);
    const second = await server.next("connection_init");
    expect(second.connection).not.toBe(first.connection);
  });
});
