import { describe, expect, it } from "vitest";
import { GROUNDS, type GroundName } from "../chaos/grounds.ts";
import { NOTHING_FOUND } from "../chaos/oracle.ts";
import { type RunOptions, type RunReport, runChaos } from "../chaos/run.ts";

/** Milliseconds of faults for each seed. */
const DURATION = 2_000;

/**
 * Long runs are for `npm run chaos`; a seed that has ever failed is added here. In 10 an instance ended by itself: a
 * listener was gone when its handshake was refused.
 */
const SEEDS = [2, 4, 10];

/** A seed for each other ground, which draws what belongs to it alone. */
const GROUND_SEEDS = [
  ["former", 3],
  ["sentinel", 2],
  ["cluster", 7],
  ["sqlite", 3],
] as const satisfies [GroundName, number][];

async function expectGood(options: Pick<RunOptions, "seed" | "ground" | "signal">): Promise<RunReport> {
  const report = await runChaos({ duration: DURATION, instances: 2, ...options });
  const { findings, complaints, faults, acknowledged, delivered } = report;
  expect({ findings, complaints }).toEqual({ findings: NOTHING_FOUND, complaints: [] });
  expect([faults.size, acknowledged, delivered].every((count) => count > 0)).toBe(true);
  return report;
}

describe("two instances on one Redis, under load and whatever faults befall them", () => {
  it.for(SEEDS)("lose nothing, double nothing and leave no gap untold: seed %i", async (seed, { signal }) => {
    await expectGood({ seed, ground: "redis", signal });
  });
});

describe("instances on another ground, under load and whatever faults befall it", () => {
  it.for(GROUND_SEEDS)(
    "lose nothing, double nothing and leave no gap untold: %s, seed %i",
    async ([ground, seed], { signal }) => {
      const { faults } = await expectGood({ seed, ground, signal });
      const own = GROUNDS[ground].faults.filter((name) => !GROUNDS.redis.faults.includes(name));
      expect(own.some((name) => faults.has(name))).toBe(true);
    },
  );
});
