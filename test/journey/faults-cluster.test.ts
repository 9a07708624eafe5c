import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { expectComplete, expectServed, expectToldOnce, untilTold } from "../harness/fault-outcome.ts";
import { type FaultInstances, startFaultInstances } from "../harness/fault-scene.ts";
import { startReplicatedCluster } from "../harness/redis-cluster.ts";
import { cutReplication, holdWrites, type RedisServer, untilReplicated } from "../harness/redis-server.ts";

const PREFIX = "faults";
const { meta: META, check: CHECK } = createKeys(PREFIX);

interface ClusterScene {
  /** The master that has the log's slot. */
  readonly master: RedisServer;
  readonly other: RedisServer;
  readonly scene: FaultInstances;
  move(from: RedisServer, to: RedisServer): Promise<void>;
}

/** Three masters with a replica each, and two instances on them that know but one node, and not the same. */
async function startClusterScene(env: Environment = {}): Promise<ClusterScene> {
  const cluster = await startReplicatedCluster();
  onTestFinished(() => cluster.stop());
  const index = await cluster.indexOf(META);
  const [master, other, third] = [0, 1, 2].map((i) => cluster.nodes[(index + i) % 3]) as [
    RedisServer,
    RedisServer,
    RedisServer,
  ];
  const by = ({ port }: RedisServer): Environment => ({ REDIS_CLUSTER: `127.0.0.1:${port}`, ...env });
  const scene = await startFaultInstances(by(other), by(third));
  const move = async (from: RedisServer, to: RedisServer) => (await cluster.startMove(META, from, to)).finish();
  return { master, other, scene, move };
}

describe("a cluster, under load", () => {
  it("moves the log's slot to another master, and back: everything is complete", async () => {
    const { master, other, scene, move } = await startClusterScene();
    await scene.publisher.more(100);
    await move(master, other);
    await scene.publisher.more(100);
    await move(other, master);
    await scene.publisher.more(100);
    await expectComplete(scene);
    expectServed(scene);
  });

  it("moves the log's slot while replicas are waited for: everything is complete", async () => {
    const { master, other, scene, move } = await startClusterScene({ REDIS_MIN_REPLICAS: "1" });
    await scene.publisher.more(50);
    await move(master, other);
    await scene.publisher.more(50);
    await expectComplete(scene);
    expectServed(scene);
  });

  it("loses the master that has the log, and its replica has all of it: everything is complete", async () => {
    const { master, scene } = await startClusterScene();
    await scene.publisher.more(100);
    await holdWrites(master);
    await master.kill();
    await scene.publisher.more(100);
    await expectComplete(scene);
    expect(scene.publisher.refusals.length).toBeGreaterThan(0);
    expectServed(scene);
  });

  it("loses the master that has the log, and with it the last events: every subscriber is told, and served on", async () => {
    const { master, scene } = await startClusterScene();
    await scene.publisher.more(100);
    await untilReplicated(master, CHECK);
    await cutReplication(master);
    await scene.publisher.more(100);
    await master.kill();
    await untilTold(scene);
    await scene.publisher.more(100);
    await expectToldOnce(scene, 100);
    expectServed(scene);
  });
});
