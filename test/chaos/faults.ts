import { setTimeout as pause } from "node:timers/promises";
import type { RedisServer } from "../harness/redis-server.ts";
import type { History } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { Listener } from "./listener.ts";
import type { Mandrill } from "./mandrill.ts";
import type { Random } from "./random.ts";

/** What faults befall. */
export interface Scene {
  readonly redis: RedisServer;
  readonly history: History;
  readonly instances: readonly Instance[];
  readonly listeners: readonly Listener[];
  readonly mandrill: Mandrill;
}

/** Resolves when it is over: what was held goes on again. */
type Fault = (scene: Scene, random: Random) => Promise<unknown>;

/** The names that the service gives to its connections. */
const CONNECTIONS = ["append", "read", "subscribe"] as const;

/** Longer than a command's patience of 4.5 s. Milliseconds. */
const LONG_PAUSE = 5_200;

/** What befalls Redis and the ways to it: one at a time. */
export const STORE_FAULTS = {
  "kill normal connections": ({ redis }) => redis.client.call("CLIENT", "KILL", "TYPE", "normal"),
  "kill pubsub connections": ({ redis }) => redis.client.call("CLIENT", "KILL", "TYPE", "pubsub"),
  "kill one connection": async ({ redis }, random) => {
    const list = String(await redis.client.call("CLIENT", "LIST"));
    const role = random.oneOf(CONNECTIONS);
    const ids = list.split("\n").filter((line) => line.includes(`name=mandrill-live:${role} `));
    const id = /^id=(\d+)/.exec(random.oneOf(ids.length > 0 ? ids : [""]))?.[1];
    if (id !== undefined) await redis.client.call("CLIENT", "KILL", "ID", id);
  },
  "cut the way to Redis": async ({ instances }, random) => random.oneOf(instances).back.cutAll(),
  "stall the way to Redis": async ({ instances }, random) => {
    const { back } = random.oneOf(instances);
    back.stall();
    await pause(random.between(100, 1_500));
    back.resume();
  },
  "drop wake-ups": async ({ instances }, random) => {
    const instance = random.oneOf(instances);
    instance.isDeaf = true;
    await pause(random.between(100, 1_500));
    instance.isDeaf = false;
  },
  "pause Redis": async ({ redis }, random) => {
    redis.pause();
    await pause(random.onceIn(8) ? LONG_PAUSE : random.between(50, 900));
    redis.resume();
  },
  "pause writes": ({ redis }, random) => redis.client.call("CLIENT", "PAUSE", random.between(50, 700), "WRITE"),
  "fill Redis's memory": async ({ redis }, random) => {
    await redis.client.config("SET", "maxmemory", "1");
    await pause(random.between(50, 700));
    await redis.client.config("SET", "maxmemory", "0");
  },
  "restart Redis with its data": ({ redis }) => redis.restart(),
  "restart Redis without its data": ({ history }) => history.restartEmpty(),
  "restart Redis from a copy": async ({ history }, random) => {
    // Else one of before, perhaps of a log that has been emptied since.
    if (!history.hasCopy || random.onceIn(2)) {
      await history.copy();
      await pause(random.between(100, 700));
    }
    await history.restartFromCopy();
  },
  "empty Redis": ({ history }) => history.empty(),
} as const satisfies Record<string, Fault>;

/** What befalls instances, listeners and batches: beside the others. */
export const EDGE_FAULTS = {
  "kill an instance": ({ instances }, random) => random.oneOf(instances).replace("SIGKILL"),
  "stop an instance": ({ instances }, random) => random.oneOf(instances).replace("SIGTERM"),
  "hold an instance": async ({ instances }, random) => {
    const instance = random.oneOf(instances);
    instance.hold();
    await pause(random.between(50, 1_500));
    instance.release();
  },
  "cut an instance's sockets": async ({ instances }, random) => random.oneOf(instances).front.cutAll(),
  "stall an instance's sockets": async ({ instances }, random) => {
    const { front } = random.oneOf(instances);
    front.stall();
    await pause(random.between(50, 900));
    front.resume();
  },
  "cut a listener": async ({ listeners }, random) => random.oneOf(listeners).cut(),
  "cut all listeners": async ({ listeners }) => {
    for (const listener of listeners) listener.cut();
  },
  "keep a listener away": async ({ listeners }, random) => random.oneOf(listeners).away(random.between(100, 2_000)),
  "repeat a batch": ({ mandrill }) => mandrill.repeat(),
} as const satisfies Record<string, Fault>;

export interface InjectionOptions {
  /** Until when, by `performance.now()`. */
  readonly until: number;
  /** Ends it after the fault under way. */
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly scene: Scene;
  /** Is told of each before it begins. */
  readonly onFault: (name: string) => void;
}

/** Has one fault after another befall the scene, chosen and timed by `random`. */
export async function inject(
  faults: readonly (readonly [name: string, fault: Fault])[],
  { until, signal, random, scene, onFault }: InjectionOptions,
): Promise<void> {
  if (faults.length === 0) return;
  for (;;) {
    await pause(random.between(10, 350));
    if (signal.aborted || performance.now() > until) return;
    const [name, fault] = random.oneOf(faults);
    onFault(name);
    await fault(scene, random);
  }
}
