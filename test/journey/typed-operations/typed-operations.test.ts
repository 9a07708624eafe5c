import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { execute, validate } from "graphql";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { UNSCOPED } from "../../../src/access/scope.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { type AskedLog, openAskedLog } from "../../harness/asked-log.ts";
import { sampleEvent } from "../../harness/event-samples.ts";
import {
  EventCountsDocument,
  EventReceivedDocument,
  type EventReceivedSubscription,
  type EventType,
  RecipientHistoryDocument,
} from "./generated/graphql.ts";

/** What a front-end developer has: an operation with its types, and results that need no check of their own. */
describe("operations with generated types", () => {
  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog();
    await log.eventLog.append([
      sampleEvent({ id: "send", type: "send", tags: ["receipt"] }),
      sampleEvent({ id: "bounce", type: "soft_bounce" }),
      sampleEvent({ id: "click", type: "click" }),
      sampleEvent({ id: "another", email: "bob@example.com" }),
    ]);
  });
  afterAll(() => log[Symbol.asyncDispose]());

  async function run<Result, Variables>(
    document: TypedDocumentNode<Result, Variables>,
    variableValues: Variables & Record<string, unknown>,
    rootValue?: unknown,
  ): Promise<Result> {
    const contextValue = { eventLog: log.eventLog, scope: UNSCOPED };
    const { data, errors } = await execute({ schema, document, variableValues, contextValue, rootValue });
    expect(errors).toBeUndefined();
    return data as Result;
  }

  it.each([EventCountsDocument, EventReceivedDocument, RecipientHistoryDocument])("are valid (%#)", (document) => {
    expect(validate(schema, document)).toEqual([]);
  });

  it("tell one kind of event from another by __typename", async () => {
    const { recentEvents } = await run(RecipientHistoryDocument, { email: "ADA@example.com", first: 10 });
    const told = recentEvents.nodes.map((event) => {
      switch (event.__typename) {
        case "ClickEvent":
          return `clicked ${event.url} with ${event.client?.name ?? "an unknown program"}`;
        case "BounceEvent":
          return `bounced: ${event.description ?? "no reason given"}`;
        default:
          return `${event.type} ${event.message?.tags.join() ?? ""}`;
      }
    });
    expect(told).toEqual([
      "clicked https://example.com/ with an unknown program",
      "bounced: no reason given",
      "send receipt",
    ]);
  });

  it("go on from a cursor, which is a string like any DateTime", async () => {
    const { recentEvents } = await run(RecipientHistoryDocument, { email: "ada@example.com", first: 1 });
    const { endCursor } = recentEvents.pageInfo;
    expectTypeOf(endCursor).toEqualTypeOf<string | null>();
    expectTypeOf(recentEvents.head).toEqualTypeOf<string>();
    const [click] = recentEvents.nodes;
    expectTypeOf(click?.message?.metadata).toEqualTypeOf<unknown>();
    const next = await run(RecipientHistoryDocument, { email: "ada@example.com", after: endCursor });
    expect(next.recentEvents.nodes.map(({ id }) => id)).toEqual(["bounce", "send"]);

    const receivedAt = Date.parse(click?.receivedAt ?? "");
    const { eventCounts } = await run(EventCountsDocument, {
      from: new Date(receivedAt - 60_000).toISOString(),
      to: new Date(receivedAt + 60_000).toISOString(),
      buckets: 1,
    });
    expectTypeOf(eventCounts).items.toEqualTypeOf<{
      readonly from: string;
      readonly to: string;
      readonly type: EventType;
      readonly count: number;
    }>();
    expect(eventCounts.map(({ type, count }) => [type, count])).toEqual([
      ["send", 2],
      ["soft_bounce", 1],
      ["click", 1],
    ]);
  });

  it("type the events of a subscription", async () => {
    const entry = await log.eventLog.findById("click");
    const { eventReceived } = await run(EventReceivedDocument, { types: ["open", "click"] }, entry);
    expectTypeOf(eventReceived).toEqualTypeOf<EventReceivedSubscription["eventReceived"]>();
    if (eventReceived.__typename !== "ClickEvent") throw new Error("not the click");
    expectTypeOf(eventReceived.url).toEqualTypeOf<string | null>();
    expect(eventReceived).toMatchObject({ type: "click", url: "https://example.com/", cursor: entry?.cursor });
  });

  it("refuse what the schema does not know, before anything runs", () => {
    const wrong = [
      // @ts-expect-error an address is demanded
      () => run(RecipientHistoryDocument, {}),
      // @ts-expect-error there is no such type of event
      () => run(EventReceivedDocument, { types: ["clicked"] }),
      // @ts-expect-error only a click has a url
      (event: EventReceivedSubscription["eventReceived"]) => event.url,
    ];
    expect(wrong).toHaveLength(3);
  });
});
