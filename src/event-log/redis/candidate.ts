import { randomBytes } from "node:crypto";
import { CURSOR_KEY_BYTES } from "../../event/cursor.ts";

const EPOCH_BYTES = 4;
const TAG_BYTES = 6;
const TAG_LENGTH = 8;

export function newEpoch(): string {
  return randomBytes(EPOCH_BYTES).toString("hex");
}

/** What a script makes a log with where there is none: epoch and cursor key, in this order. */
export function newLog(): readonly [epoch: string, cursorKey: string] {
  return [newEpoch(), randomBytes(CURSOR_KEY_BYTES).toString("hex")];
}

/** `count` tags, from one draw of randomness. */
export function newTags(count: number): readonly string[] {
  const randomness = randomBytes(count * TAG_BYTES).toString("base64url");
  return Array.from({ length: count }, (_, i) => randomness.slice(i * TAG_LENGTH, (i + 1) * TAG_LENGTH));
}
