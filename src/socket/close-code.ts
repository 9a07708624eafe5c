import { CloseCode } from "graphql-ws";

/**
 * How this service itself ends a WebSocket, by codes of RFC 6455's registry; those from 4400 on are the graphql-ws
 * library's. A client goes on trying after the first kind and not after most of the second.
 */
export const CLOSE = {
  internal: { code: 1011, reason: "Unexpected error" },
  tooManyMessages: { code: 4429, reason: "Too many messages (MAX_MESSAGES_PER_MINUTE)" },
  tooManySockets: { code: 4429, reason: "Too many sockets with this token (MAX_SOCKETS_PER_TOKEN)" },
  unauthorized: { code: 4401, reason: "Unauthorized" },
  unauthenticated: { code: 4408, reason: "Authentication timeout" },
  tokenOver: { code: 4403, reason: "Token expired" },
  restart: { code: 1012, reason: "Service restart" },
} as const satisfies Record<string, { code: number; reason: string }>;

/** Codes of RFC 6455's registry by which a socket may come to an end. */
const REGISTERED = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
const KNOWN: ReadonlySet<number> = new Set([
  ...REGISTERED,
  ...Object.values(CLOSE).map(({ code }) => code),
  ...Object.values(CloseCode).filter((code) => typeof code === "number"),
]);

/** The code as it is counted: peers may send any of thousands. */
export function countedCode(code: number): string {
  return KNOWN.has(code) ? String(code) : "other";
}

/** RFC 6455, section 5.5: a control frame holds 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/** A close reason that fits; `ws` throws on a longer one. */
export function closeReason(reason: string): string {
  let fitting = reason;
  while (Buffer.byteLength(fitting) > MAX_REASON_BYTES) fitting = fitting.slice(0, -1);
  return fitting.toWellFormed();
}
