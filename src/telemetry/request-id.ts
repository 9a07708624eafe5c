import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** By which a request is known to whoever stands before and behind the service. */
export const REQUEST_ID_HEADER = "x-request-id";

/** Neither an address nor a JWT has room in it: it goes into the log as it came. */
const SANE = /^[\w-]{1,64}$/;

/** The request's id: its header's where that is sane, else one made now and remembered in its place. */
export function requestIdOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers[REQUEST_ID_HEADER];
  if (typeof given === "string" && SANE.test(given)) return given;
  const made = randomUUID();
  headers[REQUEST_ID_HEADER] = made;
  return made;
}

/**
 * The id of the HTTP request that is being handled, for the log's lines on what went wrong with it. Sockets have none:
 * what is kept for a socket must not keep its handshake.
 */
export const handledRequest = new AsyncLocalStorage<string>();
