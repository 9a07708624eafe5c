import { setTimeout as pause } from "node:timers/promises";
import type { Environment } from "../../src/config.ts";
import type { RedisServer } from "../harness/redis-server.ts";
import type { StoreFault } from "./ground.ts";
import type { Random } from "./random.ts";
import type { RedisRecorder } from "./redis-recorder.ts";

/** A log that lies on a Redis. */
export interface RedisLog {
  /** The one that takes what is written. */
  readonly master: RedisServer;
  readonly recorder: RedisRecorder;
}

/** The names that the service gives to its connections. */
const CONNECTIONS = ["append", "read", "subscribe"] as const;

/** Longer than a command's patience of 4.5 s. Milliseconds. */
const LONG_PAUSE = 5_200;

/** What befalls any Redis that has the log. */
export const REDIS_FAULTS = {
  "kill normal connections": ({ master }) => master.client.call("CLIENT", "KILL", "TYPE", "normal"),
  "kill pubsub connections": ({ master }) => master.client.call("CLIENT", "KILL", "TYPE", "pubsub"),
  "kill one connection": async ({ master }, _, random) => {
    const list = String(await master.client.call("CLIENT", "LIST"));
    const role = random.oneOf(CONNECTIONS);
    const ids = list.split("\n").filter((line) => line.includes(`name=mandrill-live:${role} `));
    const id = /^id=(\d+)/.exec(random.oneOf(ids.length > 0 ? ids : [""]))?.[1];
    if (id !== undefined) await master.client.call("CLIENT", "KILL", "ID", id);
  },
  "pause Redis": async ({ master }, _, random) => {
    master.pause();
    await pause(random.onceIn(8) ? LONG_PAUSE : random.between(50, 900));
    master.resume();
  },
  "pause writes": ({ master }, _, random) => master.client.call("CLIENT", "PAUSE", random.between(50, 700), "WRITE"),
  "fill Redis's memory": async ({ master }, _, random) => {
    await master.client.config("SET", "maxmemory", "1");
    await pause(random.between(50, 700));
    await master.client.config("SET", "maxmemory", "0");
  },
} as const satisfies Record<string, StoreFault<RedisLog>>;

/** Whether what is acknowledged is to outlive its master. */
export function drawMinReplicas(random: Random): Environment {
  return { REDIS_MIN_REPLICAS: random.oneOf(["0", "1"]) };
}

/** What befalls the connections by which it is copied. */
export const REPLICATION_FAULTS = {
  "kill replica connections": ({ master }) => master.client.call("CLIENT", "KILL", "TYPE", "replica"),
  "kill a replica's connection to its master": ({ replica }) => replica.client.call("CLIENT", "KILL", "TYPE", "master"),
} as const satisfies Record<string, StoreFault<RedisLog & { readonly replica: RedisServer }>>;

/** What befalls the way of an instance to what it takes for the log's address. */
export const WAY_FAULTS = {
  "cut the way to Redis": async (_, { instances }, random) => random.oneOf(instances).back?.cutAll(),
  "stall the way to Redis": async (_, { instances }, random) => {
    const { back } = random.oneOf(instances);
    back?.stall();
    await pause(random.between(100, 1_500));
    back?.resume();
  },
} as const satisfies Record<string, StoreFault<unknown>>;
