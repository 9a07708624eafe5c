import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockMatches, examination, type Order } from "../../../src/event-log/block-matches.ts";
import {
  appendPlaces,
  BLOCK_SIZE,
  countPlaces,
  encodePlaces,
  hasPlace,
  listPlaces,
  unitePlaces,
} from "../../../src/event-log/places.ts";

const ascending = (places: Iterable<number>) => [...new Set(places)].sort((a, b) => a - b);

/** Ascending places of a block: few or many, scattered or in a row. */
const somePlaces = fc.oneof(
  fc.uniqueArray(fc.nat(BLOCK_SIZE - 1), { maxLength: 80 }).map(ascending),
  fc
    .record({ step: fc.integer({ min: 1, max: 12 }), first: fc.nat(100), last: fc.nat(BLOCK_SIZE - 1) })
    .map(({ step, first, last }) =>
      Array.from({ length: BLOCK_SIZE }, (_, i) => first + i * step).filter((place) => place <= last),
    ),
);

describe("places of a block", () => {
  it("are read back as they were written, in 2 kB at the most", () => {
    fc.assert(
      fc.property(somePlaces, fc.nat(BLOCK_SIZE - 1), (places, other) => {
        const encoded = encodePlaces(places);
        expect(encoded.length).toBeLessThanOrEqual(2_048);
        expect(listPlaces(encoded)).toEqual(places);
        expect(countPlaces(encoded)).toBe(places.length);
        expect(hasPlace(encoded, other)).toBe(places.includes(other));
        expect(places.every((place) => hasPlace(encoded, place))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("are united, and appended part by part, to the same bytes", () => {
    fc.assert(
      fc.property(fc.array(somePlaces, { minLength: 1, maxLength: 4 }), fc.nat(BLOCK_SIZE), (several, cut) => {
        expect(listPlaces(unitePlaces(several.map(encodePlaces)))).toEqual(ascending(several.flat()));
        const [all = []] = several;
        const [known, more] = [all.slice(0, cut), all.slice(cut)];
        expect(appendPlaces(encodePlaces(known), encodePlaces(more))).toEqual(encodePlaces(all));
      }),
      { numRuns: 60 },
    );
  });

  it("match where every condition has them, up to what may be examined", () => {
    const ends = fc.tuple(fc.nat(BLOCK_SIZE - 1), fc.nat(BLOCK_SIZE - 1)).map(ascending);
    const order = fc.constantFrom<Order>("newest-first", "oldest-first");
    const left = fc.oneof(fc.constant(BLOCK_SIZE), fc.nat(300));
    const several = fc.array(fc.array(somePlaces, { minLength: 1, maxLength: 2 }), { maxLength: 3 });
    fc.assert(
      fc.property(several, ends, order, left, (conditions, span, inOrder, mayExamine) => {
        const [lowest = 0, highest = lowest] = span;
        const everyPlace = Array.from({ length: BLOCK_SIZE }, (_, place) => place);
        // What two values have in common counts twice here.
        const fewest =
          conditions.map((values) => values.flat()).toSorted((a, b) => a.length - b.length)[0] ?? everyPlace;
        const candidates = ascending(fewest).filter((place) => place >= lowest && place <= highest);
        if (inOrder === "newest-first") candidates.reverse();
        const examined = candidates.slice(0, mayExamine);
        const sets = conditions.map((values) => new Set(values.flat()));

        const look = examination(mayExamine);
        const range = { base: 5 * BLOCK_SIZE, lowest, highest, order: inOrder };
        const encoded = conditions.map((values) => values.map(encodePlaces));
        expect([...blockMatches(encoded, range, look)].flat()).toEqual(
          examined.filter((place) => sets.every((set) => set.has(place))),
        );
        expect(look.stopped).toBe(candidates.length > mayExamine);
        expect(look.left).toBe(mayExamine - examined.length);
        expect(look.last).toBe(examined.length === 0 ? undefined : 5 * BLOCK_SIZE + (examined.at(-1) ?? 0));
      }),
      { numRuns: 150 },
    );
  });
});
