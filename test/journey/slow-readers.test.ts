import { readFileSync } from "node:fs";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { startStallingReaders } from "../harness/stalling-readers.ts";

const READERS = 500;
/** Low, since the kernel takes its part first. */
const MAX_BUFFERED_BYTES = 256 * 1024;
/** Turns of all readers reading, and then half of them standing still; windows of either part, and events of each. */
const TURNS = 2;
const WINDOWS = 5;
const WINDOW = 60;
const EVENTS = WINDOWS * WINDOW;
/** With two thirds of them the kernel has taken what it takes for one socket, and the bound is reached. */
const EVENT_BYTES = 6_000;
const ALL = "subscription { eventReceived { messageId raw } }";

let service: ServiceProcess;
let healthy: HealthyReaders;
let posted = 0;
/** The most memory that was seen lately. Bytes. */
let most = 0;
beforeAll(async () => {
  service = await spawnService({
    env: {
      MAX_BUFFERED_BYTES: String(MAX_BUFFERED_BYTES),
      // Whoever stands still is to be found as it is, after the test's own time: no ping, no stall may end it before.
      PING_SECONDS: "600",
      STALL_SECONDS: "600",
      // What the log keeps in memory is at its most before anyone stands still.
      RECENT_ENTRIES: String(EVENTS / 2),
    },
  });
  healthy = await HealthyReaders.connect(service.socketUrl, READERS);
});
afterAll(async () => {
  healthy.close();
  await service[Symbol.asyncDispose]();
});

/** Readers in this process, which only look which event a frame holds. */
class HealthyReaders {
  /** How long each frame of the event that was posted last took. Milliseconds. */
  latencies: number[] = [];
  readonly #sockets: readonly WebSocket[];
  #newest = 0;
  #postedAt = 0;
  #arrived = Promise.withResolvers<void>();

  private constructor(sockets: readonly WebSocket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) {
      socket.on("message", (data: Buffer) => {
        const number = Number(/"messageId":"event-(\d+)"/.exec(data.toString("latin1", 0, 200))?.[1]);
        if (number === this.#newest) this.#arrival();
        else this.#arrived.reject(new Error(`event ${number} came instead of ${this.#newest}`));
      });
      socket.on("close", (code) => this.#arrived.reject(new Error(`a healthy reader was closed with ${code}`)));
    }
  }

  static async connect(url: string, count: number): Promise<HealthyReaders> {
    return new HealthyReaders(await Promise.all(Array.from({ length: count }, () => subscribed(url))));
  }

  /** Posts the event of this number; resolves to how long it took to each reader. */
  async post(number: number): Promise<readonly number[]> {
    this.latencies = [];
    this.#newest = number;
    this.#arrived = Promise.withResolvers();
    this.#postedAt = performance.now();
    await post([{ event: "open", msg: { _id: `event-${number}` }, padding: "x".repeat(EVENT_BYTES) }]);
    await this.#arrived.promise;
    return this.latencies;
  }

  #arrival(): void {
    this.latencies.push(performance.now() - this.#postedAt);
    if (this.latencies.length === this.#sockets.length) this.#arrived.resolve();
  }

  close(): void {
    for (const socket of this.#sockets)
      socket
        .removeAllListeners()
        .on("error", () => {})
        .terminate();
  }
}

async function post(events: readonly object[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${service.url}/mandrill`, { method: "POST", headers, body: JSON.stringify(events) });
  expect(answer.status).toBe(200);
}

/** Subscriptions of the service, as it says itself. */
async function running(): Promise<number> {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^mandrill_live_subscribers(?:{.*})? (\d+)$/m.exec(metrics)?.[1]);
}

/** A socket whose subscription runs: its ping, sent behind the subscribe message, has been answered. */
function subscribed(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL);
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.once("error", reject);
    socket.once("open", () => send({ type: "connection_init" }));
    socket.on("message", (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === "connection_ack") {
        send({ id: "1", type: "subscribe", payload: { query: ALL, extensions: { after: payload.head } } });
        send({ type: "ping" });
      }
      if (type !== "pong") return;
      socket.removeAllListeners("message");
      resolve(socket);
    });
  });
}

/** Posts the events of one part of a turn, one after the other; resolves to each window's {@link p99}. */
async function load(): Promise<readonly number[]> {
  const found: number[] = [];
  for (let window = 0; window < WINDOWS; window += 1) {
    const latencies: number[] = [];
    for (let event = 0; event < WINDOW; event += 1) {
      posted += 1;
      latencies.push(...(await healthy.post(posted)));
      most = Math.max(most, memory());
    }
    found.push(p99(latencies));
  }
  return found;
}

/** What one of a hundred frames took longer than. Milliseconds from POST to frame. */
function p99(latencies: readonly number[]): number {
  return latencies.toSorted((one, other) => one - other)[Math.floor(latencies.length * 0.99)] as number;
}

/** Resident memory of the service. Bytes. */
function memory(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))?.[1]) * 1_024;
}

describe("500 sockets that stop reading among 500 that go on", () => {
  it("cost at most their bound and hold nobody up, are told that they lag, and resume completely", async () => {
    const port = Number(new URL(service.url).port);
    const before: number[] = [];
    const during: number[] = [];
    for (let turn = 1; turn <= TURNS; turn += 1) {
      {
        await using reading = await startStallingReaders(port, READERS, ALL, posted + 1);
        before.push(...(await load()));
        await reading.reached(posted);
      }
      // New ones: for sockets that have read much the kernel keeps more.
      await using standing = await startStallingReaders(port, READERS, ALL, posted + 1);
      await standing.stop();
      const level = memory();
      most = level;
      during.push(...(await load()));
      expect(await running()).toBe(READERS);
      expect(most - level).toBeLessThanOrEqual(READERS * MAX_BUFFERED_BYTES);
      await standing.goOn();
      await standing.reached(posted);
      expect(await standing.lagged()).toBe(READERS);
    }
    // Whatever else the machine does makes some windows worse; what one reader does to another makes all of them worse.
    expect(Math.min(...during)).toBeLessThanOrEqual(1.25 * Math.min(...before) + 5);
  }, 180_000);
});
