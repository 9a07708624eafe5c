import type { Access } from "../access/access.ts";
import type { Viewer } from "../access/viewer.ts";
import { ServiceError } from "../error.ts";

/** Both spellings are common in clients' `connectionParams`. */
const NAMES = ["authorization", "Authorization"] as const;

/**
 * Who connects: by the payload of connection_init, which is where a browser can put a token, else by the handshake.
 * Rejects as {@link Access.viewerOf} does.
 */
export async function viewerOfInit(
  payload: Readonly<Record<string, unknown>> | null | undefined,
  fromHandshake: Promise<Viewer>,
  access: Pick<Access, "viewerOfAuthorization">,
): Promise<Viewer> {
  const authorization = NAMES.map((name) => payload?.[name]).find((value) => value != null);
  if (authorization === undefined) return fromHandshake;
  if (typeof authorization !== "string") {
    throw new ServiceError("UNAUTHENTICATED", "The authorization is to read `Bearer <token>`.");
  }
  return access.viewerOfAuthorization(authorization);
}
