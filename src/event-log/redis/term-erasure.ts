import { encodePlaces, listPlaces } from "../places.ts";
import { isBucket, withoutPlaces } from "./term-block.ts";

/** What stands somewhere in the index, and what is to stand there without some entries. */
export interface Change<Place> {
  readonly at: Place;
  readonly before: Uint8Array;
  /** Empty where nothing is left. */
  readonly after: Uint8Array;
}

const NEWLINE = 0x0a;
const NUMBER_SIGN = "#";
const ERASED = ".";

/**
 * What is to be written into the tail: for each append that has some of `numbers` all of its lines, up to the tag that
 * tells them from any others.
 */
export function tailChanges(tail: Buffer, numbers: ReadonlySet<number>): Change<number>[] {
  const changes: Change<number>[] = [];
  let lines: { readonly from: number; readonly to: number }[] = [];
  let begin = 0;
  for (let from = 0; from < tail.length; ) {
    const to = tail.indexOf(NEWLINE, from);
    if (tail.toString("latin1", from, from + 1) === NUMBER_SIGN) {
      const first = Number.parseInt(tail.toString("latin1", from + 1, to), 10);
      const before = tail.subarray(begin, to + 1);
      const after = Buffer.from(before);
      for (const [i, line] of lines.entries()) {
        if (numbers.has(first + i)) after.fill(ERASED, line.from - begin, line.to - begin);
      }
      if (!after.equals(before)) changes.push({ at: begin, before, after });
      lines = [];
      begin = to + 1;
    } else {
      lines.push({ from, to });
    }
    from = to + 1;
  }
  return changes;
}

/** What is to be written into the fields of a block, whichever have some of `places`. */
export function blockChanges(block: Readonly<Record<string, Buffer>>, places: ReadonlySet<number>): Change<string>[] {
  return Object.entries(block).flatMap(([field, before]): Change<string>[] => {
    const after = isBucket(field)
      ? withoutPlaces(before, places)
      : encodePlaces(listPlaces(before).filter((place) => !places.has(place)));
    return before.equals(after) ? [] : [{ at: field, before, after }];
  });
}
