import { describe, expect, it } from "vitest";
import { maskedUrl } from "../../../src/telemetry/masked-url.ts";

describe("maskedUrl", () => {
  it.each([
    ["https://example.com/mandrill/", "https://example.com/mandrill/"],
    ["https://mallory:sesame@example.com:8443/m", "https://***@example.com:8443/m"],
    ["https://mallory:ses@me@example.com/", "https://***@example.com/"],
    ["redis://:sesame@example.com:6379/0", "redis://***@example.com:6379/0"],
    ["https://example.com/m?key=sesame&b=two#here", "https://example.com/m?key=***&b=***#here"],
    ["https://example.com/m/?flag", "https://example.com/m/?flag"],
    ["https://example.com/a@b?to=c@d", "https://example.com/a@b?to=***"],
    ["HTTPS://Example.com", "HTTPS://Example.com"],
    ["mallory:sesame@example.com", "[hidden]"],
    ["https://mallory:ses#ame@example.com", "[hidden]"],
    ["sesame", "[hidden]"],
    ["", "[hidden]"],
  ])("tells %j as %j", (url, told) => {
    expect(maskedUrl(url)).toBe(told);
  });
});
