import { describe, expect, it } from "vitest";
import { HandOut } from "../../../src/hub/hand-out.ts";
import { type Group, Run, type Sink, Subscriber } from "../../../src/hub/subscriber.ts";
import { createEntryMaker } from "../../harness/entries.ts";

const GROUP: Group = { encode: (entries) => entries.map(() => Buffer.alloc(0)) };
const ENTRIES = createEntryMaker().run(3);
const BEFORE = { epoch: "e", number: 0, tag: "t", cursor: "before" };

interface Taken {
  readonly who: number;
  readonly run: Run;
}

/** Subscribers who note what they are offered, all in one list. */
function createListeners(
  count: number,
  sinkOf: (who: number, all: readonly Subscriber[]) => Partial<Sink> = () => ({}),
) {
  const taken: Taken[] = [];
  const all: Subscriber[] = [];
  for (let who = 0; who < count; who += 1) {
    const sink: Sink = {
      offer(run) {
        taken.push({ who, run });
        return run.entries.length;
      },
      isOpen: true,
      hasRoom: true,
      drained: () => Promise.resolve(),
      end() {},
      ...sinkOf(who, all),
    };
    all.push(new Subscriber({ group: GROUP, filter: [], sink, after: null, liveFrom: 0, leave() {} }));
  }
  return { taken, all };
}

describe("a hand-out", () => {
  it("offers everything, in the order in which it was added, however much that is", () => {
    const { taken, all } = createListeners(50);
    const handOut = new HandOut(BEFORE);
    const runs = [0, 1, 2].map((from) => new Run(GROUP, ENTRIES.slice(from), "live"));
    for (const run of runs) for (const subscriber of all) handOut.add(subscriber, run);
    handOut.flush();
    expect(taken).toEqual(runs.flatMap((run) => all.map((_subscriber, who) => ({ who, run }))));
  });

  it("offers nothing to whom the end of another one has ended", () => {
    // As of two operations of one socket, which is closed when the first of them lags.
    const { taken, all } = createListeners(4, (who, others) =>
      who === 1 ? { offer: () => 0, end: () => others[2]?.close() } : {},
    );
    const handOut = new HandOut(BEFORE);
    const run = new Run(GROUP, ENTRIES, "live");
    for (const subscriber of all) handOut.add(subscriber, run);
    handOut.flush();
    expect(taken.map(({ who }) => who)).toEqual([0, 3]);
    expect(all.map(({ ended }) => ended)).toEqual([false, true, true, false]);
  });

  it("offers nothing to whom nobody reads any more", () => {
    const { taken, all } = createListeners(3, (who) => ({ isOpen: who !== 1 }));
    const handOut = new HandOut(BEFORE);
    const run = new Run(GROUP, ENTRIES, "live");
    for (const subscriber of all) handOut.add(subscriber, run);
    handOut.flush();
    expect(taken.map(({ who }) => who)).toEqual([0, 2]);
  });
});
