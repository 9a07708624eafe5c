import {
  countBits,
  countPlaces,
  EVERY_PLACE,
  hasPlace,
  highestBit,
  isList,
  listPlaces,
  lowestBit,
  type Places,
  placesInWord,
  toBits,
  unitePlaces,
  wordAt,
} from "./places.ts";

export type Order = "newest-first" | "oldest-first";

/** Candidates that a look may still examine, and how far it came. */
export interface Examination {
  left: number;
  /** Number of the last candidate examined. */
  last: number | undefined;
  /** Whether the look stopped because `left` was used up. */
  stopped: boolean;
}

export function examination(limit: number): Examination {
  return { left: limit, last: undefined, stopped: false };
}

/** What of a block is looked at: the places from `lowest` to `highest`, inclusive, of the block of number `base`. */
export interface BlockRange {
  readonly base: number;
  readonly lowest: number;
  readonly highest: number;
  readonly order: Order;
}

/** What a condition has in a block: the places of each of its values. */
type Condition = readonly Places[];

const sizeOf = (condition: Condition) => condition.reduce((sum, places) => sum + countPlaces(places), 0);

/** Places up to which it takes less to ask for each than to go through a block's words. */
const SHORT_LIST = 64;

/** Candidates from a short list. */
function fromList(list: Places, others: readonly Condition[], range: BlockRange, examined: Examination): number[] {
  const candidates = listPlaces(list).filter((place) => place >= range.lowest && place <= range.highest);
  if (range.order === "newest-first") candidates.reverse();
  examined.stopped = candidates.length > examined.left;
  if (examined.stopped) candidates.length = examined.left;
  examined.left -= candidates.length;
  const last = candidates.at(-1);
  if (last !== undefined) examined.last = range.base + last;
  return candidates.filter((place) => others.every((other) => other.some((places) => hasPlace(places, place))));
}

/** Candidates from bits, word by word, since a page may be full long before the end. */
function* fromBits(
  bits: Places,
  others: readonly Places[],
  { base, lowest, highest, order }: BlockRange,
  examined: Examination,
): Generator<number[]> {
  const newestFirst = order === "newest-first";
  const [first, final, step] = newestFirst ? [highest >> 5, lowest >> 5, -1] : [lowest >> 5, highest >> 5, 1];
  for (let i = first; i !== final + step && !examined.stopped; i += step) {
    let word = wordAt(bits, i);
    if (i === lowest >> 5) word &= -1 << (lowest & 31);
    if (i === highest >> 5) word &= -1 >>> (31 - (highest & 31));
    for (; countBits(word) > examined.left; examined.stopped = true) {
      word &= ~(1 << (newestFirst ? lowestBit(word) : highestBit(word)));
    }
    if (word === 0) continue;
    examined.left -= countBits(word);
    examined.last = base + i * 32 + (newestFirst ? lowestBit(word) : highestBit(word));
    for (const other of others) word &= wordAt(other, i);
    const places = placesInWord(word, i);
    if (places.length > 0) yield newestFirst ? places.reverse() : places;
  }
}

/**
 * The places that all of `conditions` have, part by part, in the order of the look. The candidates, which are what is
 * examined, are those of the condition that has the fewest, or of the one at place `known`.
 */
export function* blockMatches(
  conditions: readonly Condition[],
  range: BlockRange,
  examined: Examination,
  known?: number,
): Generator<readonly number[]> {
  const sizes = conditions.map((condition) => (conditions.length === 1 ? 0 : sizeOf(condition)));
  const fewest = conditions[known ?? sizes.indexOf(Math.min(...sizes))];
  const others = conditions.filter((condition) => condition !== fewest);
  const candidates = fewest === undefined ? EVERY_PLACE : unitePlaces(fewest);
  if (isList(candidates) && countPlaces(candidates) <= SHORT_LIST) {
    yield fromList(candidates, others, range, examined);
  } else {
    const bits = others.map((condition) => toBits(unitePlaces(condition)));
    yield* fromBits(toBits(candidates), bits, range, examined);
  }
}
