import { describe, expect, it } from "vitest";
import { runService } from "../harness/service.ts";
import { exchange } from "../harness/transport.ts";

const PAGE = { headers: { accept: "text/html" } };

describe("every answer", () => {
  it("tells browsers to guess no type, to show no frame and to send no referrer", async () => {
    await using service = await runService();
    for (const path of ["/", "/graphql", "/graphql?query={__typename}", "/health", "/nowhere", "/mandrill"]) {
      const { headers } = await exchange(service.url + path, path === "/graphql" ? PAGE : {});
      expect(headers, path).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": expect.stringMatching(/default-src '(?:self|none)'.*frame-ancestors 'none'/),
      });
    }
  });
});

describe("with NODE_ENV=production", () => {
  const env = { NODE_ENV: "production" };
  const INTROSPECTION = "/graphql?query={__schema{queryType{name}}}";

  it("there is no GraphiQL, no introspection and no suggestion", async () => {
    await using service = await runService({ env });
    expect((await exchange(`${service.url}/graphql`, PAGE)).text).not.toContain("<html");
    expect((await exchange(service.url + INTROSPECTION)).text).toContain('"FORBIDDEN"');
    const variables = encodeURIComponent('{"types":["opend"]}');
    for (const query of [
      "query={recentEvent{head}}",
      `query=query($types:[EventType!]){recentEvents(types:$types){head}}&variables=${variables}`,
      `query=subscription($types:[EventType!]){eventReceived(types:$types){id}}&variables=${variables}`,
    ]) {
      for (const accept of ["application/json", "text/event-stream"]) {
        const { text } = await exchange(`${service.url}/graphql?${query}`, { headers: { accept } });
        expect(text, query).toContain('"errors"');
        expect(text, query).not.toMatch(/did you mean/i);
      }
    }
  });

  it("they are there where they are switched on", async () => {
    await using service = await runService({ env: { ...env, GRAPHIQL: "on", INTROSPECTION: "on" } });
    expect((await exchange(`${service.url}/graphql`, PAGE)).text).toContain("<html");
    expect((await exchange(service.url + INTROSPECTION)).text).toContain('"Query"');
    expect((await exchange(`${service.url}/graphql?query={recentEvent{head}}`)).text).toMatch(/did you mean/i);
  });
});

describe("while no access rule is set", () => {
  it("a name of another machine reaches the webhook and the probes, and nothing else", async () => {
    await using service = await runService();
    const status = async (path: string, method = "GET"): Promise<number> =>
      (await exchange(service.url + path, { method, headers: { host: "evil.example" } })).status;
    expect([await status("/mandrill", "HEAD"), await status("/health"), await status("/ready")]).toEqual([
      200, 200, 200,
    ]);
    for (const path of [
      "/",
      "/graphql",
      "/graphql?query={__typename}",
      "/events",
      "/tickets",
      "/session",
      "/graphiql/start.js",
      "/nowhere",
    ]) {
      expect(await status(path), path).toBe(403);
    }
  });

  it("any name is answered once there is a rule", async () => {
    await using service = await runService({ env: { ACCESS_TOKENS: "a-static-token-of-some-length" } });
    const { status, text } = await exchange(`${service.url}/session`, { headers: { host: "live.example.com" } });
    expect([status, JSON.parse(text).code]).toEqual([401, "UNAUTHENTICATED"]);
  });
});

it("a log-in cookie is good for pages of the service alone, whatever a browser adds to a request of others", async () => {
  await using service = await runService({ env: { ACCESS_TOKENS: "a-static-token-of-some-length" } });
  const origin = service.url;
  const logIn = await exchange(`${service.url}/session`, {
    method: "POST",
    headers: { origin, authorization: "Bearer a-static-token-of-some-length" },
  });
  const setCookie = String(logIn.headers["set-cookie"]);
  expect(setCookie).toMatch(/HttpOnly.*SameSite=Strict/i);
  const cookie = setCookie.split(";")[0] as string;
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await exchange(`${service.url}/graphql?query={recentEvents{head}}`, { headers: { cookie, ...headers } })).status;
  expect([await status({ origin }), await status({ "sec-fetch-site": "same-origin" })]).toEqual([200, 200]);
  expect([await status({}), await status({ "sec-fetch-site": "same-site" })]).toEqual([403, 403]);
});

describe("a page of an allowed origin", () => {
  it("may read, and ask before with whatever header it needs; one of another may not", async () => {
    await using service = await runService({ env: { ALLOWED_ORIGINS: "https://app.example.com" } });
    const ask = (origin: string, method: string) =>
      exchange(`${service.url}/graphql?query={__typename}`, {
        method,
        headers: {
          origin,
          ...(method === "OPTIONS"
            ? { "access-control-request-method": "POST", "access-control-request-headers": "authorization" }
            : {}),
        },
      });
    expect((await ask("https://app.example.com", "GET")).headers).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      vary: expect.stringContaining("Origin"),
    });
    const preflight = await ask("https://app.example.com", "OPTIONS");
    expect([preflight.status, preflight.headers]).toEqual([
      204,
      expect.objectContaining({
        "access-control-allow-origin": "https://app.example.com",
        "access-control-allow-headers": "authorization",
        "access-control-allow-methods": expect.stringContaining("POST"),
      }),
    ]);
    const refused = [await ask("https://evil.example", "GET"), await ask("https://evil.example", "OPTIONS")];
    expect(refused.map(({ status }) => status)).toEqual([403, 204]);
    for (const { headers } of refused) {
      expect(headers).not.toHaveProperty("access-control-allow-origin");
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
    }
  });
});
