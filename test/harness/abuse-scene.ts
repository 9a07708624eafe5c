import { readFileSync } from "node:fs";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { post, type SavedWebhook, signedForm } from "./mandrill-post.ts";
import { type ServiceProcess, spawnService } from "./service-process.ts";
import { connectSocket, type SocketClient } from "./socket-client.ts";

export const TOKEN = "a-static-token-of-some-length";
export const WEBHOOK: SavedWebhook = { url: "https://live.example.com/mandrill", key: "a-webhook-key" };

/** How a healthy subscriber fared while something was going on. */
export interface Fared {
  /**
   * From POST to frame, of 99 events in 100. What the two processes waited for a core, because others had it, is left
   * out: it tells of the machine. Milliseconds.
   */
  readonly p99: number;
}

/** A service of its own process under attack, and one healthy subscriber who listens to it. */
export interface AbuseScene extends AsyncDisposable {
  readonly service: ServiceProcess;
  /** Posts and listens for as long as the attack lasts, and 100 times at the least. */
  during<T>(attack: () => Promise<T>): Promise<{ readonly result: T } & Fared>;
  /** Resident memory of the service. MB. */
  memory(): number;
  /** A socket that is let in. */
  connect(): Promise<SocketClient>;
}

const LEAST_PROBES = 100;

export async function abuseScene(): Promise<AbuseScene> {
  const service = await spawnService({
    env: {
      LOG_LEVEL: "error",
      ACCESS_TOKENS: TOKEN,
      MANDRILL_WEBHOOK_URLS: WEBHOOK.url,
      MANDRILL_WEBHOOK_KEYS: WEBHOOK.key,
      HEADERS_SECONDS: "1",
      BODY_IDLE_SECONDS: "1",
    },
  });
  const open = (): Promise<SocketClient> =>
    connectSocket(service.socketUrl, { init: { authorization: `Bearer ${TOKEN}` } });
  const healthy = await open();
  healthy.subscribe("healthy", 'subscription { eventReceived(tag: "probe") { messageId } }', {
    extensions: { after: healthy.ack.head },
  });
  let probes = 0;
  const probe = async (): Promise<number> => {
    probes += 1;
    const id = `probe-${probes}`;
    const waitedBefore = waitedForCore(service.pid);
    const began = performance.now();
    const posted = post(service.url, signedForm([{ event: "open", msg: { _id: id, tags: ["probe"] } }], WEBHOOK));
    const { payload } = await healthy.next("healthy");
    const latency = performance.now() - began - (waitedForCore(service.pid) - waitedBefore);
    if (payload.data.eventReceived.messageId !== id) throw new Error(`the probe ${id} was lost`);
    if ((await posted).status !== 200) throw new Error(`the probe ${id} was not taken`);
    return latency;
  };
  return {
    service,
    async during(attack) {
      const latencies: number[] = [];
      let isOver = false;
      const attacked = attack().finally(() => {
        isOver = true;
      });
      attacked.catch(() => {});
      while (!isOver || latencies.length < LEAST_PROBES) latencies.push(await probe());
      return { result: await attacked, p99: p99Of(latencies) };
    },
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))?.[1]) / 1024,
    connect: open,
    async [Symbol.asyncDispose]() {
      healthy.socket.terminate();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** For how long the service and this process were ready to run and had no core to run on, so far. Milliseconds. */
function waitedForCore(pid: number): number {
  const delays = [`/proc/${pid}/schedstat`, "/proc/thread-self/schedstat"].map((file) =>
    Number(readFileSync(file, "utf8").split(" ")[1]),
  );
  return delays.reduce((sum, delay) => sum + delay, 0) / 1e6;
}

function p99Of(latencies: readonly number[]): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] as number;
}

/** Does `act` so many times, so many at once; the results in no particular order. */
export async function flood<T>(times: number, atOnce: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < times) {
      next += 1;
      results.push(await act(next));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** How often each value occurs. */
export function tally(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

/** Status and code of the answer, over connections that are kept. */
export async function answerTo(
  url: string,
  {
    method = "POST",
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent }, async (response: IncomingMessage) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve(`${response.statusCode} ${/"code":"([A-Z_]+)"/.exec(text)?.[1] ?? ""}`.trim());
    });
    request.once("error", reject);
    request.end(body);
  });
}

/** Writes bytes as they are, and resolves to the first line of what comes back once the service has hung up. */
export function rawExchange(
  url: string,
  bytes: string | Buffer,
  then?: (socket: Socket) => () => void,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    // Before whatever follows, however long it takes to connect.
    socket.write(bytes);
    const stop = then?.(socket);
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      stop?.();
      resolve(text.split("\r\n", 1)[0] as string);
    });
  });
}
