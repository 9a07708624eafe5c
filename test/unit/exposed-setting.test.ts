import { describe, expect, it } from "vitest";
import { ConfigError, type Environment, loadConfig } from "../../src/config.ts";

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const KEYS = { MANDRILL_WEBHOOK_URLS: "https://example.com/mandrill", MANDRILL_WEBHOOK_KEYS: "a-webhook-key" };
const TOKENS = { ACCESS_TOKENS: "a-token-of-some-length" };

describe("an address that other machines reach", () => {
  it.each(["0.0.0.0", "::", "192.0.2.1", "example.com", "128.0.0.1"])(
    "is refused while everything is open: %s",
    (HOST) => {
      const problems = problemsOf({ HOST });
      expect(problems).toEqual([expect.stringContaining(`HOST is ${HOST}`)]);
      expect(problems[0]).toMatch(/MANDRILL_WEBHOOK_KEYS is not set.*ACCESS_TOKENS.*is set.*ALLOW_OPEN=1/);
    },
  );

  it("is refused while one half is open, and the reason names that half alone", () => {
    expect(problemsOf({ HOST: "0.0.0.0", ...KEYS })).toEqual([expect.not.stringContaining("MANDRILL_WEBHOOK_KEYS")]);
    expect(problemsOf({ HOST: "0.0.0.0", ...TOKENS })).toEqual([expect.not.stringContaining("ACCESS_TOKENS")]);
  });

  it.each([
    ["keys and tokens", { ...KEYS, ...TOKENS }],
    ["keys and a secret for JWTs", { ...KEYS, JWT_SECRET: "a secret of at least thirty-two characters" }],
    ["ALLOW_OPEN=1", { ALLOW_OPEN: "1" }],
  ])("is taken with %s", (_what, env) => {
    expect(problemsOf({ HOST: "0.0.0.0", ...env })).toEqual([]);
  });

  it("is not made good by ALLOW_OPEN=0, nor by an issuer without a key", () => {
    expect(problemsOf({ HOST: "0.0.0.0", ALLOW_OPEN: "0" })).toHaveLength(1);
    expect(problemsOf({ HOST: "0.0.0.0", ...KEYS, ACCESS_TOKENS: " " })).toHaveLength(1);
  });
});

it.each(["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])("this machine's own address is taken: %s", (HOST) => {
  expect(problemsOf({ HOST })).toEqual([]);
});
