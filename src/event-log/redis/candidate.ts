import { randomBytes, randomFillSync } from "node:crypto";
import { CURSOR_KEY_BYTES } from "../../event/cursor.ts";

const EPOCH_BYTES = 4;
const TAG_BYTES = 6;
const TAG_LENGTH = 8;

/** Randomness is drawn ahead: a draw takes some ten microseconds, however little it is for. */
const drawn = Buffer.alloc(8 * 1024);
let used = drawn.length;

function random(bytes: number, encoding: "hex" | "base64url"): string {
  if (bytes > drawn.length) return randomBytes(bytes).toString(encoding);
  if (used + bytes > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += bytes;
  return drawn.toString(encoding, used - bytes, used);
}

export function newEpoch(): string {
  return random(EPOCH_BYTES, "hex");
}

/** What a script makes a log with where there is none: epoch and cursor key, in this order. */
export function newLog(): readonly [epoch: string, cursorKey: string] {
  return [newEpoch(), random(CURSOR_KEY_BYTES, "hex")];
}

/** `count` tags, from one piece of randomness. */
export function newTags(count: number): readonly string[] {
  const randomness = random(count * TAG_BYTES, "base64url");
  return Array.from({ length: count }, (_, i) => randomness.slice(i * TAG_LENGTH, (i + 1) * TAG_LENGTH));
}
