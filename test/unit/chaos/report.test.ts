import { describe, expect, it } from "vitest";
import { type Findings, NOTHING_FOUND } from "../../chaos/oracle.ts";
import { linesOf, summaryOf } from "../../chaos/report.ts";
import { isGood, type RunReport } from "../../chaos/run.ts";

const GOOD: RunReport = {
  seed: 7,
  ground: "redis",
  faults: new Map([
    ["empty Redis", 1],
    ["cut a listener", 2],
  ]),
  settings: { RETENTION_EVENTS: "30" },
  acknowledged: 900,
  delivered: 2_700,
  told: 4,
  lags: 1,
  settling: 1_234,
  droppedWakeUps: 0,
  answers: new Map([
    ["200", 180],
    ["503", 5],
  ]),
  findings: NOTHING_FOUND,
  complaints: [],
  printed: "",
};

/** The names that a line gives to what is wrong. */
const SHOWN: Readonly<Record<keyof Findings, string>> = {
  lost: "lost",
  doubled: "doubled",
  misordered: "out of order",
  wrong: "wrong",
  untold: "untold",
  falselyTold: "falsely told",
};

describe("what the chaos run prints", () => {
  it("of a good run is its seed, the faults, and what was acknowledged, delivered, lost, doubled, told and untold", () => {
    expect(isGood(GOOD)).toBe(true);
    expect(linesOf(GOOD)).toEqual([
      [
        "good seed 7 on redis: 3 faults, 900 acknowledged (else 503 ×5), 2700 delivered, 0 lost, 0 doubled, 0 out of order",
        ", 0 wrong, 1 lags, gaps: 4 told, 0 untold, 0 falsely told, settled in 1.2 s\n     empty Redis, cut a listener ×2",
      ].join(""),
    ]);
    expect(summaryOf([GOOD, GOOD])).toBe(
      "2 runs, 6 faults, 1800 acknowledged, 5400 delivered, 0 lost, 0 doubled, gaps: 8 told, 0 untold",
    );
  });

  it.each(Object.entries(SHOWN))(
    "of a run with anything %s is that, counted and in words; it is no good one",
    (kind, name) => {
      const sentence = "one listener: what happened to it";
      const bad = { ...GOOD, findings: { ...NOTHING_FOUND, [kind]: [sentence] } };
      expect(isGood(bad)).toBe(false);
      const [line, settings, ...sentences] = linesOf(bad);
      expect(line).toMatch(/^BAD {2}seed 7 on redis: /);
      expect(line).toContain(`, 1 ${name}`);
      expect([settings, ...sentences]).toEqual([`     {"RETENTION_EVENTS":"30"}`, `     ${kind}: ${sentence}`]);
    },
  );

  it("of a run in which an instance ended or a listener never settled is that too", () => {
    const bad = { ...GOOD, complaints: ["an instance ended"] };
    expect(isGood(bad)).toBe(false);
    expect(linesOf(bad).at(-1)).toBe("     complaints: an instance ended");
  });
});
