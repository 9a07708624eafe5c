import { setTimeout as pause } from "node:timers/promises";
import type { Environment } from "../../src/config.ts";
import { type Moment, watchForMoments } from "../harness/moment.ts";
import { createProxy, type TcpProxy } from "../harness/proxy.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import type { Way } from "./ground.ts";
import { createTurns } from "./turns.ts";

/** The window of a stop is a second, and what is under way to Redis takes 5 at the most. Milliseconds. */
const LATEST_END = 15_000;
/** A moment comes only while batches are taken: it is killed all the same when it has not come for so long. Milliseconds. */
const LATEST_MOMENT = 2_000;

/** A place behind the load balancer: one service process after another, with a proxy on either side. */
export interface Instance {
  readonly url: string;
  /** Between its listeners and it. */
  readonly front: TcpProxy;
  /** Between it and what it takes for its log's address; null where its log is in a file. */
  readonly back: TcpProxy | null;
  /** Those in which {@link replaceAt} can kill it. */
  readonly moments: readonly Moment[];
  /** Loses wake-ups while true. */
  isDeaf: boolean;
  readonly droppedWakeUps: number;
  /** What its processes did that none should. */
  readonly complaints: readonly string[];
  /** Of the process there is now. */
  readonly pid: number;
  /** What its processes have printed. */
  readonly printed: string;
  /**
   * Ends the process by this signal and starts another one.
   * @param meanwhile runs while there is none
   */
  replace(signal: "SIGKILL" | "SIGTERM", meanwhile?: () => Promise<void>): Promise<void>;
  /** Kills the process at this moment of the next batch, and starts another one. */
  replaceAt(moment: Moment): Promise<void>;
  hold(): void;
  release(): void;
  stop(): Promise<void>;
}

export async function startInstance(way: Way, settings: Environment): Promise<Instance> {
  let isDeaf = false;
  let dropped = 0;
  let printed = "";
  let expected = false;
  const complaints: string[] = [];
  const inTurn = createTurns();
  const watch = watchForMoments(() => service.signal("SIGKILL"));
  const passesOnRedis = watch.passOn("redis");
  const back =
    way.port === null
      ? null
      : await createProxy(way.port, {
          pass(chunk, from) {
            const isLost = isDeaf && from === "target" && holdsMessagesOnly(chunk);
            if (isLost) dropped += 1;
            return !isLost && passesOnRedis(chunk, from);
          },
        });
  const env = { ...settings, ...(back === null ? {} : way.env(back.port)) };

  async function spawn(): Promise<ServiceProcess> {
    const started = await spawnService({ env, dataDir: way.dataDir });
    void started.ended.then((end) => {
      printed += started.printed;
      if (!expected) complaints.push(`an instance ended by itself, with ${end}:\n${started.printed.slice(-2_000)}`);
    });
    return started;
  }

  /** @param end resolves to how it ended */
  async function succeed(end: () => Promise<unknown>, wanted: unknown, meanwhile?: () => Promise<void>): Promise<void> {
    expected = true;
    const found = await end();
    if (found !== wanted) complaints.push(`an instance that was to end with ${wanted} ended with ${found}`);
    await meanwhile?.();
    expected = false;
    watch.reset();
    service = await spawn();
    target.port = portOf(service);
  }

  async function endBy(signal: NodeJS.Signals): Promise<unknown> {
    service.signal(signal);
    const late = setTimeout(() => {
      complaints.push("an instance told to stop did not");
      service.signal("SIGKILL");
    }, LATEST_END);
    const end = await service.ended;
    clearTimeout(late);
    return end;
  }

  let service = await spawn();
  const target = { host: "127.0.0.1", port: portOf(service) };
  // The target is looked up for each connection: that of a new process counts at once.
  const front = await createProxy(target, { pass: watch.passOn("http") });
  return {
    url: `http://127.0.0.1:${front.port}`,
    front,
    back,
    moments: way.moments,
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
    get pid() {
      return service.pid;
    },
    get printed() {
      return printed + service.printed;
    },
    replace: (signal, meanwhile) =>
      inTurn(() => succeed(() => endBy(signal), signal === "SIGTERM" ? 0 : signal, meanwhile)),
    replaceAt: (moment) =>
      inTurn(async () => {
        watch.arm(moment);
        const killed = async (): Promise<unknown> => {
          await Promise.race([service.ended, pause(LATEST_MOMENT, undefined, { ref: false })]);
          return endBy("SIGKILL");
        };
        await succeed(killed, "SIGKILL");
      }),
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
      await back?.close();
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
