import { describe, expect, it } from "vitest";
import { MessageRate } from "../../../src/access/message-rate.ts";
import { createQuota } from "../../../src/access/quota.ts";

describe("a quota", () => {
  it("counts each key for itself, and what is given back counts once", () => {
    const quota = createQuota();
    const first = quota.take("one", 2);
    expect([first, quota.take("one", 2), quota.take("other", 2)]).not.toContain(null);
    expect(quota.take("one", 2)).toBeNull();
    first?.();
    first?.();
    expect(quota.take("one", 2)).not.toBeNull();
    expect(quota.take("one", 2)).toBeNull();
  });
});

describe("a rate", () => {
  it("admits a minute's messages at once, and then as many as time has made room for", () => {
    const rate = new MessageRate(60, 0);
    const admitted = (now: number, tries: number): number =>
      Array.from({ length: tries }, () => rate.admits(now)).filter(Boolean).length;
    expect(admitted(0, 100)).toBe(60);
    expect(admitted(999, 1)).toBe(0);
    expect(admitted(2_000, 10)).toBe(2);
    expect(admitted(3_600_000, 100)).toBe(60);
  });
});
