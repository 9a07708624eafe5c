import { describe, expect, it } from "vitest";
import { ORIGIN_TAG, type Position } from "../../../src/event/cursor.ts";
import type { Era } from "../../chaos/history.ts";
import { type Acknowledgement, type Findings, judge, NOTHING_FOUND, type Observation } from "../../chaos/oracle.ts";

/** Kept by count. */
const RETENTION = 3;

/** The entries of the era `name`, `count` in all, of which the first `copied` are those of another era. */
function era(name: string, count: number, copied?: { readonly of: Era; readonly length: number }): Era {
  const kept = copied?.of.entries.slice(0, copied.length) ?? [];
  const own = Array.from({ length: count - kept.length }, (_, i) => {
    const messageId = `${name}-${kept.length + i + 1}`;
    return { messageId, tag: `tag of ${messageId}` };
  });
  const epochs = copied === undefined ? [name] : [...copied.of.epochs, name];
  return { entries: [...kept, ...own], epochs: new Set(epochs), origin: copied === undefined ? "new" : "copy" };
}

function place({ entries, epochs }: Era, number: number): Position {
  const tag = number === 0 ? ORIGIN_TAG : (entries[number - 1]?.tag ?? "none");
  return { epoch: [...epochs].at(-1) as string, number, tag };
}

const begun = (at: Era, number: number, exactly = true): Observation => ({
  kind: "begun",
  place: place(at, number),
  exactly,
});

const events = (at: Era, ...numbers: number[]): Observation[] =>
  numbers.map((number) => ({
    kind: "event",
    messageId: at.entries[number - 1]?.messageId ?? "none",
    place: place(at, number),
  }));

function expired(at: Era, after: number, head: number): Observation {
  const oldest = place(at, head - RETENTION + 1);
  return { kind: "gap", code: "CURSOR_EXPIRED", after: place(at, after), oldest, head: place(at, head), era: 0 };
}

function unknown(after: Position, head: Position | null, index: number): Observation {
  return { kind: "gap", code: "CURSOR_UNKNOWN", after, oldest: null, head, era: index };
}

function findings(
  eras: readonly Era[],
  observations: readonly Observation[],
  wants: (messageId: string) => boolean = () => true,
): Findings {
  return judge({ eras, testimonies: [{ name: "one", wants, observations }], acknowledged: [], retention: RETENTION })
    .findings;
}

const log = era("a", 6);
const next = era("b", 4);

describe("the oracle finds nothing wrong with", () => {
  it.each<[string, readonly Era[], readonly Observation[]]>([
    ["everything in its order", [log], [begun(log, 0), ...events(log, 1, 2, 3, 4, 5, 6)]],
    ["what follows a place", [log], [begun(log, 4), ...events(log, 5, 6)]],
    ["who is live from now on", [log], [begun(log, 2, false), ...events(log, 4, 5, 6)]],
    [
      "who is live from now on, in the log that took the place of the one it had heard of",
      [log, next],
      [begun(log, 6, false), ...events(next, 2, 3, 4)],
    ],
    [
      "a told trim",
      [log],
      [begun(log, 0), ...events(log, 1), expired(log, 1, 5), begun(log, 3), ...events(log, 4, 5, 6)],
    ],
    [
      "another log, of which it was told",
      [log, next],
      [
        begun(log, 4),
        ...events(log, 5),
        unknown(place(log, 5), place(next, 2), 1),
        begun(next, 2),
        ...events(next, 3, 4),
      ],
    ],
    [
      "an empty log, of which it was told",
      [log, next],
      [begun(log, 6), unknown(place(log, 6), null, 1), begun(next, 0), ...events(next, 1, 2, 3, 4)],
    ],
  ])("%s", (_, eras, observations) => {
    expect(findings(eras, observations)).toEqual(NOTHING_FOUND);
  });

  it("what was not asked for and did not come", () => {
    const wants = (messageId: string) => messageId.endsWith("3");
    expect(findings([log], [begun(log, 0), ...events(log, 3)], wants)).toEqual(NOTHING_FOUND);
  });

  it("a listener at an empty log's beginning who is told that it was lost, restored empty and got another epoch", () => {
    const restored = era("b", 2, { of: log, length: 0 });
    const told = [begun(log, 0), unknown(place(log, 0), null, 1), begun(restored, 0), ...events(restored, 1, 2)];
    expect(findings([log, restored], told, (messageId) => !messageId.startsWith("a-"))).toEqual(NOTHING_FOUND);
  });

  it("a place from before a restored copy's end, which both logs have", () => {
    const restored = era("b", 7, { of: log, length: 4 });
    const served = [begun(log, 2), ...events(log, 3, 4), ...events(restored, 5, 6, 7)];
    expect(findings([log, restored], served)).toEqual(NOTHING_FOUND);
  });
});

describe("the oracle finds", () => {
  it("a loss in the middle, at the beginning and at the end", () => {
    for (const missing of [3, 1, 6]) {
      const rest = [1, 2, 3, 4, 5, 6].filter((number) => number !== missing);
      const { lost, ...others } = findings([log], [begun(log, 0), ...events(log, ...rest)]);
      expect(lost).toEqual([`one: a-${missing}, at ${missing}, never came`]);
      expect({ lost: [], ...others }).toEqual(NOTHING_FOUND);
    }
  });

  it("a loss before a told gap: what follows the last event, up to the place that it says it had", () => {
    const observations = [begun(log, 0), ...events(log, 1), expired(log, 2, 6), begun(log, 4), ...events(log, 5, 6)];
    expect(findings([log], observations).lost).toEqual(["one: a-2, at 2, never came"]);
  });

  it("a loss where nothing came at all", () => {
    expect(findings([log], [begun(log, 4)]).lost).toHaveLength(2);
  });

  it("a double, next to the first and later, and what lies before the place", () => {
    expect(findings([log], [begun(log, 0), ...events(log, 1, 2, 2, 3, 4, 5, 6)]).doubled).toHaveLength(1);
    expect(findings([log], [begun(log, 0), ...events(log, 1, 2, 3, 4, 1, 5, 6)]).doubled).toHaveLength(1);
    expect(findings([log], [begun(log, 4), ...events(log, 4, 5, 6)]).doubled).toHaveLength(1);
  });

  it("a wrong order, and counts nothing of it as lost", () => {
    const { misordered, lost, doubled } = findings([log], [begun(log, 0), ...events(log, 1, 3, 2, 4, 5, 6)]);
    expect(misordered).toEqual(["one: a-2 came late, at 2"]);
    expect([lost, doubled]).toEqual([[], []]);
  });

  it("what was not asked for, and what the log does not hold there", () => {
    const wants = (messageId: string) => messageId !== "a-3";
    expect(findings([log], [begun(log, 2), ...events(log, 3, 4, 5, 6)], wants).wrong).toHaveLength(1);
    const forged: Observation = { kind: "event", messageId: "a-4", place: place(log, 3) };
    expect(findings([log], [begun(log, 2), forged, ...events(log, 4, 5, 6)]).wrong).toHaveLength(1);
  });

  it("an untold gap: another log served on, and a log that ended without a word", () => {
    expect(findings([log, next], [begun(log, 5), ...events(log, 6), ...events(next, 1, 2, 3, 4)]).untold).not.toEqual(
      [],
    );
    expect(findings([log, next], [begun(log, 0), ...events(log, 1, 2, 3, 4, 5, 6)]).untold).toHaveLength(1);
  });

  it("an untold gap where a restored copy has overtaken what it has seen", () => {
    const restored = era("b", 7, { of: log, length: 4 });
    const served = [begun(log, 3), ...events(log, 4, 5, 6), ...events(restored, 7)];
    expect(findings([log, restored], served).untold).not.toEqual([]);
  });

  it("a gap of which it was told without a cause", () => {
    const held = unknown(place(log, 4), place(log, 6), 0);
    expect(findings([log], [begun(log, 4), held, begun(log, 6)]).falselyTold).toHaveLength(1);
    const empty = unknown(place(log, 4), null, 0);
    expect(findings([log], [begun(log, 4), empty, begun(log, 6)]).falselyTold).toHaveLength(1);
  });

  it("wrong bounds of a gap", () => {
    // 5 and later are kept, and 4 is told to be the oldest; and a place that was still held.
    const tooEarly = { ...expired(log, 1, 6), oldest: place(log, 3) } as Observation;
    expect(findings([log], [begun(log, 1), tooEarly, begun(log, 6)]).falselyTold).toHaveLength(1);
    expect(findings([log], [begun(log, 5), expired(log, 5, 6), begun(log, 6)]).falselyTold).toHaveLength(1);
  });

  it("a place behind what has been delivered, told with a gap", () => {
    const told = [begun(log, 0), ...events(log, 1, 2), expired(log, 1, 6), begun(log, 4), ...events(log, 5, 6)];
    expect(findings([log], told).falselyTold).toHaveLength(1);
  });

  it("an event that is twice in the log", () => {
    const twice = { ...log, entries: [...log.entries, { messageId: "a-1", tag: "another" }] };
    const served = [begun(twice, 0), ...events(twice, 1, 2, 3, 4, 5, 6, 7)];
    expect(findings([twice], served).doubled).toEqual(["era 0 holds a-1 again at 7"]);
  });

  it("an epoch that changed without a loss", () => {
    const renewed = { ...log, epochs: new Set(["a", "another"]) };
    expect(findings([renewed], [begun(renewed, 6)]).falselyTold).toHaveLength(1);
  });

  it("what was acknowledged and never in the log, or only in one that was gone by then", () => {
    const acknowledged: Acknowledgement[] = [
      { messageId: "a-1", from: 0, to: 0 },
      { messageId: "nowhere", from: 0, to: 1 },
      { messageId: "a-2", from: 1, to: 1 },
    ];
    const judged = judge({ eras: [log, next], testimonies: [], acknowledged, retention: RETENTION });
    expect(judged.findings.lost).toEqual([
      "nowhere was acknowledged between eras 0 and 1 and never in the log",
      "a-2 was acknowledged between eras 1 and 1 and never in the log",
    ]);
  });

  it("what was acknowledged and lost with its master, where a replica was to have it", () => {
    const promoted: Era = { ...era("b", 5, { of: log, length: 4 }), origin: "replica" };
    const acknowledged: Acknowledgement[] = ["a-4", "a-5"].map((messageId) => ({ messageId, from: 0, to: 0 }));
    const evidence = { eras: [log, promoted], testimonies: [], acknowledged, retention: RETENTION };
    expect(judge({ ...evidence, minReplicas: 1 }).findings.lost).toEqual([
      "a-5 was acknowledged in era 0, and its replica lacks it",
    ]);
    expect(judge({ ...evidence, minReplicas: 0 }).findings).toEqual(NOTHING_FOUND);
  });
});
