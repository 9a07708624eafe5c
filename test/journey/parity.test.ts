import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { type Ask, exchange, TRANSPORTS } from "../harness/transport.ts";

const TOKEN = "a-static-token-of-some-length";
const SECRET = "a secret of at least thirty-two characters";

const PERSISTED = "query Persisted { recentEvents(first: 1) { head } }";

/** Everything is refused the same way by one of these: what is open, what has rules, and what has its operations. */
interface Services {
  readonly open: RunningService;
  readonly guarded: RunningService;
  readonly persisted: RunningService;
}

let folder: string;
let services: Services;
let expired: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-"));
  const file = join(folder, "operations.json");
  await writeFile(file, JSON.stringify({ known: PERSISTED }));
  const rules = { ACCESS_TOKENS: TOKEN, JWT_SECRET: SECRET };
  services = {
    open: await runService(),
    guarded: await runService({ env: { ...rules, INTROSPECTION: "off" } }),
    persisted: await runService({ env: { ...rules, PERSISTED_OPERATIONS: file } }),
  };
  expired = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime(Math.floor(Date.now() / 1_000) - 600)
    .sign(new TextEncoder().encode(SECRET));
});
afterAll(async () => {
  await Promise.all(Object.values(services).map((service: RunningService) => service.stop()));
  await rm(folder, { recursive: true });
});

interface Rule {
  readonly name: string;
  readonly service: keyof Services;
  readonly ask: () => Ask;
  readonly code: string;
}

function many(count: number, part: (index: number) => string): string {
  return `{ ${Array.from({ length: count }, (_, index) => part(index)).join(" ")} }`;
}

/** Who asks, and from where: judged on every transport. */
const ACCESS_RULES: readonly Rule[] = [
  { name: "no token", service: "guarded", ask: () => ({}), code: "UNAUTHENTICATED" },
  { name: "a bad token", service: "guarded", ask: () => ({ token: "not-one-of-them" }), code: "UNAUTHENTICATED" },
  { name: "a forged token", service: "guarded", ask: () => ({ token: `${expired}x` }), code: "UNAUTHENTICATED" },
  { name: "an expired token", service: "guarded", ask: () => ({ token: expired }), code: "UNAUTHENTICATED" },
  {
    name: "another site's page",
    service: "guarded",
    ask: () => ({ token: TOKEN, origin: "https://evil.example" }),
    code: "FORBIDDEN",
  },
  {
    name: "another name, while no access rule is set",
    service: "open",
    ask: () => ({ host: "evil.example" }),
    code: "FORBIDDEN",
  },
];

/** What is asked: judged wherever a document can be sent. */
const DOCUMENT_RULES: readonly Rule[] = [
  ["too deep", `{ ${"... { ".repeat(21)} __typename ${"} ".repeat(21)} }`, "LIMIT_EXCEEDED"],
  [
    "too costly",
    many(25, (i) => `a${i}: recentEvents(first: 500) { nodes { id type email name cursor messageId webhook } }`),
    "LIMIT_EXCEEDED",
  ],
  ["too many aliases", many(31, (i) => `a${i}: __typename event${i}: event(id: "1") { id }`), "LIMIT_EXCEEDED"],
  ["too many directives", many(51, () => "__typename @skip(if: false)"), "LIMIT_EXCEEDED"],
  ["too many tokens", many(1_001, () => "a"), "LIMIT_EXCEEDED"],
  ["too long", `{ __typename } # ${"x".repeat(10_000)}`, "LIMIT_EXCEEDED"],
  ["introspection, where it is off", "{ __schema { queryType { name } } }", "FORBIDDEN"],
  ["no document at all", "{", "GRAPHQL_PARSE_FAILED"],
  ["what the schema does not have", "{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
  ["a page too large", "{ recentEvents(first: 501) { head } }", "BAD_USER_INPUT"],
].map(
  ([name = "", query, code = ""]): Rule => ({ name, service: "guarded", ask: () => ({ token: TOKEN, query }), code }),
);

const OTHER_RULES: readonly Rule[] = [
  { name: "a batch", service: "guarded", ask: () => ({ token: TOKEN, batch: true }), code: "BAD_USER_INPUT" },
  {
    name: "an operation that is not among the persisted ones",
    service: "persisted",
    ask: () => ({ token: TOKEN, query: `${PERSISTED} # another` }),
    code: "OPERATION_UNKNOWN",
  },
  {
    name: "an id that is not among the persisted ones",
    service: "persisted",
    ask: () => ({ token: TOKEN, query: "", extensions: { persistedQuery: { version: 1, sha256Hash: "unknown" } } }),
    code: "OPERATION_UNKNOWN",
  },
];

/** The other half of a rule: what must not be refused. */
const TAKEN: readonly Omit<Rule, "code">[] = [
  { name: "a good token", service: "guarded", ask: () => ({ token: TOKEN }) },
  {
    name: "a page of the service's own",
    service: "guarded",
    ask: () => ({ token: TOKEN, origin: services.guarded.url }),
  },
  { name: "this machine's name", service: "open", ask: () => ({ host: "localhost:1" }) },
];

const PERSISTED_TAKEN: readonly Omit<Rule, "code">[] = [
  { name: "a persisted document", service: "persisted", ask: () => ({ token: TOKEN, query: PERSISTED }) },
  {
    name: "a persisted id",
    service: "persisted",
    ask: () => ({ token: TOKEN, query: "", extensions: { persistedQuery: { version: 1, sha256Hash: "known" } } }),
  },
];

describe.each(TRANSPORTS)("over $name", (transport) => {
  const documentRules = transport.takesDocuments ? [...DOCUMENT_RULES, ...OTHER_RULES] : [];

  it.each([...ACCESS_RULES, ...documentRules])("$name is refused with $code", async ({ service, ask, code }) => {
    expect(await transport.refusal(services[service].url, ask())).toBe(code);
  });

  it.each([...TAKEN, ...(transport.takesDocuments ? PERSISTED_TAKEN : [])])(
    "$name is taken",
    async ({ service, ask }) => {
      expect(await transport.refusal(services[service].url, ask())).toBe("taken");
    },
  );
});

describe("on one socket, an operation's siblings live on", () => {
  it.each([...DOCUMENT_RULES, ...OTHER_RULES])("when it is refused for $name", async ({ name, service, ask, code }) => {
    const { url, socketUrl } = services[service];
    const { query, extensions, batch } = ask();
    await using client = await connectSocket(socketUrl, { init: { authorization: `Bearer ${TOKEN}` } });
    // Under persisted operations alone no subscription is among them: the sibling is a query.
    const isSubscription = service !== "persisted";
    if (isSubscription) {
      client.subscribe("sibling", "subscription { eventReceived { messageId } }", {
        extensions: { after: client.ack.head },
      });
    }
    const payload = { query, extensions };
    client.send({ id: "refused", type: "subscribe", payload: batch === true ? [payload, payload] : payload });
    const refused = await client.next("refused");
    // A refusal by a resolver is a result with `errors`; all others come before there is one.
    const errors = refused.type === "error" ? refused.payload : refused.payload.errors;
    expect(errors[0].extensions.code).toBe(code);
    if (!isSubscription) client.subscribe("sibling", PERSISTED);
    await exchange(`${url}/mandrill`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ event: "open", msg: { _id: name } }]),
    });
    const next = await client.next("sibling");
    expect(next.type).toBe("next");
    if (isSubscription) expect(next.payload.data.eventReceived.messageId).toBe(name);
  });
});

describe("a mutation by GET", () => {
  const query = encodeURIComponent('mutation { renewToken(token: "a") }');

  it.each(["application/json", "application/graphql-response+json", "text/event-stream"])(
    "is refused to who accepts %s",
    async (accept) => {
      const { status, text } = await exchange(`${services.guarded.url}/graphql?query=${query}`, {
        headers: { authorization: `Bearer ${TOKEN}`, accept },
      });
      expect([status, /"code":"([A-Z_]+)"/.exec(text)?.[1]]).toEqual([405, "METHOD_NOT_ALLOWED"]);
    },
  );
});
