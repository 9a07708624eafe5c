import { setTimeout as pause } from "node:timers/promises";
import { HTTP_MOMENTS } from "../harness/moment.ts";
import { bySentinel, type RedisPair, startRedisPair } from "../harness/redis-pair.ts";
import {
  allowReplication,
  cutReplication,
  holdWrites,
  type RedisSentinel,
  type RedisServer,
  untilReplicated,
} from "../harness/redis-server.ts";
import { befalling, type Ground, type StoreFault } from "./ground.ts";
import { grownBy } from "./overtaking.ts";
import type { Random } from "./random.ts";
import { drawMinReplicas, REDIS_FAULTS, REPLICATION_FAULTS, type RedisLog, WAY_FAULTS } from "./redis-faults.ts";
import { type RedisRecorder, recordRedis } from "./redis-recorder.ts";

/** A master and its replica, which change places. */
class Pair implements RedisLog {
  master: RedisServer;
  replica: RedisServer;
  readonly recorder: RedisRecorder;
  readonly #sentinel: RedisSentinel;

  constructor({ master, replica, sentinel }: RedisPair) {
    this.master = master;
    this.replica = replica;
    this.recorder = recordRedis(master.client);
    this.#sentinel = sentinel;
  }

  /** The master is lost: the replica has all of it. */
  async promoteWhole(): Promise<void> {
    await holdWrites(this.master);
    await this.#promote();
  }

  /** The master is lost, and with it what only it has got. Returns how many entries those are. */
  async promoteWithoutTail(random: Random): Promise<number> {
    await untilReplicated(this.master);
    await cutReplication(this.master);
    await pause(random.between(50, 500));
    return this.#promote();
  }

  async #promote(): Promise<number> {
    const { master, replica, recorder } = this;
    let lost = 0;
    await recorder.frozen(master, async () => {
      const { length } = recorder.eras.current.entries;
      await master.kill();
      await recorder.follow(replica, replica.client);
      lost = length - recorder.eras.current.entries.length;
      [this.master, this.replica] = [replica, master];
      await this.#sentinel.failOver();
    });
    return lost;
  }

  /** The lost master comes back as the replica of the new one. */
  async rejoin(): Promise<void> {
    await this.replica.restart();
    await allowReplication(this.replica);
    await this.replica.client.replicaof("127.0.0.1", this.master.port);
    await untilReplicated(this.master);
    await this.#sentinel.untilReplicaKnown();
  }
}

const FAULTS = {
  ...REDIS_FAULTS,
  ...WAY_FAULTS,
  ...REPLICATION_FAULTS,
  "empty Redis": ({ recorder, master }) => recorder.empty(master),
  "promote the replica with all events": async (pair) => {
    await pair.promoteWhole();
    await pair.rejoin();
  },
  "promote the replica without the last events": async (pair, _, random) => {
    await pair.promoteWithoutTail(random);
    await pair.rejoin();
  },
  "promote the replica without the last events and grow past the old head": async (
    pair,
    { instances, mandrill },
    random,
  ) => {
    // The one that is new knows nothing of the old head, and nobody tells the others where the new master is.
    const fresh = random.oneOf(instances);
    const others = instances.filter((instance) => instance !== fresh);
    for (const { back } of others) back?.stall();
    try {
      let lost = 0;
      await fresh.replace("SIGKILL", async () => {
        lost = await pair.promoteWithoutTail(random);
      });
      // Where replicas are waited for, it takes nothing before it has one.
      await pair.rejoin();
      await grownBy(lost, mandrill);
    } finally {
      for (const { back } of others) back?.resume();
    }
  },
} as const satisfies Record<string, StoreFault<Pair>>;

/** A Redis, its replica, and a sentinel that promotes it. */
export const SENTINEL: Ground = {
  faults: Object.keys(FAULTS),
  settings: drawMinReplicas,
  async open() {
    const servers = await startRedisPair();
    const { sentinel } = servers;
    // Else it promotes the replica of one that is only slow, which nobody would have recorded to the end.
    await sentinel.trustMaster();
    const pair = new Pair(servers);
    return {
      history: pair.recorder,
      faults: befalling<Pair>(pair, FAULTS),
      way: () => ({
        port: sentinel.port,
        env: (port) => bySentinel({ port }),
        moments: HTTP_MOMENTS,
      }),
      stop: servers.stop,
    };
  },
};
