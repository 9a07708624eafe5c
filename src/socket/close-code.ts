import { CloseCode as GraphqlWs } from "graphql-ws";

/**
 * How this service ends a WebSocket. Up to 1015 the codes are RFC 6455's and its registry's, from 4400 on those of
 * the graphql-transport-ws protocol. A client goes on trying after the first kind and not after the second.
 */
export const CLOSE = {
  goingAway: { code: 1001, reason: "Going away" },
  internal: { code: 1011, reason: "Unexpected error" },
  restart: { code: 1012, reason: "Service restart" },
  tryAgainLater: { code: 1013, reason: "The event log is out of reach, try again later" },
  badRequest: { code: GraphqlWs.BadRequest, reason: "Invalid message received" },
} as const satisfies Record<string, { code: number; reason: string }>;

/** RFC 6455, section 5.5: a control frame holds 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/** A close reason that fits; `ws` throws on a longer one. */
export function closeReason(reason: string): string {
  let fitting = reason;
  while (Buffer.byteLength(fitting) > MAX_REASON_BYTES) fitting = fitting.slice(0, -1);
  return fitting.toWellFormed();
}
