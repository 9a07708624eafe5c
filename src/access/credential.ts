import type { IncomingMessage } from "node:http";
import { parseCookie } from "cookie";
import { unauthenticated } from "./refusal.ts";

/** The cookie of a page that has logged in by `POST /session`. */
export const SESSION_COOKIE = "mandrill_live_session";

/** The query parameter of a ticket, for EventSource, which can send no header. */
const TICKET_PARAMETER = "ticket";

/** What a request shows for itself. */
export interface Credential {
  readonly kind: "token" | "ticket" | "session";
  readonly text: string;
}

/**
 * The one credential by which a request is judged: a header wins over a ticket and a ticket over a cookie, since a
 * browser adds the cookie unasked. null where there is none. Throws UNAUTHENTICATED where the header is no bearer's.
 */
export function credentialOf({ headers, url = "" }: Pick<IncomingMessage, "headers" | "url">): Credential | null {
  if (headers.authorization !== undefined) return { kind: "token", text: bearerToken(headers.authorization) };
  const query = url.indexOf("?");
  const ticket = query === -1 ? null : new URLSearchParams(url.slice(query)).get(TICKET_PARAMETER);
  if (ticket !== null) return { kind: "ticket", text: ticket };
  const session = headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[SESSION_COOKIE];
  return session === undefined ? null : { kind: "session", text: session };
}

/** The token of `Bearer <token>` (RFC 6750, section 2.1). */
export function bearerToken(authorization: string): string {
  const token = /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated("The authorization is to read `Bearer <token>`.");
  return token;
}
