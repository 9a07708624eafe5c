import type { Ground } from "./ground.ts";
import { createRandom } from "./random.ts";
import { REDIS } from "./redis-ground.ts";
import { SENTINEL } from "./sentinel-ground.ts";

export const GROUNDS = { redis: REDIS, sentinel: SENTINEL } as const satisfies Record<string, Ground>;

export type GroundName = keyof typeof GROUNDS;

/** Of so many seeds each has that many, about. */
const SHARES: readonly GroundName[] = ["redis", "redis", "redis", "redis", "sentinel", "sentinel"];

/** Sets the draw of the ground apart from the others, which are the same where it is forced. */
const GROUND_DRAW = 0x67_72_6f_75;

export function groundOf(seed: number): GroundName {
  return createRandom(seed ^ GROUND_DRAW).oneOf(SHARES);
}

export function isGround(name: string): name is GroundName {
  return name in GROUNDS;
}
