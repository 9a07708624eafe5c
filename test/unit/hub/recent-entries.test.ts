import { describe, expect, it } from "vitest";
import { createRecentEntries } from "../../../src/hub/recent-entries.ts";
import { createEntryMaker } from "../../harness/entries.ts";

const numbers = (entries: readonly { number: number }[]): number[] => entries.map(({ number }) => number);

describe("recent entries", () => {
  it("hold the newest, up to their number", () => {
    const recent = createRecentEntries({ maxEntries: 100, maxBytes: 1e9 });
    const all = createEntryMaker().run(1_000);
    for (const entry of all) recent.push([entry]);
    expect(recent.size).toBe(100);
    expect(recent.holds(all[899]!)).toBe(false);
    expect(recent.holds(all[900]!)).toBe(true);
    expect(numbers(recent.after(901, 1_000))).toEqual(numbers(all.slice(901)));
    expect(numbers(recent.after(950, 3))).toEqual([951, 952, 953]);
    expect(recent.after(1_000, 10)).toEqual([]);
  });

  it("hold no more than their bytes, and the newest always", () => {
    const maker = createEntryMaker();
    const recent = createRecentEntries({ maxEntries: 100, maxBytes: 1_000 });
    recent.push([maker.next({}, 400), maker.next({}, 400), maker.next({}, 400)]);
    expect([recent.size, recent.bytes]).toEqual([2, 800]);
    const large = maker.next({}, 5_000);
    recent.push([large]);
    expect([recent.size, recent.bytes, recent.holds(large)]).toEqual([1, 5_000, true]);
  });

  it("know an entry by its tag and epoch, not by its number alone", () => {
    const recent = createRecentEntries({ maxEntries: 10, maxBytes: 1e9 });
    const entries = createEntryMaker().run(5);
    recent.push(entries);
    expect(recent.holds(entries[2]!)).toBe(true);
    expect(recent.holds({ epoch: entries[2]!.epoch, number: 3, tag: entries[1]!.tag })).toBe(false);
    expect(recent.holds({ epoch: "00000000", number: 3, tag: entries[2]!.tag })).toBe(false);
    expect(recent.holds({ epoch: "0badcafe", number: 0, tag: "AAAAAAAA" })).toBe(false);
  });

  it("keep the places of erased entries, and weigh no more than what is left", () => {
    const recent = createRecentEntries({ maxEntries: 10, maxBytes: 1e9 });
    const maker = createEntryMaker();
    const entries = [400, 300, 200, 100].map((bytes) => maker.next({}, bytes));
    recent.push(entries);
    recent.erase([entries[1]!, entries[3]!, { number: 3, tag: "00000000" }, { number: 17, tag: entries[0]!.tag }]);
    expect(recent.after(1, 10).map(({ event }) => event === null)).toEqual([true, false, true]);
    expect([recent.size, recent.bytes, recent.holds(entries[1]!)]).toEqual([4, 600, true]);
    expect(recent.after(1, 1)[0]).toMatchObject({ cursor: entries[1]!.cursor, receivedAt: entries[1]!.receivedAt });
    recent.erase(entries);
    expect([recent.size, recent.bytes]).toEqual([4, 0]);
  });

  it("hold nothing once they are cleared, and can begin anywhere then", () => {
    const recent = createRecentEntries({ maxEntries: 10, maxBytes: 1e9 });
    const maker = createEntryMaker();
    const before = maker.run(5);
    recent.push(before);
    recent.clear();
    expect([recent.size, recent.bytes, recent.holds(before[4]!)]).toEqual([0, 0, false]);
    maker.run(20);
    const after = maker.run(2);
    recent.push(after);
    expect(numbers(recent.after(26, 10))).toEqual([27]);
  });
});
