/**
 * How this service itself ends a WebSocket, by codes of RFC 6455's registry; those from 4400 on are the graphql-ws
 * library's. A client goes on trying after the first kind and not after most of the second.
 */
export const CLOSE = {
  internal: { code: 1011, reason: "Unexpected error" },
  restart: { code: 1012, reason: "Service restart" },
} as const satisfies Record<string, { code: number; reason: string }>;

/** RFC 6455, section 5.5: a control frame holds 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/** A close reason that fits; `ws` throws on a longer one. */
export function closeReason(reason: string): string {
  let fitting = reason;
  while (Buffer.byteLength(fitting) > MAX_REASON_BYTES) fitting = fitting.slice(0, -1);
  return fitting.toWellFormed();
}
