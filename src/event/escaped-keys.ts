import type { Json } from "./event.ts";
import { endOfString } from "./json-string.ts";

const SPACE = 0x20;
const COLON = 0x3a;

/** A key that is written with an escape: from its opening to behind its closing quote. */
interface Key {
  readonly from: number;
  readonly to: number;
}

/** The keys with an escape in a JSON text. Looks at the strings that have a backslash, and at nothing else. */
function keysWithEscapes(json: string): Key[] {
  const keys: Key[] = [];
  for (let at = json.indexOf("\\"); at !== -1; at = json.indexOf("\\", at)) {
    const from = json.lastIndexOf('"', at);
    at = endOfString(json, at) + 1;
    const to = at;
    while (json.charCodeAt(at) <= SPACE) at++;
    if (json.charCodeAt(at) === COLON) keys.push({ from, to });
  }
  return keys;
}

/**
 * What `parse` makes of a JSON text, with its keys as they are written; throws what JSON.parse throws. V8 (Node 24 and 26) takes a key with an
 * escape for another one that it has met at the same place of an object, if that reads like the escape's beginning:
 * after `{"a":1,"\\":2}`, the key of `{"a":1,"\n":2}` is a backslash (https://github.com/nodejs/node/issues/63785). So
 * such keys are parsed under names without an escape.
 */
export function withEscapedKeys(json: string, parse: (json: string) => Json): Json {
  const keys = keysWithEscapes(json);
  if (keys.length === 0) return parse(json);
  // Throws where this is no JSON after all, and tells the place in this text.
  JSON.parse(json);
  const mark = unusedMark(json);
  const pieces: string[] = [];
  const names = new Map<string, string>();
  let end = 0;
  for (const { from, to } of keys) {
    const standIn = mark + names.size.toString(36);
    pieces.push(json.slice(end, from), '"', standIn, '"');
    // A string by itself is read as it is written.
    names.set(standIn, JSON.parse(json.slice(from, to)) as string);
    end = to;
  }
  const value = parse(pieces.join("") + json.slice(end));
  putBack(value, names);
  return value;
}

/**
 * Short, since a batch can be all keys; by chance, since the sender must not be able to foresee it; and no number, which
 * would come before the other keys.
 */
function unusedMark(json: string): string {
  let mark: string;
  do mark = `k${Math.random().toString(36).slice(2, 8)}`;
  while (json.includes(`"${mark}`));
  return mark;
}

/** Needs no stack, however deeply `value` is nested. */
function putBack(value: Json, names: ReadonlyMap<string, string>): void {
  const pending: unknown[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== "object" || next === null || JSON.isRawJSON(next)) continue;
    for (const inner of Object.values(next)) if (typeof inner === "object") pending.push(inner);
    if (Array.isArray(next)) continue;
    const entries = Object.entries(next);
    if (!entries.some(([key]) => names.has(key))) continue;
    for (const [key] of entries) delete (next as Record<string, unknown>)[key];
    for (const [key, inner] of entries) {
      Object.defineProperty(next, names.get(key) ?? key, {
        value: inner,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
}
