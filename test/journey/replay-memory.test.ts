import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const EVENTS = 100_000;
const BATCH = 1_000;
/** What one replay may cost over the level after a first one. MB. */
const ALLOWED = 32;
const SELECTION = "{ id type email messageId message { subject tags } }";

let service: ServiceProcess;
let head: string;
/** Resident memory after the first replay. MB. */
let level: number;
beforeAll(async () => {
  service = await spawnService({ env: { RETENTION_EVENTS: String(2 * EVENTS) } });
  await using client = await connectSocket(service.socketUrl);
  head = client.ack.head;
  for (let first = 1; first <= EVENTS; first += BATCH) {
    const events = Array.from({ length: BATCH }, (_, index) => ({
      event: "open",
      msg: {
        _id: `m-${first + index}`,
        email: `u${first + index}@example.com`,
        subject: "Your order",
        tags: ["a", "b"],
      },
    }));
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${service.url}/mandrill`, { method: "POST", headers, body: JSON.stringify(events) });
    expect(answer.status).toBe(200);
  }
  // The first replay of each kind reads what later ones find in place.
  for (const open of [overSocket, overEventStream]) await replay(open, Number.POSITIVE_INFINITY);
  level = memory();
}, 60_000);
afterAll(() => service[Symbol.asyncDispose]());

/** Resident memory of the service. MB. */
function memory(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))?.[1]) * 1.024e-3;
}

/** Where events come from, one after the other, at the reader's pace. */
interface Source extends AsyncDisposable {
  /** Bytes that have come. */
  readonly bytes: number;
  /** Resolves to the id of the next event's message. */
  next(): Promise<string>;
  pause(): void;
  resume(): void;
}

async function overSocket(): Promise<Source> {
  const client = await connectSocket(service.socketUrl);
  let bytes = 0;
  client.socket.on("message", (data: Buffer) => {
    bytes += data.length;
  });
  client.subscribe("1", `subscription { eventReceived ${SELECTION} }`, { extensions: { after: head } });
  return {
    get bytes() {
      return bytes;
    },
    next: async () => (await client.next("1")).payload.data.eventReceived.messageId,
    pause: () => client.socket.pause(),
    resume: () => client.socket.resume(),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function overEventStream(): Promise<Source> {
  const query = `subscription { eventReceived(after: "${head}") ${SELECTION} }`;
  const stream = await openEventStream(`${service.url}/graphql?query=${encodeURIComponent(query)}`);
  let bytes = 0;
  stream.response.on("data", (text: string) => {
    bytes += text.length;
  });
  return {
    get bytes() {
      return bytes;
    },
    next: async () => (await stream.nextEvent()).data.data.eventReceived.messageId,
    pause: stream.pause,
    resume: stream.resume,
    [Symbol.asyncDispose]: async () => stream[Symbol.dispose](),
  };
}

/** Reads all events at so many bytes a second at the most; resolves to the most memory seen meanwhile. */
async function replay(open: () => Promise<Source>, bytesPerSecond: number): Promise<number> {
  await using source = await open();
  const begun = performance.now();
  let most = 0;
  const pace = setInterval(() => {
    most = Math.max(most, memory());
    if (source.bytes > (bytesPerSecond * (performance.now() - begun)) / 1_000) source.pause();
    else source.resume();
  }, 5);
  try {
    for (let number = 1; number <= EVENTS; number += 1) {
      const id = await source.next();
      if (id !== `m-${number}`) throw new Error(`event ${number} is ${id}`);
    }
  } finally {
    clearInterval(pace);
  }
  return most;
}

it.each([
  ["a WebSocket, at full speed", overSocket, Number.POSITIVE_INFINITY],
  ["a WebSocket, at 1 MB a second", overSocket, 1_000_000],
  ["an event stream, at full speed", overEventStream, Number.POSITIVE_INFINITY],
  ["an event stream, at 1 MB a second", overEventStream, 1_000_000],
])(
  "a replay of 100,000 events over %s costs at most 32 MB, and gives each once and in order",
  async (_what, open, bytesPerSecond) => {
    expect((await replay(open, bytesPerSecond)) - level).toBeLessThanOrEqual(ALLOWED);
  },
  90_000,
);
