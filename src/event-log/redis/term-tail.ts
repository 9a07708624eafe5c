import { TERM_LENGTH } from "./term.ts";

/**
 * A term as two numbers of 24 bits: so that those of many entries lie in arrays that the garbage collector need not
 * look into.
 */
export interface TermCode {
  readonly high: number;
  readonly low: number;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGIT_VALUES = new Uint8Array(256);
for (const [value, digit] of [...DIGITS].entries()) DIGIT_VALUES[digit.charCodeAt(0)] = value;

const NEWLINE = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
/** Begins the line behind those of one append. */
const NUMBER_SIGN = 0x23;
/** Stands in the place of the terms of an entry that was erased. */
const ERASED = 0x2e;

function codeAt(bytes: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + TERM_LENGTH / 2; i++) code = (code << 6) | (DIGIT_VALUES[bytes[i] as number] as number);
  return code;
}

export function termCode(term: string): TermCode {
  const bytes = Buffer.from(term, "latin1");
  return { high: codeAt(bytes, 0), low: codeAt(bytes, TERM_LENGTH / 2) };
}

/**
 * The index of some entries, read once and then only added to: which terms each bears. What was taken of it by
 * {@link view} stays true.
 */
export class IndexedEntries {
  #numbers = new Float64Array(1_024);
  /** Of each entry, where its terms end. */
  #ends = new Uint32Array(1_024);
  #highs = new Uint32Array(4_096);
  #lows = new Uint32Array(4_096);
  #entries = 0;
  #terms = 0;

  /**
   * Adds what append.lua wrote: for each append the terms of its entries, a line each, and a line that tells the number
   * of the first. `bytes` ends with such a line.
   */
  addLines(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const unnumbered = this.#entries;
      while (bytes[at] !== NUMBER_SIGN) {
        const end = bytes.indexOf(NEWLINE, at);
        if (end === -1) throw new Error("the index of the log cannot be read");
        for (; at + TERM_LENGTH <= end; at += TERM_LENGTH) {
          if (bytes[at] !== ERASED) this.#addTerm(codeAt(bytes, at), codeAt(bytes, at + TERM_LENGTH / 2));
        }
        this.#addEntry();
        at = end + 1;
      }
      let first = 0;
      for (at += 1; (bytes[at] as number) > SPACE; at += 1) first = first * 10 + (bytes[at] as number) - ZERO;
      for (let i = unnumbered; i < this.#entries; i++) this.#numbers[i] = first + i - unnumbered;
      at = bytes.indexOf(NEWLINE, at) + 1;
    }
  }

  /** What it holds now. */
  view(): EntryTerms {
    return {
      length: this.#entries,
      numbers: this.#numbers,
      ends: this.#ends,
      highs: this.#highs,
      lows: this.#lows,
    };
  }

  #addEntry(): void {
    if (this.#entries === this.#numbers.length) {
      this.#numbers = grown(this.#numbers, new Float64Array(2 * this.#entries));
      this.#ends = grown(this.#ends, new Uint32Array(2 * this.#entries));
    }
    this.#ends[this.#entries] = this.#terms;
    this.#entries += 1;
  }

  #addTerm(high: number, low: number): void {
    if (this.#terms === this.#highs.length) {
      this.#highs = grown(this.#highs, new Uint32Array(2 * this.#terms));
      this.#lows = grown(this.#lows, new Uint32Array(2 * this.#terms));
    }
    this.#highs[this.#terms] = high;
    this.#lows[this.#terms] = low;
    this.#terms += 1;
  }
}

function grown<A extends Float64Array | Uint32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** The terms of entries, oldest first: those of entry `i` end before `ends[i]`. The arrays may be longer. */
export interface EntryTerms {
  readonly length: number;
  /** Ascending. */
  readonly numbers: Float64Array;
  readonly ends: Uint32Array;
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
}

/** The index of the first entry whose number is `number` or more. */
export function firstFrom({ numbers, length }: EntryTerms, number: number): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((numbers[middle] as number) < number) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Bits of a term's lower half by which most of the others are passed over. */
const SIEVE_BITS = 0x3ff;

/** The numbers that bear each of `wanted`, less `base`, among the entries from index `from` to before index `to`. */
export function placesOfTerms(
  { numbers, ends, highs, lows }: EntryTerms,
  wanted: readonly TermCode[],
  from: number,
  to: number,
  base: number,
): readonly (readonly number[])[] {
  const places = wanted.map((): number[] => []);
  const sieve = new Uint8Array(SIEVE_BITS + 1);
  for (const { low } of wanted) sieve[low & SIEVE_BITS] = 1;
  let term = from === 0 ? 0 : (ends[from - 1] as number);
  for (let i = from; i < to; i++) {
    for (const end = ends[i] as number; term < end; term++) {
      const low = lows[term] as number;
      if (sieve[low & SIEVE_BITS] === 0) continue;
      for (let w = 0; w < wanted.length; w++) {
        const code = wanted[w] as TermCode;
        const found = places[w] as number[];
        const place = (numbers[i] as number) - base;
        if (code.low === low && code.high === highs[term] && found.at(-1) !== place) found.push(place);
      }
    }
  }
  return places;
}
