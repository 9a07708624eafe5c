import { hash } from "node:crypto";
import type { Json } from "./event.ts";

/**
 * Arrays and objects within one another, at the most: a value nested deeper cannot be written back as JSON by every
 * reader (JSON.stringify ends near 4,000 with a stack overflow, PHP's json_decode at 512, Python's near 1,000).
 */
export const MAX_NESTING = 1_000;

/** Characters of an id: 132 bits. */
const ID_LENGTH = 22;

/** What stands before a string of so many characters: without it, `["ab"]` and `["a","b"]` would look alike. */
const LENGTH_MARKS = Array.from({ length: 256 }, (_, length) => `"${length}:`);

function lengthMark(length: number): string {
  return LENGTH_MARKS[length] ?? `"${length}:`;
}

/** Keys as an object has them, in order by UTF-16 code units, and each with its length. */
interface Shape {
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
  readonly marked: readonly string[];
}

/** Shapes that are remembered of each number of keys, the most keys, and their length: Mandrill has a dozen shapes. */
const SHAPES_KEPT = 8;
const KEYS_KEPT = 64;
const LENGTH_KEPT = 2_000;

const shapesByLength: Shape[][] = Array.from({ length: KEYS_KEPT }, () => []);

/** The shape of an object with these keys: remembered, since comparing keys one by one is quicker than sorting them. */
function shapeOf(keys: readonly string[]): Shape {
  const shapes = shapesByLength[keys.length] ?? [];
  for (const shape of shapes) if (areEqual(shape.keys, keys)) return shape;
  const sorted = [...keys].sort();
  const marked = sorted.map((key) => lengthMark(key.length) + key);
  const shape = { keys, sorted, marked };
  if (marked.join("").length > LENGTH_KEPT) return shape;
  if (shapes.length === SHAPES_KEPT) shapes.shift();
  shapes.push(shape);
  return shape;
}

/** Of the same length. */
function areEqual(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

class NestedTooDeep extends Error {}

function canonical(value: Json, depth: number): string {
  if (typeof value === "string") return lengthMark(value.length) + value;
  if (typeof value !== "object" || value === null) return `${value},`;
  if (depth === MAX_NESTING) throw new NestedTooDeep();
  if (Array.isArray(value)) {
    let text = "[";
    for (const member of value as readonly Json[]) text += canonical(member, depth + 1);
    return `${text}]`;
  }
  const object = value as { readonly [key: string]: Json };
  const { keys, sorted, marked } = shapeOf(Object.keys(object));
  if (keys.length === 1 && JSON.isRawJSON(object)) return `${object.rawJSON},`;
  let text = "{";
  for (let i = 0; i < sorted.length; i++) {
    const field = object[sorted[i] as string] as Json;
    text += marked[i];
    // The commonest case in place: a call less.
    text += typeof field === "string" ? lengthMark(field.length) + field : canonical(field, depth + 1);
  }
  return `${text}}`;
}

/**
 * A text that two JSON values share exactly if they are equal, whatever the order of their keys and the spelling of
 * their strings. Strings are written with their length and unescaped: it is made to be hashed, not to be read.
 * null where the value is nested deeper than {@link MAX_NESTING}.
 */
export function canonicalContent(value: Json): string | null {
  try {
    return canonical(value, 0);
  } catch (error) {
    if (error instanceof NestedTooDeep) return null;
    throw error;
  }
}

function digest(text: string): string {
  // As UTF-8 all lone surrogates would look alike. No canonical text has a NUL second, so the two forms never meet.
  const bytes = text.isWellFormed() ? text : Buffer.from(text, "utf16le");
  return hash("sha256", bytes, "base64url").slice(0, ID_LENGTH);
}

/**
 * The ids of one batch's events, 22 characters of base64url each, from their {@link canonicalContent}. An id is a
 * hash of the content and of its ordinal among the identical ones of the batch: the same for every redelivery,
 * distinct for two equal events of one batch. The same content in another batch counts as a redelivery.
 */
export function eventIds(contents: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return contents.map((content) => {
    const id = digest(content);
    const ordinal = seen.get(id) ?? 0;
    seen.set(id, ordinal + 1);
    return ordinal === 0 ? id : digest(`${id}#${ordinal}`);
  });
}
