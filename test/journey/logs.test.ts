import { request } from "node:http";
import { expect, it } from "vitest";
import { post, rawEvent, type SavedWebhook, signedForm } from "../harness/mandrill-post.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const WEBHOOK: SavedWebhook = { url: "https://live.example.com/mandrill", key: "webhook-key" };
const TOKEN = "an-operator-token-of-some-length";
const ENV = {
  LOG_LEVEL: "info",
  ACCESS_TOKENS: TOKEN,
  MANDRILL_WEBHOOK_URLS: WEBHOOK.url,
  MANDRILL_WEBHOOK_KEYS: WEBHOOK.key,
};

type Line = Readonly<Record<string, unknown>>;

it("there is one line a request and one a connection's end, by which both can be found again", async () => {
  await using service = await spawnService({ env: ENV });
  const { url, socketUrl } = service;
  const idOf = ({ headers }: Response | { headers: Headers }): string => headers.get("x-request-id") as string;

  // Ordinary traffic of machines is not told.
  const good = signedForm([rawEvent("open")], WEBHOOK);
  const taken = await post(url, good);
  expect(taken.status).toBe(200);
  expect(idOf(taken)).toMatch(/^[\w-]{36}$/);
  await fetch(`${url}/health`);
  await fetch(`${url}/ready`);
  // All else is.
  const forged = { ...good, headers: { ...good.headers, "x-mandrill-signature": "bm9uZQ==" } };
  const refused = await post(url, forged);
  const unknown = await fetch(`${url}/mandril?key=1`, { method: "POST", body: "" });
  const query = `${url}/graphql?query=${encodeURIComponent("{ recentEvents { head } }")}`;
  const asked = await fetch(query, { headers: { authorization: `Bearer ${TOKEN}`, "x-request-id": "from-a-proxy" } });
  expect([refused.status, unknown.status, asked.status]).toEqual([401, 404, 200]);
  expect(idOf(asked)).toBe("from-a-proxy");

  // Sockets: one that its client closes, one that is not let in, one that stays, and a handshake that is refused.
  const init = { authorization: `Bearer ${TOKEN}` };
  await using closed = await connectSocket(socketUrl, { init, options: { headers: { "x-request-id": "socket-1" } } });
  closed.socket.close(1000, "a word of mine");
  await closed.closed;
  await using stranger = await connectSocket(socketUrl, { init: false });
  stranger.send({ type: "connection_init", payload: { authorization: "Bearer of-bad-news-and-of-nothing-else" } });
  expect((await stranger.closed).code).toBe(4401);
  await using staying = await connectSocket(socketUrl, { init });
  const handshake = { connection: "upgrade", upgrade: "websocket", "x-request-id": "handshake-1" };
  const evil = request(socketUrl.replace("ws:", "http:"), {
    headers: { ...handshake, origin: "https://evil.example" },
  });
  const answer = Promise.withResolvers<{ status: number | undefined; id: unknown }>();
  evil.on("response", (response) => {
    answer.resolve({ status: response.statusCode, id: response.headers["x-request-id"] });
    response.resume();
  });
  evil.on("error", answer.reject);
  evil.end();
  expect(await answer.promise).toEqual({ status: 403, id: "handshake-1" });

  service.signal("SIGTERM");
  expect((await staying.closed).code).toBe(1012);
  expect(await service.ended).toBe(0);
  const lines = service.printed
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
  const said = (words: string) => lines.filter(({ msg }) => String(msg).startsWith(words));

  expect(said("request ")).toMatchObject([
    { level: "info", requestId: idOf(unknown), method: "POST", path: "other", status: 404 },
    { level: "info", requestId: "from-a-proxy", method: "GET", path: "/graphql", status: 200 },
  ]);
  for (const { durationMs, bytes } of said("request ")) {
    expect([durationMs, bytes]).toEqual([expect.any(Number), expect.any(Number)]);
  }
  expect(said("webhook request refused")).toMatchObject([
    { level: "warn", requestId: idOf(refused), code: "SIGNATURE_MISMATCH", status: 401 },
  ]);
  expect(said("WebSocket refused")).toMatchObject([
    { level: "info", requestId: "handshake-1", path: "/graphql", status: 403, code: "FORBIDDEN" },
  ]);
  expect(said("a socket has ended")).toMatchObject([
    { level: "info", requestId: "socket-1", code: 1000, reason: "Closed by its client" },
    { code: 4401, reason: "UNAUTHENTICATED" },
    { code: 1012, reason: "Service restart" },
  ]);
  for (const { durationMs } of said("a socket has ended")) expect(durationMs).toEqual(expect.any(Number));
  expect(service.printed).not.toMatch(/a word of mine|bad-news|mandril\?|127\.0\.0\.1:?"/);
});
