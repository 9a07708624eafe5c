import { withEscapedKeys } from "./escaped-keys.ts";
import type { Json } from "./event.ts";

declare global {
  // ECMAScript 2026, JSON.parse source text access: in Node 24, not yet in TypeScript's libraries.
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** Decimal digits of 2^53: an integer of fewer is exact in a double. */
const INEXACT_DIGITS = 16;

const ZERO = 48;
const NINE = 57;
const MINUS = 45;

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** True of what may stand before and after a number: brackets, comma, colon, whitespace; and either end of the text. */
function isDelimiter(code: number): boolean {
  return code <= 32 || code === 44 || code === 58 || code === 91 || code === 93 || code === 125 || Number.isNaN(code);
}

/**
 * Whether an integer of 16 digits or more may stand in `text` outside its strings. A run of 16 digits covers one
 * of every 16 places, so only those are looked at: about 0.1 µs a kilobyte.
 */
function mayHoldLongInteger(text: string): boolean {
  for (let at = INEXACT_DIGITS - 1; at < text.length; at += INEXACT_DIGITS) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    while (isDigit(text.charCodeAt(from - 1))) from--;
    let to = at + 1;
    while (isDigit(text.charCodeAt(to))) to++;
    if (to - from < INEXACT_DIGITS) continue;
    const before = text.charCodeAt(from - 1) === MINUS ? from - 2 : from - 1;
    if (isDelimiter(text.charCodeAt(before)) && isDelimiter(text.charCodeAt(to))) return true;
    at = to;
  }
  return false;
}

function keepDigits(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source } = context;
  return source !== undefined && /^-?\d+$/.test(source) && source !== String(value) ? JSON.rawJSON(source) : value;
}

/**
 * `JSON.parse`, but no key is taken for another ({@link withEscapedKeys}), and an integer that a double cannot hold
 * keeps its digits: it becomes a `JSON.rawJSON` object, which JSON.stringify writes as it was. (People put 64-bit ids
 * into metadata, and PHP sends them in full.) Fractions and exponents are doubles, as RFC 8259 section 6 lets one
 * expect; beyond a double's range (`1e400`) nothing is kept and null is written. Throws SyntaxError, as JSON.parse does.
 */
export function parseExactly(text: string): Json {
  return withEscapedKeys(text, parseWithDigits);
}

function parseWithDigits(text: string): Json {
  if (mayHoldLongInteger(text)) {
    try {
      return JSON.parse(text, keepDigits) as Json;
    } catch (error) {
      // A reviver recurses on the stack; JSON.parse without one nests as deep as memory lets it.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return JSON.parse(text) as Json;
}
