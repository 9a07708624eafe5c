import { endOfString } from "../event/json-string.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The texts of the elements of a JSON array, as they stand in it. `array` must have been parsed before: nothing is
 * checked here. Reads the text once from end to end and needs no stack, however deeply it is nested.
 */
export function elementTexts(array: string): string[] {
  const texts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < array.length; at++) {
    const code = array.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(array, at);
    } else if (code === COMMA) {
      if (depth !== 1) continue;
      texts.push(array.slice(start, at).trim());
      start = at + 1;
    } else if (code < OPEN_BRACKET) {
      // Most of what stands between strings: digits and colons.
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++;
      if (depth === 1) start = at + 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
      // Nothing stands in an empty array.
      if (depth === 0 && array.slice(start, at).trim() !== "") texts.push(array.slice(start, at).trim());
    }
  }
  return texts;
}
