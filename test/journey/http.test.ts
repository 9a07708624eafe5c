import { createClient } from "graphql-sse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, runService } from "../harness/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

async function post(events: readonly object[]): Promise<void> {
  const response = await fetch(`${service.url}/mandrill/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  expect(response.status).toBe(200);
}

async function query(
  text: string,
): Promise<{ data: Record<string, unknown>; errors?: { extensions: { code: string } }[] }> {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: text }),
  });
  return (await response.json()) as never;
}

describe("health", () => {
  it("says that the process is alive and that it is ready, each check by its name", async () => {
    expect(await (await fetch(`${service.url}/health`)).json()).toEqual({ status: "ok" });
    const ready = await fetch(`${service.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        status: "ready",
        checks: { eventLog: { ok: true, since: expect.any(String) }, running: { ok: true, since: expect.any(String) } },
      },
    ]);
  });
});

describe("GraphiQL", () => {
  it("is at /graphql for a browser, small, and all that it loads is ours", async () => {
    const page = await fetch(`${service.url}/graphql`, { headers: { accept: "text/html" } });
    const html = await page.text();
    expect(page.headers.get("content-type")).toMatch("text/html");
    expect(html.length).toBeLessThan(5_000);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(links.filter((link) => !link.startsWith("data:"))).toHaveLength(3);
    for (const link of links.filter((each) => !each.startsWith("data:"))) {
      expect(link).toMatch(/^graphiql\//);
      const asset = await fetch(`${service.url}/${link}`);
      expect([asset.status, asset.headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
      expect((await asset.text()).length).toBeGreaterThan(100);
    }
    expect((await fetch(`${service.url}/graphiql/nothing.js`)).status).toBe(404);
  });
});

it("answers what it does not know with 404 and a list of what there is", async () => {
  const response = await fetch(`${service.url}/nowhere`);
  expect([response.status, (await response.json()).code]).toEqual([404, "NOT_FOUND"]);
});

describe("the same subscription over Server-Sent Events", () => {
  const SUBSCRIPTION =
    "subscription ($after: Cursor) { eventReceived(types: [open, click], after: $after) { messageId } }";

  it("works with graphql-sse's client, resumes by extensions.after, and ends with its reader", async () => {
    const client = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
    const { head } = (await query("{ recentEvents { head } }")).data.recentEvents as { head: string };
    await post([
      { event: "open", msg: { _id: "sse-1" } },
      { event: "send", msg: { _id: "sse-2" } },
    ]);
    const results = client.iterate({ query: SUBSCRIPTION, variables: { after: head } });
    const first = (await results.next()).value as { data: unknown; extensions: { cursor: string } };
    expect(first.data).toEqual({ eventReceived: { messageId: "sse-1" } });
    await post([{ event: "click", msg: { _id: "sse-3" } }]);
    expect((await results.next()).value.data).toEqual({ eventReceived: { messageId: "sse-3" } });
    await results.return?.();
    const resumed = client.iterate({ query: SUBSCRIPTION, extensions: { after: first.extensions.cursor } });
    expect((await resumed.next()).value.data).toEqual({ eventReceived: { messageId: "sse-3" } });
    client.dispose();
  });

  it("tells a gap as a last result with the error", async () => {
    const client = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
    const results = client.iterate({ query: SUBSCRIPTION, variables: { after: "no cursor" } });
    const { errors } = (await results.next()).value as { errors: { extensions: object }[] };
    expect(errors[0]?.extensions).toMatchObject({ code: "CURSOR_UNKNOWN", head: expect.any(String) });
    expect((await results.next()).done).toBe(true);
    client.dispose();
  });

  it("refuses a wrong request as it does elsewhere", async () => {
    const client = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
    const results = client.iterate({ query: "subscription { eventReceived(types: [opened]) { id } }" });
    const outcome = await results.next().then(
      ({ value }) => JSON.stringify(value),
      (error: Error) => error.message,
    );
    expect(outcome).toMatch(/opened|Bad Request/);
    client.dispose();
  });
});

describe("queries", () => {
  it("find one recipient's history, whatever its case, and page through it", async () => {
    await post(["send", "open", "click"].map((event) => ({ event, msg: { _id: "h", email: "Linus@Example.com" } })));
    const page = (
      await query(
        '{ recentEvents(email: "linus@example.COM", first: 2) { nodes { type } pageInfo { endCursor hasNextPage } } }',
      )
    ).data.recentEvents as { nodes: object[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
    expect([page.nodes, page.pageInfo.hasNextPage]).toEqual([[{ type: "click" }, { type: "open" }], true]);
    const rest = await query(
      `{ recentEvents(email: "linus@example.com", after: "${page.pageInfo.endCursor}") { nodes { type } pageInfo { hasNextPage } } }`,
    );
    expect(rest.data.recentEvents).toEqual({ nodes: [{ type: "send" }], pageInfo: { hasNextPage: false } });
  });

  it("are refused with a code where an argument is out of range", async () => {
    const { errors } = await query("{ recentEvents(first: 501) { head } }");
    expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
  });
});
