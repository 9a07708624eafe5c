import { describe, expect, it } from "vitest";
import { ago, bytes, count, late, moment, span } from "../../../dashboard/view/words.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("what the live page says", () => {
  it.each([
    [0, "0 s"],
    [-5 * SECOND, "0 s"],
    [59.9 * SECOND, "59 s"],
    [MINUTE, "1 min"],
    [59 * MINUTE, "59 min"],
    [HOUR, "1 h"],
    [47 * HOUR, "47 h"],
    [48 * HOUR, "2 days"],
  ])("of %d ms is %s", (milliseconds, words) => {
    expect(span(milliseconds)).toBe(words);
  });

  it("of what has only just been is not a number", () => {
    expect([ago(-3 * SECOND), ago(1_999), ago(2_000)]).toEqual(["just now", "just now", "2 s ago"]);
    expect([late(-1), late(999), late(1_000)]).toEqual(["at once", "at once", "1 s late"]);
  });

  it("of one is in the singular", () => {
    expect([count(0, "event"), count(1, "event"), count(2, "event")]).toEqual(["0 events", "1 event", "2 events"]);
  });

  it("of a size is short", () => {
    expect([bytes(1_023), bytes(1_024), bytes(1_572_864)]).toEqual(["1023 B", "1 kB", "1.5 MB"]);
  });

  it("of another day has the day", () => {
    const noon = new Date(2026, 10, 24, 12, 0, 5).getTime();
    expect(moment(noon, noon + HOUR)).toMatch(/^12:00:05$/);
    expect(moment(noon, noon + 48 * HOUR)).toMatch(/24.*12:00$/);
  });
});
