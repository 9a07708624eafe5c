import { SignJWT } from "jose";
import { expect, it } from "vitest";
import { type SavedWebhook, signedForm } from "../harness/mandrill-post.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { exchange } from "../harness/transport.ts";

const TOKEN = "sesame-static-token-of-some-length";
const SECRET = "sesame-secret-of-at-least-thirty-two-characters";
const WEBHOOK: SavedWebhook = { url: "https://live.example.com/mandrill", key: "sesame-webhook-key" };
const ADDRESS = "ada.lovelace@example.com";
/** As a client behind a proxy has it, and as an event tells it of a recipient. */
const CLIENT_IP = "192.0.2.77";
const RECIPIENT_IP = "198.51.100.23";

it.each(["debug", "info"])("no address, token or key reaches the log, whatever happens, at %s", async (level) => {
  await using service = await spawnService({
    env: {
      LOG_LEVEL: level,
      ACCESS_TOKENS: TOKEN,
      JWT_SECRET: SECRET,
      MANDRILL_WEBHOOK_URLS: WEBHOOK.url,
      MANDRILL_WEBHOOK_KEYS: WEBHOOK.key,
      TRUSTED_PROXIES: "127.0.0.1",
    },
  });
  const { url, socketUrl } = service;
  const jwt = await new SignJWT({ email: ADDRESS, mandrill_live: { emails: [ADDRESS] } })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(ADDRESS)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  const headers = { "x-forwarded-for": CLIENT_IP, "content-type": "application/json" };
  const ask = (path: string, more: Record<string, string>, method = "GET", body?: string) =>
    exchange(url + path, { method, headers: { ...headers, ...more }, ...(body === undefined ? {} : { body }) });

  // Posts that are taken, and every kind that is not.
  const events = [
    { event: "open", ip: RECIPIENT_IP, msg: { _id: "m1", email: ADDRESS, sender: ADDRESS, subject: `To ${ADDRESS}` } },
    { event: ADDRESS, msg: ADDRESS },
    { event: "inbound", msg: { email: ADDRESS, text: TOKEN } },
  ];
  const good = signedForm(events, WEBHOOK);
  expect((await exchange(`${url}/mandrill`, { method: "POST", ...good })).status).toBe(200);
  const forged = { ...good, headers: { ...good.headers, "x-mandrill-signature": "c2VzYW1l" } };
  expect((await exchange(`${url}/mandrill`, { method: "POST", ...forged })).status).toBe(401);
  await ask("/mandrill", {}, "POST", `{"${ADDRESS}`);
  await ask(`/mandrill?email=${ADDRESS}`, { "content-type": ADDRESS }, "POST", ADDRESS);
  await ask(`/${ADDRESS}`, {});

  // Readers with every kind of credential, good and bad.
  const bearer = { authorization: `Bearer ${TOKEN}` };
  const { ticket } = JSON.parse((await ask("/tickets", bearer, "POST")).text) as { ticket: string };
  const session = await ask(
    "/session",
    { origin: url, host: new URL(url).host },
    "POST",
    JSON.stringify({ token: jwt }),
  );
  const cookie = String(session.headers["set-cookie"]).split(";")[0] as string;
  expect([ticket, cookie]).toEqual([expect.stringMatching(/.{20}/), expect.stringMatching(/=.{20}/)]);
  const body = (query: string): string => JSON.stringify({ query, variables: { email: ADDRESS, token: TOKEN } });
  for (const [path, more] of [
    ["/graphql", bearer],
    ["/graphql", { authorization: `Bearer ${jwt}` }],
    ["/graphql", { authorization: `Bearer ${jwt}sesame` }],
    ["/graphql", { authorization: `Basic ${TOKEN}` }],
    [`/graphql?ticket=${ticket}`, {}],
    [`/graphql?ticket=${ticket}sesame`, {}],
    ["/graphql", { cookie }],
    ["/graphql", { cookie, origin: url }],
  ] as const) {
    for (const query of [
      "query ($email: String) { recentEvents(email: $email) { nodes { email raw } } }",
      "query ($email: Int, $token: Int) { recentEvents(first: $email, email: $token) { head } }",
      `{ recentEvents(first: "${ADDRESS}") { "${TOKEN}" } }`,
      "mutation ($token: String!) { renewToken(token: $token) }",
      `mutation { renewToken(token: ${TOKEN}) }`,
    ]) {
      await ask(path, more, "POST", body(query));
    }
  }
  await ask(`/events?ticket=${ticket}&email=${ADDRESS}&wait=0`, { accept: "application/json" });
  await ask(`/events?ticket=${ticket}&after=${ADDRESS}`, { accept: "application/json" });

  // Sockets: good, with a bad token, and with faulty operations and messages.
  const options = { headers: { "x-forwarded-for": CLIENT_IP } };
  await using client = await connectSocket(socketUrl, { init: { authorization: `Bearer ${jwt}` }, options });
  client.subscribe("1", "subscription ($email: String) { eventReceived(email: $email) { email raw } }", {
    variables: { email: ADDRESS },
    extensions: { after: ADDRESS },
  });
  expect((await client.next("1")).payload[0].extensions.code).toBe("CURSOR_UNKNOWN");
  client.subscribe(ADDRESS, `mutation { renewToken(token: "${TOKEN}") }`);
  await client.next(ADDRESS);
  client.send(`{"${TOKEN}`);
  await client.closed;
  await using stranger = await connectSocket(socketUrl, { init: false, options });
  stranger.send({ type: "connection_init", payload: { authorization: `Bearer ${TOKEN}x` } });
  expect((await stranger.closed).code).toBe(4401);

  service.signal("SIGTERM");
  expect(await service.ended).toBe(0);
  // The text for the person who starts it has examples of its own.
  const log = service.printed
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .join("\n");
  // It has told something of all this.
  expect(log).toMatch(/signature/i);
  for (const secret of [
    TOKEN,
    SECRET,
    WEBHOOK.key,
    jwt,
    jwt.slice(-20),
    ticket,
    cookie.slice(-20),
    "sesame",
    "c2VzYW1l",
  ]) {
    expect(log).not.toContain(secret);
  }
  expect(log).not.toMatch(/lovelace|[a-z]+@example\.com/i);
  expect(log).not.toContain(RECIPIENT_IP);
  if (level !== "debug") expect(log).not.toContain(CLIENT_IP);
});
