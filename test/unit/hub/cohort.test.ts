import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventFilter, matchesFilter } from "../../../src/event/event-filter.ts";
import type { LiveEntry } from "../../../src/event/live-entry.ts";
import { type Cohort, type CohortIndex, createCohortIndex } from "../../../src/hub/cohort.ts";
import { type Group, type Sink, Subscriber } from "../../../src/hub/subscriber.ts";
import { createEntryMaker } from "../../harness/entries.ts";

const sink: Sink = {
  offer: (run) => run.entries.length,
  isOpen: true,
  hasRoom: true,
  drained: () => Promise.resolve(),
  end() {},
};
const group = (): Group => ({ encode: (entries) => entries.map(() => Buffer.alloc(0)) });
/** Those that want the entry. */
const matching = (index: CohortIndex, entry: LiveEntry): readonly Cohort[] =>
  index.wanted([entry]).map(({ cohort, entries }) => {
    expect(entries).toEqual([entry]);
    return cohort;
  });
const subscriber = (filter: EventFilter, of: Group): Subscriber =>
  new Subscriber({ group: of, filter, sink, after: null, liveFrom: 0, leave() {} });

describe("the index of cohorts", () => {
  it("puts subscribers of one group and one filter together, and no others", () => {
    const index = createCohortIndex();
    const [one, other] = [group(), group()];
    const opens: EventFilter = [{ field: "type", anyOf: ["open"] }];
    for (const each of [
      subscriber(opens, one),
      subscriber(opens, one),
      subscriber([], one),
      subscriber(opens, other),
    ]) {
      index.join(each);
    }
    const cohorts = matching(index, createEntryMaker().next({ type: "open" }));
    expect(cohorts.map(({ members }) => members.size).sort()).toEqual([1, 1, 2]);
  });

  it("meets a cohort once, however many of the event's values it stands under", () => {
    const index = createCohortIndex();
    index.join(subscriber([{ field: "tag", anyOf: ["a", "b", "c"] }], group()));
    const entry = createEntryMaker().next({ tags: ["a", "b", "x"] });
    expect(matching(index, entry)).toHaveLength(1);
  });

  it("finds nobody under an empty list", () => {
    const index = createCohortIndex();
    index.join(subscriber([{ field: "type", anyOf: [] }], group()));
    index.join(
      subscriber(
        [
          { field: "type", anyOf: ["open"] },
          { field: "tag", anyOf: [] },
        ],
        group(),
      ),
    );
    expect(matching(index, createEntryMaker().next({ type: "open" }))).toEqual([]);
  });

  it("forgets who leaves, and counts", () => {
    const index = createCohortIndex();
    const of = group();
    const both = [subscriber([], of), subscriber([], of)] as const;
    index.join(both[0]);
    index.join(both[1]);
    index.leave(both[0]);
    index.leave(both[0]);
    expect(index.size).toBe(1);
    expect([...index.subscribers()]).toEqual([both[1]]);
    index.leave(both[1]);
    expect(matching(index, createEntryMaker().next())).toEqual([]);
    expect(index.size).toBe(0);
  });

  it("finds exactly those whose filter holds, for any filters and events", () => {
    const value = fc.constantFrom("a", "b", "c");
    const field = fc.constantFrom("email" as const, "messageId" as const, "tag" as const, "subaccount" as const);
    const type = fc.constantFrom("open" as const, "click" as const, "send" as const);
    const filter = fc.array(
      fc.oneof(
        fc.record({ field, anyOf: fc.uniqueArray(value) }),
        fc.record({ field: fc.constant("type" as const), anyOf: fc.uniqueArray(type) }),
      ),
      { maxLength: 4 },
    );
    const fields = fc.record({ type, email: value, messageId: value, tags: fc.uniqueArray(value), subaccount: value });
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 20 }), fc.array(fields, { maxLength: 5 }), (filters, events) => {
        const index = createCohortIndex();
        const subscribers = filters.map((each) => subscriber(each, group()));
        for (const each of subscribers) index.join(each);
        const maker = createEntryMaker();
        const entries = events.map((each) => maker.next(each));
        // All at once, each gets what it would get one by one, in order.
        const wanted = new Map(
          index.wanted(entries).map(({ cohort, entries: some }) => [[...cohort.members][0], some]),
        );
        for (const each of subscribers) {
          const own = entries.filter(({ event }) => matchesFilter(each.filter, event));
          expect(wanted.get(each) ?? []).toEqual(own);
        }
        for (const entry of entries) {
          const found = matching(index, entry).flatMap(({ members }) => [...members]);
          expect(new Set(found)).toEqual(
            new Set(subscribers.filter((each) => matchesFilter(each.filter, entry.event))),
          );
          expect(found).toHaveLength(new Set(found).size);
        }
        for (const each of subscribers) index.leave(each);
        expect(index.size).toBe(0);
      }),
    );
  });
});
