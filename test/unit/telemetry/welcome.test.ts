import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config.ts";
import { welcome } from "../../../src/telemetry/welcome.ts";

const LISTENS_ON = "http://127.0.0.1:4000";

/** What stands behind each name. */
function rowsOf(text: string): Record<string, string> {
  const rows = [...text.matchAll(/^ {2}(\S.*?) {2,}(.+)$/gm)];
  return Object.fromEntries(rows.map(([, name, value]) => [name as string, value as string]));
}

describe("what a person reads at the start", () => {
  it("says where everything is, what keeps the events, and plainly that nobody's signature is checked", () => {
    expect(rowsOf(welcome(loadConfig({}), LISTENS_ON))).toEqual({
      "Live page": "http://127.0.0.1:4000/",
      GraphiQL: "http://127.0.0.1:4000/graphql",
      Webhook: "http://127.0.0.1:4000/mandrill",
      "Ready?": "http://127.0.0.1:4000/ready",
      "Event log": "SQLite, in ./data",
      Signatures: "NOT checked: whoever reaches this port can post events (MANDRILL_WEBHOOK_KEYS is not set)",
    });
  });

  it("says for which URLs signatures are checked, and neither their passwords nor a key", () => {
    const env = {
      MANDRILL_WEBHOOK_URLS: "https://user:word@hooks.example.com/mandrill,https://example.com/mandrill/",
      MANDRILL_WEBHOOK_KEYS: "first-key,second-key",
      REDIS_URL: "redis://user:word@127.0.0.1",
      REDIS_PREFIX: "mail",
    };
    const text = welcome(loadConfig(env), LISTENS_ON);
    expect(rowsOf(text)).toMatchObject({
      "Event log": "Redis, under mail",
      Signatures: "checked, for https://***@hooks.example.com/mandrill, https://example.com/mandrill/",
    });
    expect(text).not.toMatch(/user|:word|first-key|second-key/);
  });

  it("names an address to open where the service listens on all of them, and the folder that it is below", () => {
    const text = welcome(loadConfig({ BASE_PATH: "/mail" }), "http://0.0.0.0:8080");
    expect(rowsOf(text)).toMatchObject({ GraphiQL: "http://localhost:8080/mail/graphql" });
    expect(text).toContain("curl http://localhost:8080/mail/mandrill/ ");
  });
});
