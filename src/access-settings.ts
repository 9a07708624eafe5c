import { createPublicKey } from "node:crypto";
import { listOf, type SettingKind, secret, text, url } from "./setting-kind.ts";
import { optional } from "./setting-row.ts";

/** Smallest RSA key whose signatures are believed (RFC 7518, section 3.3). Bits. */
const MIN_RSA_BITS = 2_048;
/** Shortest secret that tokens are believed by: whoever sees one can try others offline (RFC 7518, section 3.2). Bytes. */
const MIN_SECRET_BYTES = 32;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** A public key in PEM; in one line with `\n` for its line ends where a file of settings takes no other. */
const publicKey: SettingKind<string> = {
  allowed:
    "a public key in PEM (RSA of 2048 bits at least, P-256, P-384, P-521 or Ed25519), line ends as \\n if need be",
  parse(given) {
    const pem = given.replaceAll("\\n", "\n").trim();
    // Out of a private key its public one could be taken, but it has no business here.
    if (!/^-----BEGIN (?:(?:RSA )?PUBLIC KEY|CERTIFICATE)-----/.test(pem)) return undefined;
    try {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
      const fits =
        asymmetricKeyType === "ed25519" ||
        (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS) ||
        (asymmetricKeyType === "ec" && CURVES.includes(asymmetricKeyDetails?.namedCurve ?? ""));
      return fits ? pem : undefined;
    } catch {
      return undefined;
    }
  },
};

/** The secret of tokens that are signed by HMAC. */
const hmacSecret: SettingKind<string> = {
  allowed: `a text of ${MIN_SECRET_BYTES} bytes at least`,
  parse: (given) => (Buffer.byteLength(given) >= MIN_SECRET_BYTES ? given : undefined),
};

/** Who may read. While none of the first four is set, everybody on this machine may. */
export const ACCESS_SETTINGS = {
  ACCESS_TOKENS: optional(
    "Tokens that let their bearers read everything. Without it and the next three, whoever reaches the service may read.",
    secret(listOf(text("", /^[!-+\--~]+$/), "tokens of visible ASCII characters, with commas between them")),
    [] as const,
  ),
  JWT_JWKS_URL: optional(
    "Where the public keys are with which an application's tokens (JWT) are verified.",
    url(["https:", "http:"], "an https:// URL; http:// where nobody can listen in"),
    undefined,
  ),
  JWT_SECRET: optional(
    "In its place, the secret that these tokens are signed with (HS256, HS384 or HS512).",
    secret(hmacSecret),
    undefined,
  ),
  JWT_PUBLIC_KEY: optional("In its place, the one public key.", secret(publicKey), undefined),
  JWT_ISSUER: optional("The `iss` that a token must have.", text("a text", /^.+$/), undefined),
  JWT_AUDIENCE: optional(
    "The `aud` of which a token must have one. Without it, every token of the issuer lets its bearer in.",
    listOf(text("", /^.+$/), "texts, with commas between them"),
    [] as const,
  ),
} as const;

/** Any of these lets tokens in that an application signs. */
const JWT_KEYS = ["JWT_JWKS_URL", "JWT_SECRET", "JWT_PUBLIC_KEY"] as const;

type AccessSettingName = keyof typeof ACCESS_SETTINGS;
type AccessValues = { readonly [N in AccessSettingName]: (typeof ACCESS_SETTINGS)[N]["unset"] };

/** With what an application's tokens are verified. */
export type JwtKeyConfig =
  | { readonly kind: "jwks"; readonly url: string }
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "public-key"; readonly pem: string };

export interface JwtConfig {
  readonly key: JwtKeyConfig;
  readonly issuer: string | undefined;
  /** One of these must be a token's; empty: any. */
  readonly audiences: readonly string[];
}

/** Who may read. */
export interface AccessConfig {
  readonly tokens: readonly string[];
  readonly jwt: JwtConfig | null;
}

export function accessConfigOf(values: AccessValues): AccessConfig | null {
  const { ACCESS_TOKENS: tokens, JWT_ISSUER: issuer, JWT_AUDIENCE: audiences } = values;
  const key = jwtKeyOf(values);
  if (tokens.length === 0 && key === null) return null;
  return { tokens, jwt: key === null ? null : { key, issuer, audiences } };
}

function jwtKeyOf({ JWT_JWKS_URL: url, JWT_SECRET: secret, JWT_PUBLIC_KEY: pem }: AccessValues): JwtKeyConfig | null {
  if (url !== undefined) return { kind: "jwks", url };
  if (secret !== undefined) return { kind: "secret", secret };
  return pem === undefined ? null : { kind: "public-key", pem };
}

/** What contradicts itself among the settings that are set, a sentence each. */
export function accessContradictions(isSet: (name: AccessSettingName) => boolean): string[] {
  const keys = JWT_KEYS.filter(isSet);
  if (keys.length > 1) return [`${keys.join(" and ")} are both set: tokens are verified with one of them.`];
  const claims = (["JWT_ISSUER", "JWT_AUDIENCE"] as const).filter(isSet);
  if (keys.length === 1 || claims.length === 0) return [];
  return claims.map((claim) => `${claim} is set and none of ${JWT_KEYS.join(", ")} is: no token can be verified.`);
}

/** What nobody guesses over the network, if it is random. Characters. */
const STRONG_TOKEN = 16;

/** What is set and is weak, a sentence each that does not tell it. */
export function accessWarnings(textOf: (name: AccessSettingName) => string | undefined): string[] {
  const warnings: string[] = [];
  const tokens = textOf("ACCESS_TOKENS")?.split(",") ?? [];
  if (tokens.some((token) => token.trim().length < STRONG_TOKEN)) {
    warnings.push(`ACCESS_TOKENS has a token of fewer than ${STRONG_TOKEN} characters: it may be guessed.`);
  }
  if (/^http:\/\/(?!(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$))/i.test(textOf("JWT_JWKS_URL") ?? "")) {
    warnings.push("JWT_JWKS_URL is fetched without TLS: whoever can change what comes decides who may read.");
  }
  return warnings;
}
