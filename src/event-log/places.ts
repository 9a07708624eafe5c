/** Numbers that share one row of the index: as bits they take 2 kB, of which two rows fit a page of the file. */
export const BLOCK_SIZE = 16_384;

/** The block in which a number lies. */
export function blockOf(number: number): number {
  return Math.floor(number / BLOCK_SIZE);
}

/** The place of a number in its block. */
export function placeOf(number: number): number {
  return number % BLOCK_SIZE;
}

/**
 * Some places of a block, as the file has them: a list of two bytes each, ascending, little-endian; or, where that
 * would take no less, one bit each.
 */
export type Places = Uint8Array;

const BITS_BYTES = BLOCK_SIZE / 8;

/** Words of 32 bits that a block's bits have. */
const BLOCK_WORDS = BLOCK_SIZE / 32;

/** Every place of a block. */
export const EVERY_PLACE: Places = new Uint8Array(BITS_BYTES).fill(0xff);

export function isList(places: Places): boolean {
  return places.length < BITS_BYTES;
}

/** Word `i` of bits: its lowest bit is place `32 * i`. */
export function wordAt(bits: Places, i: number): number {
  const at = i * 4;
  return (
    (bits[at] as number) |
    ((bits[at + 1] as number) << 8) |
    ((bits[at + 2] as number) << 16) |
    ((bits[at + 3] as number) << 24)
  );
}

/** Bits set in a word: https://graphics.stanford.edu/~seander/bithacks.html#CountBitsSetParallel */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const quads = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((quads + (quads >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

export const highestBit = (word: number) => 31 - Math.clz32(word);
export const lowestBit = (word: number) => highestBit(word & -word);

/** The places of the bits set in word `i`, ascending. */
export function placesInWord(word: number, i: number): number[] {
  const places: number[] = [];
  for (let rest = word; rest !== 0; rest &= rest - 1) places.push(i * 32 + lowestBit(rest));
  return places;
}

/** Place `i` of a list. */
function listedAt(list: Places, i: number): number {
  return (list[2 * i] as number) | ((list[2 * i + 1] as number) << 8);
}

/** All places, ascending. */
export function listPlaces(places: Places): number[] {
  if (isList(places)) return Array.from({ length: places.length / 2 }, (_, i) => listedAt(places, i));
  const list: number[] = [];
  for (let i = 0; i < BLOCK_WORDS; i++) {
    for (const place of placesInWord(wordAt(places, i), i)) list.push(place);
  }
  return list;
}

export function countPlaces(places: Places): number {
  if (isList(places)) return places.length / 2;
  let count = 0;
  for (let i = 0; i < BLOCK_WORDS; i++) count += countBits(wordAt(places, i));
  return count;
}

export function hasPlace(places: Places, place: number): boolean {
  if (!isList(places)) return ((places[place >> 3] as number) & (1 << (place & 7))) !== 0;
  let from = 0;
  let to = places.length / 2;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (listedAt(places, middle) < place) from = middle + 1;
    else to = middle;
  }
  return from < places.length / 2 && listedAt(places, from) === place;
}

const setPlace = (bits: Places, place: number) => {
  bits[place >> 3] = (bits[place >> 3] as number) | (1 << (place & 7));
};

/** Writes places, which ascend, in the shorter form. */
export function encodePlaces(ascending: readonly number[]): Places {
  const isShort = ascending.length * 2 < BITS_BYTES;
  const places = new Uint8Array(isShort ? ascending.length * 2 : BITS_BYTES);
  for (const [i, place] of ascending.entries()) {
    if (isShort) {
      places[2 * i] = place & 0xff;
      places[2 * i + 1] = place >> 8;
    } else {
      setPlace(places, place);
    }
  }
  return places;
}

function addBits(bits: Places, places: Places): void {
  if (isList(places)) {
    for (let i = 0; i < places.length / 2; i++) setPlace(bits, listedAt(places, i));
  } else {
    for (let i = 0; i < BITS_BYTES; i++) bits[i] = (bits[i] as number) | (places[i] as number);
  }
}

/** The same places as bits. */
export function toBits(places: Places): Places {
  if (!isList(places)) return places;
  const bits = new Uint8Array(BITS_BYTES);
  addBits(bits, places);
  return bits;
}

/** The places that any of `several` has; one of them itself where it is the only one. */
export function unitePlaces(several: readonly Places[]): Places {
  const [first, ...others] = several;
  if (first !== undefined && others.length === 0) return first;
  if (several.reduce((bytes, { length }) => bytes + length, 0) < BITS_BYTES) {
    return encodePlaces([...new Set(several.flatMap(listPlaces))].sort((a, b) => a - b));
  }
  const bits = new Uint8Array(BITS_BYTES);
  for (const places of several) addBits(bits, places);
  return bits;
}

/** `known` with `more`, which lie above them. */
export function appendPlaces(known: Places, more: Places): Places {
  if (known.length + more.length >= BITS_BYTES) return unitePlaces([known, more]);
  const all = new Uint8Array(known.length + more.length);
  all.set(known);
  all.set(more, known.length);
  return all;
}
