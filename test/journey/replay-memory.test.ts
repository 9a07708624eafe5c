import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const EVENTS = 100_000;
const BATCH = 1_000;
/** What one replay may cost over the level after a first one. MB. */
const ALLOWED = 32;
const QUERY = "subscription { eventReceived { id type email messageId message { subject tags } } }";

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
  await using client = await connectSocket(service.socketUrl);
  const begun = performance.now();
  let bytes = 0;
  let received = 0;
  let most = 0;
  const done = Promise.withResolvers<void>();
  client.socket.removeAllListeners("message");
  client.socket.on("message", (data: Buffer) => {
    bytes += data.length;
    const message = JSON.parse(String(data));
    if (message.type === "ping") client.send({ type: "pong" });
    if (message.type !== "next") return;
    received += 1;
    if (message.payload.data.eventReceived.messageId !== `m-${received}`)
      done.reject(new Error(`event ${received} is another`));
    if (received === EVENTS) done.resolve();
  });
  const pace = setInterval(() => {
    most = Math.max(most, memory());
    if (bytes > (bytesPerSecond * (performance.now() - begun)) / 1_000) client.socket.pause();
    else client.socket.resume();
  }, 5);
  client.subscribe("1", QUERY, { extensions: { after: head } });
  await done.promise.finally(() => clearInterval(pace));
  return most;
}

it.each([
  ["at full speed", Number.POSITIVE_INFINITY],
  ["at 1 MB a second", 1_000_000],
])(
  "a replay of 100,000 events %s costs at most 32 MB, and gives each once and in order",
  async (_what, bytesPerSecond) => {
    expect((await replay(bytesPerSecond)) - level).toBeLessThanOrEqual(ALLOWED);
  },
  60_000,
);
