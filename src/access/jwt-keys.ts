import { createPublicKey, type KeyObject } from "node:crypto";
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from "jose";
import type { Logger } from "pino";
import type { JwtKeyConfig } from "../config.ts";
import { ServiceError } from "../error.ts";

/** Milliseconds for one fetch of the key set. */
const FETCH_TIMEOUT = 5_000;
/** How long keys are used without looking whether they are still in the set: a key taken out of it ends then. Milliseconds. */
const KEYS_HOLD = 600_000;
/** How long the set is not fetched again for a key that is not in it: anybody can invent key ids. Milliseconds. */
const UNKNOWN_KEY_PAUSE = 30_000;
/** How long the set is not fetched again after it could not be: every request would. Milliseconds. */
const FAILURE_PAUSE = 1_000;

const SYMMETRIC = ["HS256", "HS384", "HS512"] as const;
const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;
const ELLIPTIC = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" } as const;
const EDWARDS = ["EdDSA", "Ed25519"] as const;

/**
 * What tokens are verified with. The algorithms are pinned by the kind of the key and never taken from the token:
 * a public key must not be used as the secret of an HMAC (RFC 8725, section 3.1).
 */
export interface JwtKeys {
  readonly algorithms: readonly string[];
  /** Rejects with KEYS_UNAVAILABLE where the keys cannot be had, and as jose does where none fits the token. */
  readonly keyFor: JWTVerifyGetKey<CryptoKey | Uint8Array>;
}

export function createJwtKeys(config: JwtKeyConfig, logger: Pick<Logger, "warn" | "info">): JwtKeys {
  switch (config.kind) {
    case "secret": {
      const secret = new TextEncoder().encode(config.secret);
      return { algorithms: SYMMETRIC, keyFor: () => secret };
    }
    case "public-key": {
      const key = createPublicKey(config.pem);
      return { algorithms: algorithmsOf(key), keyFor: () => key };
    }
    case "jwks":
      return { algorithms: [...RSA, ...Object.values(ELLIPTIC), ...EDWARDS], keyFor: remoteKeys(config.url, logger) };
  }
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType === "rsa") return RSA;
  if (asymmetricKeyType === "ed25519") return EDWARDS;
  return [ELLIPTIC[asymmetricKeyDetails?.namedCurve as keyof typeof ELLIPTIC]];
}

function remoteKeys(url: string, logger: Pick<Logger, "warn" | "info">): JwtKeys["keyFor"] {
  const fetched = createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_TIMEOUT,
    cacheMaxAge: KEYS_HOLD,
    cooldownDuration: UNKNOWN_KEY_PAUSE,
  });
  let failure: { readonly error: unknown; readonly until: number } | null = null;
  return async (header, token) => {
    if (failure !== null && performance.now() < failure.until) throw keysUnavailable(failure.error);
    try {
      const key = await fetched(header, token);
      if (failure !== null) logger.info("the keys that tokens are verified with can be fetched again");
      failure = null;
      return key;
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      // A key that is there and cannot be used, or one that the token asks for in a way that cannot be.
      if (error instanceof errors.JOSENotSupported || error instanceof errors.JWKInvalid) throw error;
      // Only the first of a row is told.
      if (failure === null) logger.warn({ err: error }, "the keys that tokens are verified with cannot be fetched");
      failure = { error, until: performance.now() + FAILURE_PAUSE };
      throw keysUnavailable(error);
    }
  };
}

function keysUnavailable(cause: unknown): ServiceError {
  return new ServiceError("KEYS_UNAVAILABLE", "The keys that tokens are verified with cannot be fetched.", {}, cause);
}
