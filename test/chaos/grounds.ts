import { CLUSTER } from "./cluster-ground.ts";
import { EDGE_FAULTS } from "./edge-faults.ts";
import type { Ground } from "./ground.ts";
import { createRandom } from "./random.ts";
import { FORMER, REDIS } from "./redis-ground.ts";
import { SENTINEL } from "./sentinel-ground.ts";
import { SQLITE } from "./sqlite-ground.ts";

export const GROUNDS = {
  redis: REDIS,
  former: FORMER,
  sentinel: SENTINEL,
  cluster: CLUSTER,
  sqlite: SQLITE,
} as const satisfies Record<string, Ground>;

export type GroundName = keyof typeof GROUNDS;

/** Each has as many of the seeds as it has of these, about. */
const SHARES: readonly GroundName[] = [
  "redis",
  "redis",
  "redis",
  "redis",
  "former",
  "sentinel",
  "sentinel",
  "cluster",
  "sqlite",
];

/** Sets the draw of the ground apart from the others, which are the same where it is forced. */
const GROUND_DRAW = 0x67_72_6f_75;

/** The grounds that have all these faults, as often as they are drawn. */
export function groundsWith(faults: readonly string[] = []): readonly GroundName[] {
  return SHARES.filter((name) => faults.every((fault) => fault in EDGE_FAULTS || GROUNDS[name].faults.includes(fault)));
}

/** One that has all these faults. */
export function groundOf(seed: number, faults?: readonly string[]): GroundName {
  return createRandom(seed ^ GROUND_DRAW).oneOf(groundsWith(faults));
}
