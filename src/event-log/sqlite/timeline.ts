import type { DatabaseSync } from "node:sqlite";

/** When the entries were received. The clock never goes back, so a time is found by halving. */
export interface Timeline {
  /** When entry `number`, which the file has, was received: milliseconds since the Unix epoch. */
  receivedAt(number: number): number;
  /** The first of the entries `lowest` to `highest` that was received at `time` or later; `highest + 1` if none was. */
  firstAt(time: number, lowest: number, highest: number): number;
}

export function createTimeline(database: DatabaseSync): Timeline {
  const statement = database.prepare("SELECT received_at FROM entries WHERE number = ?");
  const receivedAt = (number: number) => statement.get(number)?.received_at as number;
  return {
    receivedAt,
    firstAt(time, lowest, highest) {
      let from = lowest;
      let to = highest + 1;
      while (from < to) {
        const middle = Math.floor((from + to) / 2);
        if (receivedAt(middle) < time) from = middle + 1;
        else to = middle;
      }
      return from;
    },
  };
}
