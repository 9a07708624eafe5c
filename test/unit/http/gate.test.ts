import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createGate } from "../../../src/http/gate.ts";
import { createOriginPolicy } from "../../../src/http/origin.ts";

const COOKIE = "mandrill_live_session=a";

function admit(
  headers: Record<string, string>,
  { isLocalOnly = false, method = "POST", allowed = [] as string[] } = {},
): string {
  const gate = createGate({ isLocalOnly, origins: createOriginPolicy(allowed) });
  try {
    gate.admit({
      headers: { host: "live.example.com", ...headers },
      method,
      url: "/graphql",
    } as unknown as IncomingMessage);
    return "admitted";
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
}

describe("while no access rule is set", () => {
  it.each(["localhost", "localhost:4000", "127.0.0.1:1", "[::1]", "[::1]:4000", "LOCALHOST"])(
    "%s is answered",
    (host) => {
      expect(admit({ host }, { isLocalOnly: true })).toBe("admitted");
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.2",
    "0.0.0.0:4000",
    "[::]",
    "localhost:4000@evil.example",
    "",
  ])("%j is refused, and told of ACCESS_TOKENS", (host) => {
    expect(admit({ host }, { isLocalOnly: true })).toMatch(/^FORBIDDEN: .*ACCESS_TOKENS/);
  });
});

describe("an Origin", () => {
  it("that is none is no page of another site", () => {
    expect(admit({})).toBe("admitted");
  });

  it.each([
    ["https://live.example.com", "live.example.com"],
    ["http://live.example.com", "live.example.com"],
    ["https://live.example.com", "live.example.com:443"],
    ["https://live.example.com:8443", "live.example.com:8443"],
    ["http://[::1]:4000", "[::1]:4000"],
  ])("%s is the service's own at %s", (origin, host) => {
    expect(admit({ origin, host })).toBe("admitted");
  });

  it.each([
    "https://evil.example",
    "https://live.example.com.evil.example",
    "https://live.example.com:444",
    "null",
    "file://",
    "",
    "https://evil.example/live.example.com",
  ])("%j is refused", (origin) => {
    expect(admit({ origin })).toMatch(/^FORBIDDEN: .*ALLOWED_ORIGINS/);
  });

  it("that is allowed is answered, and no other scheme or port of it", () => {
    const allowed = ["https://app.example.com"];
    expect(admit({ origin: "https://app.example.com" }, { allowed })).toBe("admitted");
    expect(admit({ origin: "http://app.example.com" }, { allowed })).toMatch(/^FORBIDDEN/);
    expect(admit({ origin: "https://app.example.com:1" }, { allowed })).toMatch(/^FORBIDDEN/);
  });
});

describe("a log-in cookie", () => {
  it.each([
    ["from a page of ours", { origin: "https://live.example.com" }],
    ["from a page of ours, by what the browser says of it", { "sec-fetch-site": "same-origin" }],
    ["beside a bearer's token, which counts", { authorization: "Bearer a" }],
  ])("is taken %s", (_what, headers) => {
    expect(admit({ cookie: COOKIE, ...headers })).toBe("admitted");
  });

  it.each([
    ["from nowhere", {}],
    ["from another site", { "sec-fetch-site": "cross-site" }],
    ["from a neighbour's host", { "sec-fetch-site": "same-site" }],
    ["by a POST that nobody has asked for", { "sec-fetch-site": "none" }],
    ["from another origin, allowed though it be", { origin: "https://app.example.com" }],
    [
      "from another origin that says it is ours",
      { origin: "https://app.example.com", "sec-fetch-site": "same-origin" },
    ],
  ])("is refused %s", (_what, headers) => {
    expect(admit({ cookie: COOKIE, ...headers }, { allowed: ["https://app.example.com"] })).toMatch(
      /^FORBIDDEN: .*cookie/,
    );
  });

  it("is taken where a person has typed the address", () => {
    expect(admit({ cookie: COOKIE, "sec-fetch-site": "none" }, { method: "GET" })).toBe("admitted");
  });

  it("of somebody else is no matter", () => {
    expect(admit({ cookie: "theme=dark" })).toBe("admitted");
  });
});
