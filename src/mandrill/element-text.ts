const QUOTE = 0x22;
const BACKSLASH = 0x5c;
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
    switch (array.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(array, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        if (depth === 1) start = at + 1;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        if (depth === 0) texts.push(array.slice(start, at).trim());
        break;
      case COMMA:
        if (depth !== 1) break;
        texts.push(array.slice(start, at).trim());
        start = at + 1;
        break;
    }
  }
  return texts;
}

function endOfString(text: string, quote: number): number {
  let at = quote + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) at++;
  }
  return at;
}
