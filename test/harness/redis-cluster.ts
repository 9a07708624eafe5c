import {
  allowReplication,
  REPLICA_LOGIN,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from "./redis-server.ts";

const SLOTS = 16_384;
/** Milliseconds for one key. */
const MIGRATE_TIMEOUT = 5_000;

/** Masters that share out the slots among them, each with its replica if there are replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The i-th follows the i-th of `nodes`, until it takes over. */
  readonly replicas: readonly RedisServer[];
  /** Index in `nodes` of the master that has had the key's slot from the start. */
  indexOf(key: string): Promise<number>;
  /** Begins to move the slot of a key, as resharding does. */
  startMove(key: string, from: RedisServer, to: RedisServer): Promise<SlotMove>;
  stop(): Promise<void>;
}

/** A slot on its way. */
export interface SlotMove {
  /** Moves one key. */
  move(key: string): Promise<void>;
  /** Moves what is left, a key at a time, and makes the new master the owner. */
  finish(): Promise<void>;
}

export interface RedisClusterOptions {
  readonly masters?: number | undefined;
  readonly replicas?: boolean | undefined;
  /** Directives of redis.conf for each node. */
  readonly config?: RedisServerOptions["config"];
  /** For each node. With it they speak TLS among themselves, and send clients that do to each other's port for it. */
  readonly certificate?: RedisServerOptions["certificate"];
  /** Called with each node before they meet. */
  readonly prepare?: ((node: RedisServer) => Promise<void>) | undefined;
}

export async function startRedisCluster({
  masters = 3,
  replicas: hasReplicas = false,
  config,
  certificate,
  prepare,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const replicas: RedisServer[] = [];
  const stop = async () => void (await Promise.all([...nodes, ...replicas].map((node) => node.stop())));
  const start = () => startRedisServer({ config: { "cluster-enabled": "yes", ...config }, certificate });
  const border = (part: number): number => Math.floor((part * SLOTS) / masters);
  try {
    for (let i = 0; i < masters; i++) nodes.push(await start());
    for (let i = 0; hasReplicas && i < masters; i++) replicas.push(await start());
    for (const [i, { client }] of nodes.entries()) {
      await client.cluster("ADDSLOTSRANGE", border(i), border(i + 1) - 1);
    }
    const everyone = [...nodes, ...replicas] as [RedisServer, ...RedisServer[]];
    for (const node of everyone) await prepare?.(node);
    for (const { port, tlsPort } of everyone.slice(1)) {
      await everyone[0].client.cluster("MEET", "127.0.0.1", tlsPort || port);
    }
    for (const node of everyone) await untilInfo(node, `cluster_known_nodes:${everyone.length}\r`);
    for (const node of everyone) await untilInfo(node, "cluster_state:ok", `cluster_size:${masters}\r`);
    for (const [i, { client }] of replicas.entries()) {
      await client.cluster("REPLICATE", await idOf(nodes[i] as RedisServer));
    }
    for (const node of replicas) await untilFollows(node);
    if (hasReplicas) for (const node of everyone) await untilKnown(node, masters);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    replicas,
    async indexOf(key) {
      const slot = await (nodes[0] as RedisServer).client.cluster("KEYSLOT", key);
      return nodes.findIndex((_, i) => slot < border(i + 1));
    },
    async startMove(key, from, to) {
      const slot = await from.client.cluster("KEYSLOT", key);
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await to.client.cluster("SETSLOT", slot, "IMPORTING", fromId);
      await from.client.cluster("SETSLOT", slot, "MIGRATING", toId);
      const move = async (one: string): Promise<void> => {
        await from.client.migrate("127.0.0.1", to.port, one, 0, MIGRATE_TIMEOUT);
      };
      return {
        move,
        async finish() {
          for (;;) {
            const [next] = (await from.client.cluster("GETKEYSINSLOT", slot, 1)) as string[];
            if (next === undefined) break;
            await move(next);
          }
          for (const { client } of [to, from]) await client.cluster("SETSLOT", slot, "NODE", toId);
        },
      };
    },
    stop,
  };
}

/** Milliseconds after which a node that does not answer is taken for lost. */
const NODE_TIMEOUT = 1_000;

/** Three masters with a replica each, any of which can be kept from its master: see `cutReplication`. */
export function startReplicatedCluster(config?: RedisServerOptions["config"]): Promise<RedisCluster> {
  return startRedisCluster({
    replicas: true,
    config: { "cluster-node-timeout": `${NODE_TIMEOUT}`, ...REPLICA_LOGIN, ...config },
    prepare: allowReplication,
  });
}

async function idOf({ client }: RedisServer): Promise<string> {
  return String(await client.cluster("MYID"));
}

/** Asks until `isSo`; Redis holds the next question back, waiting for replicas that there are not. */
async function until({ client }: RedisServer, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    if (((await client.role()) as unknown[])[0] === "master") await client.wait(100, 20);
  }
}

function untilInfo(node: RedisServer, ...wanted: string[]): Promise<void> {
  return until(node, async () => {
    const info = String(await node.client.cluster("INFO"));
    return wanted.every((text) => info.includes(text));
  });
}

function untilFollows(node: RedisServer): Promise<void> {
  return until(node, async () => (await node.client.info("replication")).includes("master_link_status:up"));
}

/** Until the node knows of as many replicas as there are masters. */
function untilKnown(node: RedisServer, count: number): Promise<void> {
  return until(
    node,
    async () => String(await node.client.cluster("NODES")).match(/ (?:myself,)?slave[ ,]/g)?.length === count,
  );
}
