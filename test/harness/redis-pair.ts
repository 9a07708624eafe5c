import type { Environment } from "../../src/config.ts";
import {
  allowReplication,
  REPLICA_LOGIN,
  type RedisSentinel,
  type RedisServer,
  startRedisReplica,
  startRedisSentinel,
  startRedisServer,
} from "./redis-server.ts";

/** The master's name, as the sentinel knows it. */
const MASTER = "events";

/** A master, its replica, and a sentinel that promotes it; either can be kept from the other: see `cutReplication`. */
export interface RedisPair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: RedisSentinel;
  stop(): Promise<void>;
}

export async function startRedisPair(): Promise<RedisPair> {
  await using stack = new AsyncDisposableStack();
  const config = REPLICA_LOGIN;
  const master = await startRedisServer({ config });
  stack.defer(() => master.stop());
  await allowReplication(master);
  const replica = await startRedisReplica(master, { config });
  stack.defer(() => replica.stop());
  await allowReplication(replica);
  const sentinel = await startRedisSentinel(MASTER, master);
  stack.defer(() => sentinel.stop());
  await sentinel.untilReplicaKnown();
  const running = stack.move();
  return { master, replica, sentinel, stop: () => running.disposeAsync() };
}

/** By which an instance finds the master. */
export function bySentinel({ port }: Pick<RedisSentinel, "port">): Environment {
  return { REDIS_SENTINELS: `127.0.0.1:${port}`, REDIS_SENTINEL_MASTER: MASTER };
}
