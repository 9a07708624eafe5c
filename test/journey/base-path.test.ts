import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonBatch } from "../harness/mandrill-post.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

let service: RunningService;
beforeAll(async () => {
  service = await runService({ env: { BASE_PATH: "/tools/mail" } });
});
afterAll(() => service.stop());

describe("a service below a folder", () => {
  it("has everything there: webhook, GraphQL over HTTP and WebSocket, event streams", async () => {
    const base = `${service.url}/tools/mail`;
    await using client = await connectSocket(`${base.replace("http:", "ws:")}/graphql`);
    client.subscribe("a", "subscription { eventReceived { messageId } }");
    client.send({ type: "ping" });
    await client.nextOfType("pong");
    const posted = await fetch(`${base}/mandrill`, {
      method: "POST",
      ...jsonBatch([{ event: "send", msg: { _id: "m" } }]),
    });
    expect(posted.status).toBe(200);
    expect((await client.next("a")).payload.data).toEqual({ eventReceived: { messageId: "m" } });
    const answer = await fetch(`${base}/graphql?query={recentEvents{nodes{messageId}}}`);
    expect(await answer.json()).toMatchObject({ data: { recentEvents: { nodes: [{ messageId: "m" }] } } });
    expect((await fetch(`${base}/events?wait=0`, { headers: { accept: "application/json" } })).status).toBe(200);
    expect((await fetch(`${base}/graphql/stream`, { method: "PUT" })).status).toBe(201);
    for (const path of ["/", "/metrics", "/session"])
      expect([path, (await fetch(base + path)).status]).toEqual([path, 200]);
    expect((await fetch(`${base}/tickets`)).headers.get("allow")).toBe("POST");
  });

  it("has nothing elsewhere but what probes ask for, and says where it is", async () => {
    for (const path of ["/health", "/ready", "/tools/mail/health"]) {
      expect([path, (await fetch(service.url + path)).status]).toEqual([path, 200]);
    }
    const routes = ["/graphql", "/graphql/stream", "/mandrill", "/events", "/metrics", "/session", "/tickets"];
    for (const path of ["/", ...routes, "/tools", "/tools/mailbox", "/other/tools/mail/graphql"]) {
      const response = await fetch(service.url + path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).toContain("/tools/mail/graphql");
    }
    await expect(connectSocket(service.socketUrl)).rejects.toThrow("404");
  });

  it("leads to its page from the folder's name", async () => {
    const response = await fetch(`${service.url}/tools/mail`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([308, "/tools/mail/"]);
  });

  it("keeps its cookie to itself", async () => {
    await using guarded = await runService({
      env: { BASE_PATH: "/tools/mail", ACCESS_TOKENS: "a-token-of-some-length" },
    });
    const response = await fetch(`${guarded.url}/tools/mail/session`, {
      method: "POST",
      headers: { authorization: "Bearer a-token-of-some-length" },
    });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([
      200,
      expect.stringContaining("Path=/tools/mail;"),
    ]);
  });

  it.each(["mail", "/mail/", "/", "/a b", "/a//b", "/a?b"])("is not started below %j", async (path) => {
    await expect(runService({ env: { BASE_PATH: path } })).rejects.toThrow(/BASE_PATH is .*; allowed: a path such as/);
  });
});
