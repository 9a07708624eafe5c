import { setTimeout as pause } from "node:timers/promises";
import { Cluster } from "ioredis";
import { HTTP_MOMENTS } from "../harness/moment.ts";
import { type RedisCluster, startReplicatedCluster } from "../harness/redis-cluster.ts";
import {
  allowReplication,
  cutReplication,
  holdWrites,
  type RedisServer,
  untilReplicated,
  untilRole,
} from "../harness/redis-server.ts";
import { befalling, type Ground, type StoreFault } from "./ground.ts";
import type { Random } from "./random.ts";
import { drawMinReplicas, REDIS_FAULTS, REPLICATION_FAULTS, type RedisLog } from "./redis-faults.ts";
import { type RedisRecorder, recordRedis } from "./redis-recorder.ts";

/** A directive: a replica that has it never takes over. */
const NO_FAILOVER = "cluster-replica-no-failover";
/** How often the recorder asks anew, where a node is gone or the slot on its way. */
const MOST_ATTEMPTS = 10_000;
const ASK_AGAIN_AFTER = 20;

interface Shard {
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

/** Three masters with a replica each, and which of them has the log's slot. */
class ShardedLog implements RedisLog {
  readonly recorder: RedisRecorder;
  readonly #cluster: RedisCluster;
  readonly #client: Cluster;
  readonly #shards: Shard[];
  #index: number;

  constructor(cluster: RedisCluster, client: Cluster, recorder: RedisRecorder, index: number) {
    this.recorder = recorder;
    this.#cluster = cluster;
    this.#client = client;
    this.#shards = cluster.nodes.map((master, i) => ({ master, replica: cluster.replicas[i] as RedisServer }));
    this.#index = index;
  }

  get master(): RedisServer {
    return this.#shard.master;
  }

  get replica(): RedisServer {
    return this.#shard.replica;
  }

  get #shard(): Shard {
    return this.#shards[this.#index] as Shard;
  }

  /** Moves the log's slot to another master, a key now and a key then. */
  async moveSlot(random: Random): Promise<void> {
    const { meta, entries, ids } = this.recorder.keys;
    const next = (this.#index + random.between(1, this.#shards.length - 1)) % this.#shards.length;
    const slot = await this.#cluster.startMove(meta, this.master, (this.#shards[next] as Shard).master);
    for (const key of [ids, entries, meta]) {
      await slot.move(key);
      await pause(random.between(0, 150));
    }
    await slot.finish();
    this.#index = next;
  }

  /** The master is lost: its replica has all of it, and takes over. */
  async loseMaster(): Promise<void> {
    await holdWrites(this.master);
    await this.#fail();
  }

  /** The master is lost, and with it what only it has got. */
  async loseMasterAndTail(random: Random): Promise<void> {
    await untilReplicated(this.master, this.recorder.keys.check);
    await cutReplication(this.master);
    await pause(random.between(50, 500));
    await this.#fail();
  }

  async #fail(): Promise<void> {
    const { master, replica } = this;
    await this.recorder.frozen(master, async () => {
      await master.kill();
      await replica.client.readonly();
      await this.recorder.follow(replica, this.#client);
      this.#shards[this.#index] = { master: replica, replica: master };
      await replica.client.config("SET", NO_FAILOVER, "no");
      await untilRole(replica, "master");
      await replica.client.config("SET", NO_FAILOVER, "yes");
    });
    await master.restart();
    await allowReplication(master);
    await untilRole(master, "slave");
    await untilReplicated(replica, this.recorder.keys.check);
  }
}

const FAULTS = {
  ...REDIS_FAULTS,
  ...REPLICATION_FAULTS,
  "move the log's slot": (log, _, random) => log.moveSlot(random),
  "lose the log's master with nothing lost": (log) => log.loseMaster(),
  "lose the log's master and the last events": (log, _, random) => log.loseMasterAndTail(random),
} as const satisfies Record<string, StoreFault<ShardedLog>>;

/** A cluster of three masters with a replica each. */
export const CLUSTER: Ground = {
  faults: Object.keys(FAULTS),
  settings: drawMinReplicas,
  async open() {
    // Else the replica of one that is only slow takes over, which nobody would have recorded to the end.
    const cluster = await startReplicatedCluster({ [NO_FAILOVER]: "yes" });
    const client = new Cluster(
      cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      {
        maxRedirections: MOST_ATTEMPTS,
        retryDelayOnFailover: ASK_AGAIN_AFTER,
        retryDelayOnClusterDown: ASK_AGAIN_AFTER,
        clusterRetryStrategy: () => ASK_AGAIN_AFTER,
      },
    );
    client.on("error", () => {});
    const recorder = recordRedis(client);
    const log = new ShardedLog(cluster, client, recorder, await cluster.indexOf(recorder.keys.meta));
    return {
      history: recorder,
      faults: befalling<ShardedLog>(log, FAULTS),
      // Each knows but one node, and not the same.
      way: (index) => {
        const { port } = cluster.nodes[index % cluster.nodes.length] as RedisServer;
        return { port, env: (proxied) => ({ REDIS_CLUSTER: `127.0.0.1:${proxied}` }), moments: HTTP_MOMENTS };
      },
      async stop() {
        client.disconnect();
        await cluster.stop();
      },
    };
  },
};
