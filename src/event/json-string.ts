const BACKSLASH = 0x5c;

/** Where the string that begins at or before `at` ends in a JSON text: the index of its closing quote. */
export function endOfString(json: string, at: number): number {
  for (let quote = json.indexOf('"', at + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let first = quote;
    while (json.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((quote - first) % 2 === 0) return quote;
  }
  return json.length;
}
