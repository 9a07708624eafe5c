import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ConfigError, type Environment, loadConfig } from "../../src/config.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = String(publicKey.export({ type: "spki", format: "pem" }));
const LONG = "x".repeat(32);

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("access rules", () => {
  it("are none while nothing is set", () => {
    expect(loadConfig({}).access).toBeNull();
    expect(loadConfig({ ACCESS_TOKENS: " " }).access).toBeNull();
  });

  it("are static tokens, a key for signed ones, or both", () => {
    expect(loadConfig({ ACCESS_TOKENS: "one , two" }).access).toEqual({ tokens: ["one", "two"], jwt: null });
    const jwt = loadConfig({
      JWT_JWKS_URL: "https://id.example.com/keys",
      JWT_ISSUER: "https://id.example.com",
      JWT_AUDIENCE: "a, b",
    }).access;
    expect(jwt).toEqual({
      tokens: [],
      jwt: {
        key: { kind: "jwks", url: "https://id.example.com/keys" },
        issuer: "https://id.example.com",
        audiences: ["a", "b"],
      },
    });
    expect(loadConfig({ JWT_SECRET: LONG }).access?.jwt?.key).toEqual({ kind: "secret", secret: LONG });
  });

  it("take a public key with its line ends, or with \\n for them", () => {
    for (const given of [PEM, PEM.replaceAll("\n", "\\n")]) {
      const { jwt } = loadConfig({ JWT_PUBLIC_KEY: given }).access ?? {};
      expect(jwt?.key).toEqual({ kind: "public-key", pem: PEM.trim() });
    }
  });

  it("refuse what is no usable public key, and do not repeat it", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const other = generateKeyPairSync("x25519");
    const given = [
      String(privateKey.export({ type: "pkcs8", format: "pem" })),
      String(weak.publicKey.export({ type: "spki", format: "pem" })),
      String(other.publicKey.export({ type: "spki", format: "pem" })),
      PEM.slice(0, 60),
      "a secret",
    ];
    for (const key of given) {
      expect(problemsOf({ JWT_PUBLIC_KEY: key })).toEqual([
        expect.stringMatching(/^JWT_PUBLIC_KEY is \[hidden\]; allowed: a public key/),
      ]);
    }
  });

  it("refuse a secret that can be guessed from any token, and do not repeat it", () => {
    for (const given of ["secret", LONG.slice(1), "ü".repeat(15)]) {
      expect(problemsOf({ JWT_SECRET: given })).toEqual([
        "JWT_SECRET is [hidden]; allowed: a text of 32 bytes at least.",
      ]);
    }
    expect(problemsOf({ JWT_SECRET: "ü".repeat(16) })).toEqual([]);
  });

  it("refuse tokens that no header can carry, and do not repeat them", () => {
    for (const tokens of ["one,,two", "with blank", "ümlaut-token"]) {
      expect(problemsOf({ ACCESS_TOKENS: tokens })).toEqual([expect.stringMatching(/^ACCESS_TOKENS is \[hidden\]; /)]);
    }
  });

  it("name what contradicts itself", () => {
    expect(problemsOf({ JWT_SECRET: LONG, JWT_PUBLIC_KEY: PEM })).toEqual([
      "JWT_SECRET and JWT_PUBLIC_KEY are both set: tokens are verified with one of them.",
    ]);
    expect(problemsOf({ JWT_ISSUER: "me", JWT_AUDIENCE: "you" })).toEqual([
      "JWT_ISSUER is set and none of JWT_JWKS_URL, JWT_SECRET, JWT_PUBLIC_KEY is: no token can be verified.",
      "JWT_AUDIENCE is set and none of JWT_JWKS_URL, JWT_SECRET, JWT_PUBLIC_KEY is: no token can be verified.",
    ]);
  });

  it("warn of keys that are fetched without TLS from another machine", () => {
    const warningsOf = (url: string) => loadConfig({ JWT_JWKS_URL: url }).warnings;
    for (const url of ["http://id.example.com/keys", "http://localhost.example.com/keys", "http://10.0.0.1/"]) {
      expect(warningsOf(url)).toEqual([expect.stringMatching(/^JWT_JWKS_URL is fetched without TLS/)]);
    }
    for (const url of [
      "https://id.example.com/keys",
      "http://localhost:8080/keys",
      "http://[::1]/",
      "http://127.0.0.1",
    ]) {
      expect(warningsOf(url)).toEqual([]);
    }
  });

  it("warn of what may be guessed, without telling it", () => {
    const { warnings } = loadConfig({ ACCESS_TOKENS: `${LONG},short` });
    expect(warnings).toEqual([expect.stringMatching(/^ACCESS_TOKENS has a token of fewer than 16 characters/)]);
    expect(warnings.join()).not.toContain("short,");
    expect(loadConfig({ ACCESS_TOKENS: LONG, JWT_SECRET: LONG }).warnings).toEqual([]);
  });
});
