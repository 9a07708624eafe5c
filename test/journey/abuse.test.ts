import { once } from "node:events";
import type { Duplex } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type AbuseScene,
  abuseScene,
  answerTo,
  flood,
  rawExchange,
  TOKEN,
  tally,
  WEBHOOK,
} from "../harness/abuse-scene.ts";
import { signedForm, signedParameters } from "../harness/mandrill-post.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

/** What the service may take while it is attacked. MB. */
const MEMORY_BOUND = 512;
/** What a healthy subscriber waits for an event meanwhile. Milliseconds. */
const P99_BOUND = 250;

const BEARER = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { "content-type": "application/json" };

let scene: AbuseScene;
beforeAll(async () => {
  scene = await abuseScene();
});
afterAll(() => scene[Symbol.asyncDispose]());
afterEach(() => expect(scene.memory()).toBeLessThan(MEMORY_BOUND));

/** Attacks, and demands that nobody else has noticed. */
async function attacked<T>(attack: () => Promise<T>): Promise<T> {
  const { result, p99 } = await scene.during(attack);
  expect(p99).toBeLessThan(P99_BOUND);
  return result;
}

function streamOf(client: SocketClient): Duplex {
  return (client.socket as unknown as { _socket: Duplex })._socket;
}

/** Header of a frame from a client, RFC 6455 section 5.2, with a mask of zeros. */
function frame(opcode: number, payload: Buffer, { masked = true, fin = true } = {}): Buffer {
  const header = Buffer.from([
    (fin ? 0x80 : 0) | opcode,
    (masked ? 0x80 : 0) | 126,
    payload.length >> 8,
    payload.length & 0xff,
  ]);
  return Buffer.concat([header, ...(masked ? [Buffer.alloc(4)] : []), payload]);
}

describe("frames", () => {
  const text = Buffer.from('{"type":"ping"}');

  it.each([
    ["larger than may be", (client: SocketClient) => client.send(" ".repeat(70_000)), 1009],
    [
      "that announce more than may be, and send nothing",
      (client: SocketClient) =>
        streamOf(client).write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])),
      1009,
    ],
    [
      "in pieces without an end",
      (client: SocketClient) => {
        for (let n = 0; n < 70; n += 1)
          streamOf(client).write(frame(n === 0 ? 1 : 0, Buffer.alloc(1_000, 0x20), { fin: false }));
      },
      1009,
    ],
    ["without a mask", (client: SocketClient) => streamOf(client).write(frame(1, text, { masked: false })), 1002],
    ["of an opcode that there is not", (client: SocketClient) => streamOf(client).write(frame(3, text)), 1002],
    ["that are no UTF-8", (client: SocketClient) => streamOf(client).write(frame(1, Buffer.from([0xc3, 0x28]))), 1007],
    ["that are no JSON", (client: SocketClient) => client.send("{"), 4400],
    ["nested deeper than a stack", (client: SocketClient) => client.send("[".repeat(60_000)), 4400],
    ["with something in the place of a type", (client: SocketClient) => client.send('{"type":{"__proto__":1}}'), 4400],
  ] as const)("%s end their sockets, by the hundred", async (_what, send, code) => {
    const codes = await attacked(() =>
      flood(100, 5, async () => {
        const client = await scene.connect();
        send(client);
        return (await client.closed).code;
      }),
    );
    expect(tally(codes)).toEqual({ [code]: 100 });
  });

  it("as many as 10,000 subscribes on one socket are refused, and end it", async () => {
    const { codes, close } = await attacked(async () => {
      const client = await scene.connect();
      const refused: string[] = [];
      client.socket.on("message", (data) => {
        const { type, payload } = JSON.parse(String(data));
        if (type === "error") refused.push(payload[0].extensions.code);
      });
      for (let n = 0; n < 10_000; n += 1) client.subscribe(`s${n}`, "subscription { eventReceived { id } }");
      return { codes: refused, close: await client.closed };
    });
    expect(close).toEqual({ code: 4429, reason: expect.stringContaining("MAX_MESSAGES_PER_MINUTE") });
    expect(Object.keys(tally(codes))).toEqual(["LIMIT_EXCEEDED"]);
    // How many are told so before the end depends on how many messages arrive in one read.
    expect(codes.length).toBeGreaterThan(0);
  });
});

describe("documents", () => {
  const bomb = `{ ${Array.from({ length: 100 }, (_, n) => `a${n}: recentEvents(first: 500) { nodes { id raw } }`).join(" ")} }`;

  it("that ask for everything a hundred times over are refused, over HTTP and WebSocket", async () => {
    const codes = await attacked(async () => {
      const client = await scene.connect();
      const overHttp = await flood(500, 4, (n) =>
        answerTo(`${scene.service.url}/graphql`, {
          headers: { ...BEARER, ...JSON_TYPE },
          // Each is another one: nothing is remembered of it.
          body: JSON.stringify({ query: `${bomb} # ${n}` }),
        }),
      );
      const overSocket = await flood(500, 4, async (n) => {
        client.subscribe(`b${n}`, `${bomb} # ${n}`);
        return (await client.next(`b${n}`)).payload[0].extensions.code;
      });
      client.socket.terminate();
      return [...overHttp, ...overSocket];
    });
    expect(tally(codes)).toEqual({ "200 LIMIT_EXCEEDED": 500, LIMIT_EXCEEDED: 500 });
  });

  it.each([
    [
      "variables nested as deep as fits",
      `{"query":"query($a:Int){recentEvents(first:$a){head}}","variables":{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`,
      "200 BAD_USER_INPUT",
    ],
    [
      "variables nested 100,000 deep",
      `{"query":"{__typename}","variables":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
      "413 BODY_TOO_LARGE",
    ],
    ["a document nested as deep as fits", JSON.stringify({ query: "{ a ".repeat(2_400) }), "200 LIMIT_EXCEEDED"],
    ["lists nested as deep as fits", JSON.stringify({ query: `{ a(b: ${"[".repeat(9_900)}) }` }), "200 LIMIT_EXCEEDED"],
    ["a body that is no object", "[[[[1]]]]", "400 BAD_USER_INPUT"],
    ["`__proto__` for a body", '{"__proto__":{"query":"{__typename}"}}', "400 BAD_USER_INPUT"],
    [
      "`__proto__` for variables",
      '{"query":"query($__proto__:Int){recentEvents(first:$__proto__){head}}","variables":{"__proto__":7}}',
      "200",
    ],
    [
      "a lone surrogate and NUL in a filter",
      '{"query":"query($e:String){recentEvents(email:$e){head}}","variables":{"e":"\\ud800\\u0000"}}',
      "200",
    ],
    [
      "a number of 400 digits",
      `{"query":"query($a:Int){recentEvents(first:$a){head}}","variables":{"a":${"9".repeat(400)}}}`,
      "200 BAD_USER_INPUT",
    ],
  ])("with %s are answered", async (_what, body, answer) => {
    const headers = { ...BEARER, ...JSON_TYPE, accept: "application/json" };
    expect(await answerTo(`${scene.service.url}/graphql`, { headers, body })).toBe(answer);
  });
});

describe("connections that never come to anything", () => {
  const HANDSHAKE = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

  it("half-open handshakes are given up by the hundred", async () => {
    const answers = await attacked(() => flood(300, 300, () => rawExchange(scene.service.url, HANDSHAKE)));
    expect(tally(answers)).toEqual({ "HTTP/1.1 408 Request Timeout": 300 });
  });

  it("headers that come a byte at a time are given up too", async () => {
    const answers = await attacked(() =>
      flood(200, 200, () =>
        rawExchange(scene.service.url, `${HANDSHAKE}X-Slow: `, (socket) => {
          const drip = setInterval(() => socket.write("x"), 100);
          return () => clearInterval(drip);
        }),
      ),
    );
    expect(tally(answers)).toEqual({ "HTTP/1.1 408 Request Timeout": 200 });
  });

  it("sockets that never say who they are are ended", async () => {
    const codes = await attacked(() =>
      flood(300, 300, async () => {
        const client = await connectSocket(scene.service.socketUrl, { init: false });
        return (await client.closed).code;
      }),
    );
    expect(tally(codes)).toEqual({ 4408: 300 });
  });
});

describe("strangers", () => {
  it("who try a thousand tokens a second get 401 for each, and 4401 on a socket", async () => {
    const answers = await attacked(() =>
      flood(2_000, 20, (n) =>
        answerTo(`${scene.service.url}/graphql?query={__typename}`, {
          method: "GET",
          headers: { authorization: `Bearer ${n % 2 === 0 ? `guess-${n}` : `eyJhbGciOiJub25lIn0.${n}.a`}` },
        }),
      ),
    );
    expect(tally(answers)).toEqual({ "401 UNAUTHENTICATED": 2_000 });
    const codes = await attacked(() =>
      flood(200, 20, async (n) => {
        const client = await connectSocket(scene.service.socketUrl, { init: false });
        client.send({ type: "connection_init", payload: { authorization: `Bearer guess-${n}` } });
        return (await client.closed).code;
      }),
    );
    expect(tally(codes)).toEqual({ 4401: 200 });
  });
});

describe("/mandrill", () => {
  const url = (): string => `${scene.service.url}/mandrill`;

  it("takes no compressed bomb", async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000, "[]"));
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const answers = await attacked(() => flood(50, 5, () => answerTo(url(), { headers, body: bomb })));
    expect(tally(answers)).toEqual({ "415 UNSUPPORTED_MEDIA_TYPE": 50 });
  });

  it("takes no forged batch, however fast they come", async () => {
    const events = Array.from({ length: 100 }, (_, n) => ({ event: "open", msg: { _id: `forged-${n}` } }));
    const { body, headers } = signedForm(events, { ...WEBHOOK, key: "another-key" });
    const answers = await attacked(() => flood(1_000, 10, () => answerTo(url(), { headers, body })));
    expect(tally(answers)).toEqual({ "401 SIGNATURE_MISMATCH": 1_000 });
  });

  it("takes no body larger than may be, nor waits for its end", async () => {
    const head = `POST /mandrill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${10 ** 12}\r\n\r\n[`;
    expect(await rawExchange(scene.service.url, head)).toBe("HTTP/1.1 413 Payload Too Large");
  });

  const deep = (depth: number): string => `[{"event":"open","msg":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}]`;
  const event = (field: string): string => `[{"event":"open","msg":{"_id":"odd","email":"ada@example.com",${field}}}]`;

  it.each([
    ["nested 100,000 deep", deep(100_000), "200"],
    ["nested 100,000 deep and never closed", "[".repeat(100_000), "400 BATCH_MALFORMED"],
    ["with `__proto__` for a key", event('"__proto__":{"polluted":true},"constructor":{"prototype":1}'), "200"],
    ["with lone surrogates and NUL", event('"subject":"\\ud800\\u0000\\udfff","tags":["\\u0000","\\ud83d"]'), "200"],
    [
      "with numbers of 400 digits",
      event(`"ts":${"9".repeat(400)},"metadata":{"n":-${"9".repeat(400)}e${"9".repeat(400)}}`),
      "200",
    ],
    ["of another type throughout", '[null,1,"a",[],{},{"event":[]},{"event":"open","msg":"a","ts":"b"}]', "200"],
  ])("keeps or refuses a signed batch %s, and never fails", async (_what, text, answer) => {
    const { body, headers } = signedParameters({ mandrill_events: text }, WEBHOOK);
    expect(await answerTo(url(), { headers, body })).toBe(answer);
  });

  it.each([
    ["duplicate keys", "mandrill_events=%5B%5D&mandrill_events=%5B%5D", {}, /^(?:400|401) /],
    [
      "a charset that is not UTF-8",
      "mandrill_events=%5B%5D",
      { "content-type": "application/x-www-form-urlencoded; charset=utf-16" },
      /^415 /,
    ],
    ["percents that are no escapes", "mandrill_events=%zz%", {}, /^(?:400|401) /],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x3d, 0xff]), {}, /^(?:400|401) /],
  ])("refuses a form with %s", async (_what, body, headers, answer) => {
    const type = { "content-type": "application/x-www-form-urlencoded", "x-mandrill-signature": "AAAA" };
    expect(await answerTo(url(), { headers: { ...type, ...headers }, body })).toMatch(answer);
  });
});

it("after all of this everything that was taken can be read, and nobody's prototype has changed", async () => {
  const client = await scene.connect();
  client.subscribe(
    "all",
    '{ recentEvents(email: "ada@example.com") { nodes { id name email raw message { subject tags metadata sentAt } } } }',
  );
  const { payload } = await client.next("all");
  expect(payload.errors).toBeUndefined();
  expect(payload.data.recentEvents.nodes).toHaveLength(3);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  client.socket.close();
  await once(client.socket, "close");
});
