import { SignJWT } from "jose";
import type { AccessConfig } from "../../config.ts";

/** Seconds for which a token of one's own is good: as long as a doctor takes at the most. */
const LIFE = 60;

/** A token that the service lets in; null where none can be made from these settings, undefined where none is needed. */
export async function readerToken(access: AccessConfig | null): Promise<string | null | undefined> {
  if (access === null) return undefined;
  const [token] = access.tokens;
  if (token !== undefined) return token;
  const { jwt } = access;
  if (jwt?.key.kind !== "secret") return null;
  const claims = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setExpirationTime(`${LIFE}s`);
  if (jwt.issuer !== undefined) claims.setIssuer(jwt.issuer);
  if (jwt.audiences[0] !== undefined) claims.setAudience(jwt.audiences[0]);
  return claims.sign(new TextEncoder().encode(jwt.key.secret));
}
