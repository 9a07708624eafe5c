import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import type { Logger } from "pino";
import type { JwtConfig } from "../config.ts";
import { ServiceError } from "../error.ts";
import { fingerprint } from "./fingerprint.ts";
import { createJwtKeys } from "./jwt-keys.ts";
import { tokenExpired, tokenInvalid, unauthenticated } from "./refusal.ts";
import { SCOPE_CLAIM, scopeFromClaim } from "./scope-claim.ts";
import type { Viewer } from "./viewer.ts";

/** By how much the clock of who issues tokens may be ahead of ours; `exp` is held to the millisecond. Seconds. */
const CLOCK_TOLERANCE = 5;

/** The viewers of tokens that an application signs. */
export interface JwtVerifier {
  /** Rejects with UNAUTHENTICATED, or KEYS_UNAVAILABLE where nobody can tell. */
  viewerOf(token: string): Promise<Viewer>;
  /** Whether the rule of such a viewer still stands. */
  hasRule(rule: string): boolean;
}

export function createJwtVerifier(config: JwtConfig, logger: Pick<Logger, "warn" | "info">): JwtVerifier {
  const { algorithms, keyFor } = createJwtKeys(config.key, logger);
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    clockTolerance: CLOCK_TOLERANCE,
    ...(config.issuer === undefined ? {} : { issuer: config.issuer }),
    ...(config.audiences.length === 0 ? {} : { audience: [...config.audiences] }),
  };
  const rule = `jwt:${fingerprint("jwt", JSON.stringify(config))}`;

  async function verified(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, keyFor, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // The token names no key and several may have signed it.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (innerError) {
          if (!(innerError instanceof errors.JWSSignatureVerificationFailed)) throw innerError;
        }
      }
      throw tokenInvalid();
    }
  }

  return {
    async viewerOf(token) {
      let payload: JWTPayload;
      try {
        payload = await verified(token);
      } catch (error) {
        throw refusalOf(error);
      }
      return viewerOf(payload, token, rule);
    },
    hasRule: (other) => other === rule,
  };
}

function viewerOf(payload: JWTPayload, token: string, rule: string): Viewer {
  const expiresAt = payload.exp === undefined ? Number.POSITIVE_INFINITY : payload.exp * 1_000;
  if (expiresAt <= Date.now()) throw tokenExpired();
  const scope = scopeFromClaim(payload[SCOPE_CLAIM]);
  const tokenId = jwtId(payload, token);
  const subject = typeof payload.sub === "string" ? fingerprint("sub", payload.iss ?? "", payload.sub) : tokenId;
  return { scope, expiresAt, subject, tokenId, rule };
}

/**
 * By this a token stands on the revocation list: its `jti`, or what stands in for it where it has none. Of the token
 * itself only what is signed counts: a signature can be spelt in several ways.
 */
export function jwtId({ jti }: Pick<JWTPayload, "jti">, token: string): string {
  if (jti === undefined) return `jwt:${fingerprint("jwt", token.slice(0, token.lastIndexOf(".")))}`;
  if (typeof jti !== "string") throw tokenInvalid();
  return revocableJti(jti);
}

/** By this the token with this `jti` stands on the revocation list. */
export function revocableJti(jti: string): string {
  return `jti:${jti}`;
}

/** What may be told of why a token is refused: nothing of what it holds. */
function refusalOf(error: unknown): Error {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTExpired) return tokenExpired();
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated(`The token's claim ${error.claim} is not accepted.`);
  }
  // A key that does not fit the algorithm that the token names is a TypeError of jose's.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return tokenInvalid();
  return error as Error;
}
