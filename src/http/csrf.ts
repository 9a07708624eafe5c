import type { IncomingMessage } from "node:http";
import { credentialOf } from "../access/credential.ts";
import { ServiceError } from "../error.ts";
import { isSameOrigin } from "./origin.ts";

/**
 * Refuses a request that a browser has authenticated by our cookie without a page of ours having asked for it: a
 * cookie goes along whoever writes the request. A bearer token, or none, cannot be borrowed like that.
 */
export function requireOwnPage(request: IncomingMessage): void {
  if (request.headers.authorization !== undefined || credentialOf(request)?.kind !== "session") return;
  const site = request.headers["sec-fetch-site"];
  // `none`: a person has typed the address, or opened a bookmark. Nothing is changed by GET.
  const isTyped = site === "none" && (request.method === "GET" || request.method === "HEAD");
  const isOwn = request.headers.origin === undefined ? site === "same-origin" || isTyped : isSameOrigin(request);
  if (isOwn) return;
  throw new ServiceError(
    "FORBIDDEN",
    "A request that brings the log-in cookie must come from a page of this service (Origin or Sec-Fetch-Site).",
  );
}
