import { createHmac } from "node:crypto";
import type { RawEvent } from "./message.ts";

/** What one POST carries. */
export interface BatchRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Under which URL and key a batch is signed. */
export interface SignedFor {
  /** As it is configured at the receiver: letter by letter part of what is signed. */
  readonly url: string;
  readonly key: string;
}

const PARAMETER = "mandrill_events";

/** A batch as Mandrill sends it; without a signature where it is signed for nobody. */
export function batchRequest(events: readonly RawEvent[], signedFor: SignedFor | null): BatchRequest {
  const text = phpJson(events);
  const headers: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded",
    "user-agent": "Mandrill-Webhook/1.0",
  };
  if (signedFor !== null) headers["x-mandrill-signature"] = signatureOf(text, signedFor);
  return { body: new URLSearchParams({ [PARAMETER]: text }).toString(), headers };
}

/** `base64(HMAC-SHA1(key, URL + name + value))`. Not shared with the check: a mistake there would hide itself. */
function signatureOf(text: string, { url, key }: SignedFor): string {
  return createHmac("sha1", key).update(`${url}${PARAMETER}${text}`).digest("base64");
}

/** JSON as PHP's json_encode writes it: slashes escaped, nothing but ASCII. */
function phpJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
