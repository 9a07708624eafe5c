import { describe, expect, it } from "vitest";
import type { EventRowFragment } from "../../../dashboard/generated/graphql.ts";
import { EMPTY_LIST, MOST_ROWS, released, withArrived, withOlder } from "../../../dashboard/state/event-list.ts";

/** Rows numbered downwards: the newest first. */
function rows(newest: number, oldest: number): EventRowFragment[] {
  return Array.from(
    { length: newest - oldest + 1 },
    (_, index) => ({ id: String(newest - index) }) as EventRowFragment,
  );
}

function numbers(list: readonly EventRowFragment[]): number[] {
  return list.map(({ id }) => Number(id));
}

/** Whether each row follows the one above it: no hole, no doublet. */
function isDense(list: readonly EventRowFragment[]): boolean {
  return numbers(list).every((number, index, all) => index === 0 || number === (all[index - 1] ?? 0) - 1);
}

describe("the list of events", () => {
  it("has what arrives on top", () => {
    const list = withArrived({ ...EMPTY_LIST, rows: rows(2, 1) }, rows(4, 3), false);
    expect(numbers(list.rows)).toEqual([4, 3, 2, 1]);
  });

  it("keeps what arrives back while it is held, and takes it in on release", () => {
    const held = withArrived(withArrived({ ...EMPTY_LIST, rows: rows(2, 1) }, rows(3, 3), true), rows(5, 4), true);
    expect([numbers(held.rows), numbers(held.held)]).toEqual([
      [2, 1],
      [5, 4, 3],
    ]);
    expect(numbers(released(held).rows)).toEqual([5, 4, 3, 2, 1]);
    expect(released(held).held).toEqual([]);
  });

  it("keeps a bounded number of rows, and knows that there are older ones", () => {
    const list = withArrived({ ...EMPTY_LIST, rows: rows(MOST_ROWS, 1) }, rows(MOST_ROWS + 10, MOST_ROWS + 1), false);
    expect([list.rows.length, list.hasOlder, numbers(list.rows).at(-1)]).toEqual([MOST_ROWS, true, 11]);
  });

  it("has no hole after a hold in which more came than it keeps", () => {
    let list = withArrived(EMPTY_LIST, rows(100, 1), false);
    for (let number = 101; number <= MOST_ROWS + 500; number += 100) {
      list = withArrived(list, rows(number + 99, number), true);
    }
    expect(numbers(list.rows)).toHaveLength(100);
    const after = released(list);
    expect([isDense(after.rows), after.rows.length, after.hasOlder]).toEqual([true, MOST_ROWS, true]);
  });

  it("takes an older page at its end", () => {
    const list = withOlder({ ...EMPTY_LIST, rows: rows(4, 3), hasOlder: true }, rows(2, 1), false);
    expect([numbers(list.rows), list.hasOlder]).toEqual([[4, 3, 2, 1], false]);
  });
});
