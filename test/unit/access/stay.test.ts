import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNSCOPED } from "../../../src/access/scope.ts";
import { createStays, type Stays, UNENDING } from "../../../src/access/stay.ts";
import { ANYONE, type Viewer } from "../../../src/access/viewer.ts";
import type { ServiceError } from "../../../src/error.ts";

const NOW = 1_800_000_000_000;
const revoked = new Set<string>();
let stays: Stays;
let ends: ServiceError[];

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  revoked.clear();
  ends = [];
  stays = createStays((id) => revoked.has(id));
});
afterEach(() => {
  stays.stop();
  vi.useRealTimers();
});

const onEnd = (error: ServiceError): void => void ends.push(error);
const viewer = (expiresAt: number, tokenId = "jti:1"): Viewer => ({
  scope: UNSCOPED,
  expiresAt,
  subject: "s",
  tokenId,
});

describe("a viewer's stay", () => {
  it("holds to the last millisecond before the token's end, and not at it, whatever the timer does", () => {
    const stay = stays.begin(viewer(NOW + 10_000), onEnd);
    vi.setSystemTime(NOW + 9_999);
    expect(stay.holds()).toBe(true);
    vi.setSystemTime(NOW + 10_000);
    expect(stay.holds()).toBe(false);
    expect(ends).toEqual([expect.objectContaining({ code: "UNAUTHENTICATED", message: "Token expired" })]);
  });

  it("is ended by the sweep where nothing is shown, and once", () => {
    stays.begin(viewer(NOW + 10_000), onEnd);
    vi.advanceTimersByTime(9_999);
    expect(ends).toEqual([]);
    vi.advanceTimersByTime(251);
    vi.advanceTimersByTime(10_000);
    expect(ends.map(({ message }) => message)).toEqual(["Token expired"]);
  });

  it("ends when its token is on the revocation list, and no other does", () => {
    const stay = stays.begin(viewer(Number.POSITIVE_INFINITY, "jti:revoked"), onEnd);
    const other = stays.begin(viewer(Number.POSITIVE_INFINITY, "jti:other"), onEnd);
    revoked.add("jti:revoked");
    stays.sweep();
    expect(ends).toEqual([expect.objectContaining({ code: "UNAUTHENTICATED", message: "Token revoked" })]);
    expect([stay.holds(), other.holds()]).toEqual([false, true]);
  });

  it("goes on with a fresh token, and then ends with that", () => {
    const stay = stays.begin(viewer(NOW + 1_000), onEnd);
    stay.renew(viewer(NOW + 60_000, "jti:2"));
    vi.advanceTimersByTime(59_000);
    expect([stay.holds(), stay.viewer.tokenId, ends]).toEqual([true, "jti:2", []]);
    revoked.add("jti:1");
    expect(stay.holds()).toBe(true);
    revoked.add("jti:2");
    expect(stay.holds()).toBe(false);
  });

  it("cannot be renewed once it is over", () => {
    const stay = stays.begin(viewer(NOW + 1_000), onEnd);
    vi.setSystemTime(NOW + 1_000);
    stay.renew(viewer(NOW + 60_000));
    expect(stay.holds()).toBe(false);
    expect(ends.length).toBe(1);
  });

  it("is forgotten when its connection is over", () => {
    const stay = stays.begin(viewer(NOW + 1_000), onEnd);
    stay.leave();
    vi.advanceTimersByTime(60_000);
    expect(ends).toEqual([]);
    expect(stay.holds()).toBe(false);
  });

  it("has no end, and costs nothing, while no access rules are set", () => {
    expect(stays.begin(ANYONE, onEnd)).toBe(UNENDING);
    expect(UNENDING.holds()).toBe(true);
  });
});
