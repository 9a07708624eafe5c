import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createStays } from "../../../src/access/stay.ts";
import { ServiceError } from "../../../src/error.ts";
import type { QueryContext } from "../../../src/graphql/context.ts";
import { createDocuments } from "../../../src/graphql/documents.ts";
import { createEventSubscriptions } from "../../../src/graphql/event-subscription.ts";
import { createGroups } from "../../../src/graphql/group.ts";
import { presentError } from "../../../src/graphql/present-error.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { createGraphqlStream } from "../../../src/http/graphql-stream.ts";
import { createHub } from "../../../src/hub/hub.ts";
import { openEventStream } from "../../harness/event-stream-client.ts";
import { createScriptedLog } from "../../harness/scripted-log.ts";

const WIDE = {
  maxLength: 10_000,
  maxTokens: 1_000,
  maxDepth: 10,
  maxAliases: 10,
  maxDirectives: 10,
  maxCost: 10_000,
  maxFirst: 500,
};
const TOKEN = "x-graphql-event-stream-token";

/** The endpoint alone, whose viewers say by a header who they are. */
async function startScene(reservationTime?: number) {
  const eventLog = createScriptedLog();
  const hub = createHub({
    eventLog,
    recentEntries: { maxEntries: 100, maxBytes: 1_000_000 },
    logger: pino({ enabled: false }),
  });
  const present = (error: unknown) => presentError(error, { maskUnexpected: true });
  const revoked = new Set<string>();
  const stays = createStays((tokenId) => revoked.has(tokenId));
  const left: (() => void)[] = [];
  let reserved = 0;
  const endpoint = createGraphqlStream({
    schema,
    documents: createDocuments({ schema, limits: WIDE, introspection: true }),
    subscriptions: createEventSubscriptions({ schema, hub, groups: createGroups({ schema, presentError: present }) }),
    contextFor: (scope) => ({ scope, eventLog, maxFirst: 500 }) as unknown as QueryContext,
    viewerOf: async ({ headers }) => {
      const [subject = "", subaccount] = String(headers.authorization).split("@");
      const scope = { raw: true, ...(subaccount === undefined ? {} : { subaccounts: [subaccount] }) };
      return { scope, expiresAt: Number.POSITIVE_INFINITY, subject, tokenId: subject };
    },
    stays,
    connections: {
      enter() {
        reserved += 1;
        return () => {
          reserved -= 1;
          for (const resolve of left.splice(0)) resolve();
        };
      },
    },
    presentError: present,
    maxBufferedBytes: 1_000_000,
    limits: { maxMessageBytes: 10_000, maxOperations: 3, maxOperationIdLength: 8 },
    stallTimeout: 30_000,
    reservationTime,
  });
  const server = createServer((request, response) => {
    endpoint.handle(request, response).catch((error: unknown) => {
      const { status, code } = error instanceof ServiceError ? error : { status: 500, code: String(error) };
      response.writeHead(status).end(code);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  hub.start();
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    stays.stop();
    await hub.stop();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql/stream`;
  const ask = (method: string, authorization: string, token = "", body: object | null = null) =>
    fetch(url, {
      method,
      headers: { authorization, [TOKEN]: token, "content-type": "application/json" },
      body: body === null ? null : JSON.stringify(body),
    });
  return {
    eventLog,
    hub,
    revoked,
    url,
    ask,
    reserve: async (authorization: string) => (await ask("PUT", authorization)).text(),
    subscribe: (
      authorization: string,
      token: string,
      operationId: string,
      query = "subscription { eventReceived { id } }",
    ) => ask("POST", authorization, token, { query, extensions: { operationId } }),
    complete: (authorization: string, token: string, operationId: string) =>
      fetch(`${url}?operationId=${operationId}`, { method: "DELETE", headers: { authorization, [TOKEN]: token } }),
    reservationLeft: () => new Promise<void>((resolve) => left.push(resolve)),
    get reserved() {
      return reserved;
    },
  };
}

it("serves a stream to the viewer who reserved it and to nobody else", async () => {
  const { url, reserve, ask, subscribe, eventLog } = await startScene();
  const token = await reserve("ada");
  for (const response of [
    await ask("GET", "eve", token),
    await subscribe("eve", token, "1"),
    await ask("DELETE", "eve", token),
    // The same person, by a token that may see less.
    await ask("GET", "ada@acme", token),
    await subscribe("ada@acme", token, "1"),
  ]) {
    expect([response.status, await response.text()]).toEqual([404, "NOT_FOUND"]);
  }
  expect((await subscribe("ada", token, "1")).status).toBe(202);
  eventLog.append([{ id: "for-ada" }]);
  using stream = await openEventStream(`${url}?token=${token}`, { authorization: "ada" });
  expect((await stream.nextEvent()).data).toMatchObject({
    id: "1",
    payload: { data: { eventReceived: { id: "for-ada" } } },
  });
});

it("shows nothing more to a viewer whose token no longer holds", async () => {
  const { url, reserve, subscribe, eventLog, revoked, hub } = await startScene();
  const token = await reserve("ada");
  using stream = await openEventStream(`${url}?token=${token}`, { authorization: "ada" });
  await subscribe("ada", token, "1");
  eventLog.append([{ id: "before" }]);
  await stream.nextEvent();
  revoked.add("ada");
  eventLog.append([{ id: "after" }]);
  expect((await stream.nextEvent()).data.payload).toMatchObject({
    errors: [{ extensions: { code: "UNAUTHENTICATED" } }],
  });
  expect((await stream.nextEvent()).event).toBe("complete");
  expect(hub.size).toBe(0);
});

it("gives up a reservation that nobody takes up, with what was begun in it", async () => {
  const scene = await startScene(100);
  const left = scene.reservationLeft();
  const token = await scene.reserve("ada");
  await scene.subscribe("ada", token, "1");
  expect([scene.reserved, scene.hub.size]).toEqual([1, 1]);
  await left;
  expect(scene.reserved).toBe(0);
  expect((await scene.ask("GET", "ada", token)).status).toBe(404);
  expect(scene.hub.size).toBe(0);
});

it("keeps nothing of a reader who has gone", async () => {
  const scene = await startScene();
  const token = await scene.reserve("ada");
  const stream = await openEventStream(`${scene.url}?token=${token}`, { authorization: "ada" });
  await scene.subscribe("ada", token, "1");
  const left = scene.reservationLeft();
  stream[Symbol.dispose]();
  await left;
  while (scene.hub.size > 0) await new Promise(setImmediate);
  expect((await scene.subscribe("ada", token, "2")).status).toBe(404);
});

it("runs so many operations at once, and another when one has ended, however it did", async () => {
  const { url, reserve, subscribe, complete, hub } = await startScene();
  const token = await reserve("ada");
  using stream = await openEventStream(`${url}?token=${token}`, { authorization: "ada" });
  const status = async (id: string, query?: string): Promise<number> =>
    (await subscribe("ada", token, id, query)).status;
  expect([await status("1"), await status("2"), await status("3")]).toEqual([202, 202, 202]);
  const refused = await subscribe("ada", token, "4");
  expect([refused.status, (await refused.json()).errors[0].extensions]).toEqual([
    400,
    { code: "LIMIT_EXCEEDED", limit: "MAX_OPERATIONS", allowed: 3 },
  ]);
  expect(hub.size).toBe(3);
  await complete("ada", token, "2");
  expect((await stream.nextEvent()).event).toBe("complete");
  // What is answered at once, or refused, has no place to give back, and its id is free again.
  for (const query of ["{ __typename }", "{", "{ nothing }", "query A { __typename } query B { __typename }"]) {
    for (let time = 0; time < 4; time += 1) {
      expect(await status("5", query)).toBe(query === "{ __typename }" ? 202 : 400);
      if (query !== "{ __typename }") continue;
      expect((await stream.nextEvent()).data.payload).toEqual({ data: { __typename: "Query" } });
      expect((await stream.nextEvent()).event).toBe("complete");
    }
  }
  expect([await status("5"), await status("5"), await status("6")]).toEqual([202, 400, 400]);
});

it("takes no id longer than may be", async () => {
  const { reserve, subscribe } = await startScene();
  const token = await reserve("ada");
  const refused = await subscribe("ada", token, "123456789");
  expect((await refused.json()).errors[0].extensions).toMatchObject({
    code: "BAD_USER_INPUT",
    limit: "MAX_OPERATION_ID_LENGTH",
  });
  expect((await subscribe("ada", token, "12345678")).status).toBe(202);
});
