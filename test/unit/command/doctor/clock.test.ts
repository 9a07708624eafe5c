import { describe, expect, it } from "vitest";
import { judgeClock } from "../../../../src/command/doctor/clock.ts";

const OURS = Date.UTC(2026, 10, 24);

describe("a clock", () => {
  it("is in order where it differs by what a header of whole seconds can tell", () => {
    expect(judgeClock("Redis", OURS - 1_900, OURS)).toEqual({
      state: "ok",
      what: "clock",
      said: "Within 1.9 s of that of Redis",
    });
  });

  it.each([
    [-60_000, "ahead of"],
    [60_000, "behind"],
  ])("is out of order where the other differs by %i ms", (difference, which) => {
    const { state, said, remedy } = judgeClock("Redis", OURS + difference, OURS);
    expect([state, said]).toEqual(["fail", `It is 60.0 s ${which} that of Redis`]);
    expect(remedy).toContain("NTP");
  });
});
