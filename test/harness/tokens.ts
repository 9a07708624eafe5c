import { type JWTPayload, SignJWT } from "jose";

/** What the services of tests are started with as `JWT_SECRET`. */
export const JWT_SECRET = "a secret that only tests sign with, long enough";

/** `exp` in seconds, as JWT has it; null for a token that does not expire. @default an hour from now */
type Claims = Omit<JWTPayload, "exp"> & { readonly exp?: number | null };

/** A token as an application would sign it. */
export function signToken(
  { exp = Math.floor(Date.now() / 1_000) + 3_600, ...claims }: Claims = {},
  secret: string = JWT_SECRET,
): Promise<string> {
  return new SignJWT(exp === null ? claims : { ...claims, exp })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
