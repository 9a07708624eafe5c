import { describe, expect, it } from "vitest";
import { createBackOff, retryDelay } from "../../../client/back-off.ts";

const ALMOST_ONE = 1 - Number.EPSILON;

describe("the wait before an attempt", () => {
  it("is spread over a second the first time, so that the clients of one instance do not return at once", () => {
    expect(retryDelay(0, () => 0)).toBe(50);
    expect(retryDelay(0, () => 0.5)).toBe(525);
    expect(retryDelay(0, () => ALMOST_ONE)).toBeCloseTo(1_000);
  });

  it.each([
    [1, 1_000, 2_000],
    [2, 2_000, 4_000],
    [3, 4_000, 8_000],
    [4, 8_000, 16_000],
    [5, 15_000, 30_000],
    [6, 15_000, 30_000],
    [5_000, 15_000, 30_000],
  ])("number %i takes %i to %i milliseconds", (attempt, shortest, longest) => {
    expect(retryDelay(attempt, () => 0)).toBe(shortest);
    expect(retryDelay(attempt, () => ALMOST_ONE)).toBeCloseTo(longest);
  });

  it("can be ended for all who wait", async () => {
    const backOff = createBackOff();
    const waits = [backOff.wait(20), backOff.wait(30)];
    backOff.end();
    await Promise.all(waits);
  });
});
