import type { Environment } from "../../src/config.ts";
import { createProxy, type TcpProxy } from "../harness/proxy.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";

/** The window of a stop is a second, and what is under way to Redis takes 5 at the most. Milliseconds. */
const LATEST_END = 15_000;

/** A place behind the load balancer: one service process after another, with a proxy on either side. */
export interface Instance {
  readonly url: string;
  /** Between its listeners and it. */
  readonly front: TcpProxy;
  /** Between it and Redis. */
  readonly back: TcpProxy;
  /** Loses wake-ups while true. */
  isDeaf: boolean;
  readonly droppedWakeUps: number;
  /** What its processes did that none should. */
  readonly complaints: readonly string[];
  /** What its processes have printed. */
  readonly printed: string;
  /** Ends the process by this signal and starts another one. */
  replace(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  hold(): void;
  release(): void;
  stop(): Promise<void>;
}

export async function startInstance(redisPort: number, env: Environment): Promise<Instance> {
  let isDeaf = false;
  let dropped = 0;
  let printed = "";
  let expected = false;
  const complaints: string[] = [];
  const back = await createProxy(redisPort, {
    pass(chunk, from) {
      const isLost = isDeaf && from === "target" && holdsMessagesOnly(chunk);
      if (isLost) dropped += 1;
      return !isLost;
    },
  });

  async function spawn(): Promise<ServiceProcess> {
    const started = await spawnService({ env: { ...env, REDIS_URL: `redis://127.0.0.1:${back.port}` } });
    void started.ended.then((end) => {
      printed += started.printed;
      if (!expected) complaints.push(`an instance ended by itself, with ${end}:\n${started.printed.slice(-2_000)}`);
    });
    return started;
  }

  let service = await spawn();
  const target = { host: "127.0.0.1", port: portOf(service) };
  // The target is looked up for each connection: that of a new process counts at once.
  const front = await createProxy(target);
  return {
    url: `http://127.0.0.1:${front.port}`,
    front,
    back,
    get isDeaf() {
      return isDeaf;
    },
    set isDeaf(value) {
      isDeaf = value;
    },
    get droppedWakeUps() {
      return dropped;
    },
    complaints,
    get printed() {
      return printed + service.printed;
    },
    async replace(signal) {
      expected = true;
      service.signal(signal);
      const late = setTimeout(() => {
        complaints.push("an instance told to stop did not");
        service.signal("SIGKILL");
      }, LATEST_END);
      const end = await service.ended;
      clearTimeout(late);
      if (signal === "SIGTERM" && end !== 0) complaints.push(`an instance told to stop ended with ${end}`);
      expected = false;
      service = await spawn();
      target.port = portOf(service);
    },
    hold() {
      service.signal("SIGSTOP");
    },
    release() {
      service.signal("SIGCONT");
    },
    async stop() {
      expected = true;
      service.signal("SIGKILL");
      await service.ended;
      await front.close();
      await back.close();
    },
  };
}

function portOf({ url }: ServiceProcess): number {
  return Number(new URL(url).port);
}

const MESSAGE = "*3\r\n$7\r\nmessage\r\n";

/**
 * Whether a chunk from Redis is nothing but whole publish/subscribe messages. Anything else that was cut out would
 * leave behind what is no RESP, and TCP loses no part of a stream.
 */
function holdsMessagesOnly(chunk: Buffer): boolean {
  let at = 0;
  while (at < chunk.length) {
    if (!chunk.subarray(at).toString("latin1", 0, MESSAGE.length).startsWith(MESSAGE)) return false;
    at += MESSAGE.length;
    for (let part = 0; part < 2; part++) {
      const end = chunk.indexOf("\r\n", at);
      if (end === -1) return false;
      at = end + 2 + Number(chunk.toString("latin1", at + 1, end)) + 2;
    }
  }
  return at === chunk.length;
}
