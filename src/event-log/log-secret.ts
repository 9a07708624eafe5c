import { hkdfSync } from "node:crypto";

const SECRET_BYTES = 32;

/** The secret of a log for `purpose`, from the key that it was made with: neither leads to the other (RFC 5869). */
export function logSecret(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, "", `mandrill-live ${purpose}`, SECRET_BYTES));
}
