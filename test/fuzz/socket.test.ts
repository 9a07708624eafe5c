import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccess } from "../../src/access/access.ts";
import { createClientAddresses } from "../../src/access/client-address.ts";
import { createConnectionLimit } from "../../src/access/connection-limit.ts";
import { loadConfig } from "../../src/config.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { createDocuments } from "../../src/graphql/documents.ts";
import { createEventSubscriptions } from "../../src/graphql/event-subscription.ts";
import { EXAMPLES } from "../../src/graphql/examples.ts";
import { createGroups } from "../../src/graphql/group.ts";
import { presentError } from "../../src/graphql/present-error.ts";
import { schema } from "../../src/graphql/schema.ts";
import { createHub, type Hub } from "../../src/hub/hub.ts";
import { createGraphqlSockets, type GraphqlSockets } from "../../src/socket/graphql-socket.ts";
import { sampleEvent } from "../harness/event-samples.ts";
import { type MemorySocket, openMemorySocket } from "../harness/memory-socket.ts";

const CASES = 100_000;
/** Messages of one socket, if it lives so long. */
const BATCH = 50;

let folder: string;
let eventLog: EventLog;
let hub: Hub;
let sockets: GraphqlSockets;
/** What was logged as an error: nothing may be. */
const logged: string[] = [];

/** In memory a server's end is not told that the other is gone. */
const UNLIMITED = { maxOnLoopback: Number.POSITIVE_INFINITY, maxPerAddress: Number.POSITIVE_INFINITY };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-"));
  const config = loadConfig({ MAX_MESSAGES_PER_MINUTE: "1000000", CONNECTION_INIT_SECONDS: "600" });
  const logger = pino({ level: "warn", base: null }, { write: (line) => logged.push(line) });
  eventLog = await openSqliteEventLog({ file: join(folder, "events.sqlite"), limits: config.limits });
  await eventLog.append([sampleEvent({ id: "event-1" })]);
  hub = createHub({ eventLog, recentEntries: { maxEntries: 100, maxBytes: 1e6 }, logger });
  const present = (error: unknown) => presentError(error, { maskUnexpected: true, logger });
  const groups = createGroups({ schema, presentError: present });
  sockets = createGraphqlSockets({
    schema,
    documents: createDocuments({ schema, limits: config.documents, introspection: true }),
    subscriptions: createEventSubscriptions({ schema, hub, groups }),
    hub,
    connections: createConnectionLimit(UNLIMITED, createClientAddresses([])),
    logger,
    contextFor: (scope) => ({ scope, eventLog }),
    access: createAccess({ rules: null, eventLog, logger }),
    presentError: present,
    limits: config.socket,
    maxBufferedBytes: config.socket.maxBufferedBytes,
    stallTimeout: config.socket.stallMs,
    pingInterval: 600_000,
  });
  hub.start();
  await hub.begun();
});
afterAll(async () => {
  sockets.destroy();
  await sockets.close(0);
  await hub.stop();
  await eventLog.close();
  await rm(folder, { recursive: true });
});

const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", "\u0000", "\ud800", "__proto__", "constructor", "x".repeat(129)),
);
const odd = fc.oneof({ weight: 3, arbitrary: oddText }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
const query = fc.oneof(
  fc.constantFrom(
    ...EXAMPLES.map((example) => example.query),
    "{ __typename }",
    "subscription { eventReceived { id } }",
    "subscription ($a: Cursor, $t: [EventType!]) { eventReceived(after: $a, types: $t) { id raw } }",
    "query ($first: Int, $email: String) { recentEvents(first: $first, email: $email) { nodes { id } } }",
    "subscription A { eventReceived { id } } query B { __typename }",
    "subscription { __typename }",
    "mutation ($t: String!) { renewToken(token: $t) }",
    "subscription { eventReceived @skip(if: true) { id } }",
    "{ ...F } fragment F on Query { ...F }",
  ),
  oddText,
);
const variables = fc.dictionary(fc.constantFrom("a", "t", "first", "email", "__proto__"), odd, { maxKeys: 3 });
const id = fc.oneof(fc.constantFrom("1", "2", "3"), oddText);
const payload = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        query,
        variables,
        operationName: fc.oneof(fc.constantFrom("A", "B", null), oddText),
        extensions: fc.dictionary(fc.constantFrom("after", "persistedQuery", "documentId"), odd),
      },
      { requiredKeys: ["query"] },
    ),
  },
  { weight: 1, arbitrary: odd },
);

/** Most are well-formed as far as the protocol goes, or the socket would be gone before anything else is looked at. */
const message = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ id, type: fc.constant("subscribe"), payload }).map((value) => JSON.stringify(value)),
  },
  { weight: 4, arbitrary: fc.record({ id, type: fc.constant("complete") }).map((value) => JSON.stringify(value)) },
  {
    weight: 2,
    arbitrary: fc
      .record({ type: fc.constantFrom("ping", "pong"), payload: fc.dictionary(oddText, odd) })
      .map((value) => JSON.stringify(value)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ id: odd, type: odd, payload: odd }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: oddText },
);

async function connect(): Promise<MemorySocket> {
  const socket = await openMemorySocket((...handshake) => sockets.upgrade(...handshake));
  socket.send('{"type":"connection_init"}');
  await socket.until((text) => text.startsWith('{"type":"connection_ack"'));
  return socket;
}

/** Close codes that a message can have earned: bad request, unauthorized, an id that runs already, two inits. */
const EARNED = [4400, 4401, 4409, 4429];

it(`answers or refuses ${CASES} odd messages, and fails at none`, { timeout: 900_000 }, async () => {
  const codes = new Set<string>();
  let socket = await connect();
  let marks = 0;
  const note = (): void => {
    for (const text of socket.received) {
      for (const [, code] of text.matchAll(/"code":"([A-Z_]+)"/g)) codes.add(code as string);
    }
  };
  const reconnect = async (): Promise<void> => {
    note();
    socket.end();
    socket = await connect();
  };
  /** Sends it, and resolves when it has been looked at. */
  const ask = async (text: string): Promise<void> => {
    marks += 1;
    const mark = `{"type":"pong","payload":{"mark":${marks}}}`;
    socket.send(text);
    socket.send(mark.replace("pong", "ping"));
    await socket.until((received) => received === mark);
    if (socket.closedWith === null) return;
    expect(EARNED).toContain(socket.closedWith);
    await reconnect();
  };
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: BATCH, maxLength: BATCH }), async (messages) => {
      for (const each of messages) await ask(each);
      // The log answers in order: what was asked before has been answered too.
      marks += 1;
      socket.send(`{"id":"m${marks}","type":"subscribe","payload":{"query":"{ recentEvents(first: 1) { head } }"}}`);
      await socket.until((received) => received.startsWith(`{"id":"m${marks}","type":"`));
      await reconnect();
    }),
    { numRuns: CASES / BATCH, endOnFailure: true },
  );
  expect(logged).toEqual([]);
  expect(codes).not.toContain("INTERNAL");
  // It has come as far as the resolvers, the cursors and the limits.
  for (const code of ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "CURSOR_UNKNOWN"]) {
    expect(codes).toContain(code);
  }
  socket.send('{"id":"good","type":"subscribe","payload":{"query":"{ recentEvents { nodes { id } } }"}}');
  const answer = await socket.until((text) => text.includes('"good"'));
  expect(answer).toContain('"event-1"');
  socket.end();
});
