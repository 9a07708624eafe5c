import { CloseCode } from "graphql-ws/client";

/**
 * Codes that graphql-ws holds to be fatal, and which say nothing against another attempt: an error in the server (1011,
 * and graphql-ws's own), a TLS handshake that failed, and more connections or requests than are allowed at once.
 */
const PASSING = new Set<unknown>([1011, 1015, CloseCode.TooManyInitialisationRequests, CloseCode.InternalServerError]);

/** The server does not take this client's credentials, or no longer. */
const REFUSAL = new Set<unknown>([CloseCode.Unauthorized, CloseCode.Forbidden]);

/** Whether another attempt may succeed where graphql-ws makes none. */
export function isPassing(event: unknown): boolean {
  return PASSING.has(codeOf(event));
}

/** Whether another attempt may succeed with fresh credentials. */
export function isRefusal(event: unknown): boolean {
  return REFUSAL.has(codeOf(event));
}

function codeOf(event: unknown): unknown {
  return (event as { readonly code?: unknown } | null | undefined)?.code;
}
