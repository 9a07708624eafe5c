import { readFileSync } from "node:fs";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const EVENTS = 100_000;
const BATCH = 1_000;
/** What one replay may cost over the level after a first one. MB. */
const ALLOWED = 32;
/**
 * V8 gives its young generation the size that `npm start` allows sooner or later, as it happens: it has it from the
 * start here, or what a replay costs would be more by as much as was lacking after the first.
 */
const WHOLE_YOUNG_GENERATION = ["--min-semi-space-size=16"];
const SELECTION = "{ id type email messageId message { subject tags } }";

/** A listener behind a place: every text that comes, and a hand on its flow. */
interface Listener extends Disposable {
  pause(): unknown;
  resume(): unknown;
}

type Listen = (service: ServiceProcess, after: string, onText: (text: string) => void) => Promise<Listener>;

const overSocket: Listen = async (service, after, onText) => {
  const client = await connectSocket(service.socketUrl);
  const { socket } = client;
  socket.removeAllListeners("message");
  socket.on("message", (data: Buffer) => {
    const text = String(data);
    if (text.startsWith('{"type":"ping"')) client.send({ type: "pong" });
    onText(text);
  });
  client.subscribe("1", `subscription { eventReceived ${SELECTION} }`, { extensions: { after } });
  return {
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket.terminate(),
  };
};

const overEventStream =
  (pathOf: (after: string) => string): Listen =>
  (service, after, onText) =>
    new Promise((resolve, reject) => {
      const request = get(`${service.url}${pathOf(after)}`, { headers: { accept: "text/event-stream" } });
      request.once("error", reject);
      request.once("response", (response) => {
        response.setEncoding("utf8").on("data", onText);
        resolve({
          pause: () => response.pause(),
          resume: () => response.resume(),
          [Symbol.dispose]: () => response.destroy(),
        });
      });
    });

const graphqlPath = (after: string): string =>
  `/graphql?query=${encodeURIComponent(`subscription { eventReceived(after: "${after}") ${SELECTION} }`)}`;

describe.each<[string, Listen]>([
  ["a WebSocket", overSocket],
  ["GraphQL's event stream", overEventStream(graphqlPath)],
  ["the plain event stream", overEventStream((after) => `/events?after=${after}`)],
])("a replay of 100,000 events over %s costs at most 32 MB, and gives each once and in order", (_name, listen) => {
  let service: ServiceProcess;
  let head: string;
  /** Resident memory after the first replay. MB. */
  let level: number;
  beforeAll(async () => {
    service = await spawnService({ env: { RETENTION_EVENTS: String(2 * EVENTS) }, flags: WHOLE_YOUNG_GENERATION });
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
    // The first replay reads what later ones find in place.
    await replay(Number.POSITIVE_INFINITY);
    level = memory();
  }, 60_000);
  afterAll(() => service[Symbol.asyncDispose]());

  /** Resident memory of the service. MB. */
  function memory(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))?.[1]) * 1.024e-3;
  }

  /** Reads all events at so many bytes a second at the most; resolves to the most memory seen meanwhile. */
  async function replay(bytesPerSecond: number): Promise<number> {
    const begun = performance.now();
    let [bytes, received, most] = [0, 0, 0];
    let rest = "";
    const done = Promise.withResolvers<void>();
    using listener = await listen(service, head, (text) => {
      bytes += text.length;
      const unread = rest + text;
      let end = 0;
      for (const { 0: whole, 1: number, index } of unread.matchAll(/"messageId":"m-(\d+)"/g)) {
        received += 1;
        if (number !== String(received)) done.reject(new Error(`event ${received} is number ${number}`));
        end = index + whole.length;
      }
      rest = unread.slice(end);
      if (received === EVENTS) done.resolve();
    });
    const pace = setInterval(() => {
      most = Math.max(most, memory());
      if (bytes > (bytesPerSecond * (performance.now() - begun)) / 1_000) listener.pause();
      else listener.resume();
    }, 5);
    await done.promise.finally(() => clearInterval(pace));
    return most;
  }

  it.each([
    ["at full speed", Number.POSITIVE_INFINITY],
    ["at 1 MB a second", 1_000_000],
  ])(
    "%s",
    async (_what, bytesPerSecond) => {
      expect((await replay(bytesPerSecond)) - level).toBeLessThanOrEqual(ALLOWED);
    },
    90_000,
  );
});
