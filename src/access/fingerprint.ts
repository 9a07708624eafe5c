import { createHash } from "node:crypto";

/** Tells secrets apart without telling them: the same text for the same parts, 22 characters. */
export function fingerprint(kind: string, ...parts: readonly string[]): string {
  const text = JSON.stringify([kind, ...parts]);
  return createHash("sha256").update(text).digest().toString("base64url", 0, 16);
}
