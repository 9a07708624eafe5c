import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJwtVerifier, type JwtVerifier } from "../../../src/access/jwt.ts";
import type { JwtConfig } from "../../../src/config.ts";
import { recordingLogger } from "../../harness/recording-logger.ts";
import { JWT_SECRET, signToken } from "../../harness/tokens.ts";

const { logger, lines } = recordingLogger();
const bySecret = verifier({ kind: "secret", secret: JWT_SECRET });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
const edwards = generateKeyPairSync("ed25519");

function verifier(key: JwtConfig["key"], rest: Partial<JwtConfig> = {}): JwtVerifier {
  return createJwtVerifier({ key, issuer: undefined, audiences: [], ...rest }, logger);
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: "spki", format: "pem" }));
}

function sign(alg: string, key: KeyObject | Uint8Array, claims: JWTPayload = {}, kid?: string): Promise<string> {
  const header = kid === undefined ? { alg } : { alg, kid };
  return new SignJWT(claims).setProtectedHeader(header).setExpirationTime("1h").sign(key);
}

const seconds = (): number => Math.floor(Date.now() / 1_000);
const refused = (message: string) => expect.objectContaining({ code: "UNAUTHENTICATED", message });

describe("a token that an application has signed", () => {
  it("gives its scope, its expiry and its id", async () => {
    const exp = seconds() + 60;
    const token = await signToken({ exp, jti: "t-1", sub: "ada", mandrill_live: { tags: ["order"] } });
    expect(await bySecret.viewerOf(token)).toMatchObject({
      scope: { tags: ["order"], raw: true },
      expiresAt: exp * 1_000,
      tokenId: "jti:t-1",
    });
  });

  it("sees everything where it has no claim, and lasts where it has no exp", async () => {
    const viewer = await bySecret.viewerOf(await signToken({ exp: null }));
    expect(viewer.scope).toEqual({ raw: true });
    expect(viewer.expiresAt).toBe(Number.POSITIVE_INFINITY);
  });

  it("shares its subject with other tokens of the same user alone, and never tells it", async () => {
    const subjectOf = async (claims: JWTPayload) => (await bySecret.viewerOf(await signToken(claims))).subject;
    const ada = await subjectOf({ sub: "ada@example.com", jti: "1" });
    expect(await subjectOf({ sub: "ada@example.com", jti: "2" })).toBe(ada);
    expect(await subjectOf({ sub: "grace@example.com" })).not.toBe(ada);
    expect(await subjectOf({ sub: "ada@example.com", iss: "another" })).not.toBe(ada);
    expect(ada).not.toContain("ada");
  });

  it("can be revoked where it has no jti, however its signature is spelt", async () => {
    const token = await signToken({ sub: "ada" });
    const { tokenId } = await bySecret.viewerOf(token);
    // The last character of a signature of 32 bytes holds 2 spare bits.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(token.at(-1) as string);
    const respelt = token.slice(0, -1) + alphabet[last ^ 1];
    expect((await bySecret.viewerOf(respelt)).tokenId).toBe(tokenId);
    expect((await bySecret.viewerOf(await signToken({ sub: "grace" }))).tokenId).not.toBe(tokenId);
  });

  it.each<[what: string, token: () => Promise<string>, message: string]>([
    ["no token at all", async () => "nonsense", "The token is not valid."],
    ["three parts of nonsense", async () => "a.b.c", "The token is not valid."],
    [
      "another's signature",
      () => signToken({}, "another secret that is long enough to sign"),
      "The token is not valid.",
    ],
    ["expired", () => signToken({ exp: seconds() - 1 }), "Token expired"],
    ["expired long ago", () => signToken({ exp: 1 }), "Token expired"],
    ["not valid yet", () => signToken({ nbf: seconds() + 60 }), "The token's claim nbf is not accepted."],
    [
      "an exp that is a text",
      () => signToken({ exp: "tomorrow" as unknown as number }),
      "The token's claim exp is not accepted.",
    ],
    ["a jti that is a number", () => signToken({ jti: 5 as unknown as string }), "The token is not valid."],
    ["no algorithm", async () => new UnsecuredJWT({ sub: "ada" }).encode(), "The token is not valid."],
    ["an algorithm of another kind of key", () => sign("RS256", rsa.privateKey), "The token is not valid."],
  ])("is refused where it is %s", async (_what, token, message) => {
    await expect(bySecret.viewerOf(await token())).rejects.toEqual(refused(message));
  });

  it("may come from a clock that is a little ahead, but ends by its own exp", async () => {
    await expect(bySecret.viewerOf(await signToken({ nbf: seconds() + 3 }))).resolves.toBeDefined();
    await expect(bySecret.viewerOf(await signToken({ exp: seconds() - 3 }))).rejects.toEqual(refused("Token expired"));
  });

  it("is refused where its claim is malformed", async () => {
    const token = await signToken({ mandrill_live: { tag: ["order"] } });
    await expect(bySecret.viewerOf(token)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("must have the issuer and one of the audiences that are set", async () => {
    const strict = verifier(
      { kind: "secret", secret: JWT_SECRET },
      { issuer: "https://id.example.com", audiences: ["mandrill-live", "mail"] },
    );
    const good = { iss: "https://id.example.com", aud: ["other", "mail"] };
    await expect(strict.viewerOf(await signToken(good))).resolves.toBeDefined();
    for (const [claim, change] of [
      ["iss", { iss: "https://evil.example.com" }],
      ["iss", { iss: undefined }],
      ["aud", { aud: "other" }],
      ["aud", { aud: undefined }],
    ] as const) {
      const token = await signToken({ ...good, ...change } as JWTPayload);
      await expect(strict.viewerOf(token)).rejects.toEqual(refused(`The token's claim ${claim} is not accepted.`));
    }
  });
});

describe("a public key", () => {
  it.each([
    ["RSA", rsa, "RS256"],
    ["RSA", rsa, "PS512"],
    ["P-256", elliptic, "ES256"],
    ["Ed25519", edwards, "EdDSA"],
  ] as const)("of %s verifies what its private key has signed", async (_kind, { publicKey, privateKey }, alg) => {
    const byKey = verifier({ kind: "public-key", pem: pemOf(publicKey) });
    await expect(byKey.viewerOf(await sign(alg, privateKey))).resolves.toBeDefined();
    await expect(byKey.viewerOf(await sign("RS256", otherRsa.privateKey))).rejects.toEqual(
      refused("The token is not valid."),
    );
  });

  it("is never taken for the secret of an HMAC", async () => {
    const pem = pemOf(rsa.publicKey);
    const byKey = verifier({ kind: "public-key", pem });
    for (const secret of [pem, pem.trim()]) {
      const forged = await sign("HS256", new TextEncoder().encode(secret));
      await expect(byKey.viewerOf(forged)).rejects.toEqual(refused("The token is not valid."));
    }
  });
});

describe("a set of keys", () => {
  let server: Server;
  let url: string;
  let keys: object[] = [];
  let status = 200;
  let fetches = 0;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      fetches += 1;
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(() => void server.close());

  it("verifies by the key that the token names, and is fetched once for all", async () => {
    keys = [
      { ...(await exportJWK(rsa.publicKey)), kid: "one" },
      { ...(await exportJWK(elliptic.publicKey)), kid: "two" },
    ];
    fetches = 0;
    const bySet = verifier({ kind: "jwks", url });
    await expect(bySet.viewerOf(await sign("RS256", rsa.privateKey, {}, "one"))).resolves.toBeDefined();
    await expect(bySet.viewerOf(await sign("ES256", elliptic.privateKey, {}, "two"))).resolves.toBeDefined();
    const unknown = await sign("RS256", rsa.privateKey, {}, "three");
    await expect(bySet.viewerOf(unknown)).rejects.toEqual(refused("The token is not valid."));
    expect(fetches).toBe(1);
  });

  it("verifies by whichever fits where the token names none", async () => {
    keys = [await exportJWK(otherRsa.publicKey), await exportJWK(rsa.publicKey)];
    const bySet = verifier({ kind: "jwks", url });
    await expect(bySet.viewerOf(await sign("RS256", rsa.privateKey))).resolves.toBeDefined();
    const third = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await expect(bySet.viewerOf(await sign("RS256", third.privateKey))).rejects.toEqual(
      refused("The token is not valid."),
    );
  });

  it("does not let a secret in that stands among its keys", async () => {
    const secret = new TextEncoder().encode(JWT_SECRET);
    keys = [{ kty: "oct", k: Buffer.from(secret).toString("base64url"), alg: "HS256", kid: "one" }];
    const bySet = verifier({ kind: "jwks", url });
    await expect(bySet.viewerOf(await sign("HS256", secret, {}, "one"))).rejects.toEqual(
      refused("The token is not valid."),
    );
  });

  it("tells that nobody can say where it cannot be fetched, and does not ask at every request", async () => {
    status = 500;
    fetches = 0;
    const bySet = verifier({ kind: "jwks", url });
    const token = await sign("RS256", rsa.privateKey, {}, "one");
    for (let i = 0; i < 20; i += 1) {
      await expect(bySet.viewerOf(token)).rejects.toMatchObject({ code: "KEYS_UNAVAILABLE" });
    }
    expect(fetches).toBe(1);
    expect(lines.map(({ msg }) => msg)).toEqual(["the keys that tokens are verified with cannot be fetched"]);
    status = 200;
  });
});
