import { createSourceEventStream, graphql, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { UNSCOPED } from "../../../../src/access/scope.ts";
import { createEntryCodec, Entry } from "../../../../src/event/entry.ts";
import { RequestedEvents } from "../../../../src/graphql/requested-events.ts";
import { schema } from "../../../../src/graphql/schema.ts";
import { sampleEvent } from "../../../harness/event-samples.ts";

describe("eventReceived", () => {
  const source = "subscription { eventReceived(types: [open, click]) { id } }";
  const contextValue = { scope: UNSCOPED };

  it("shows the entry that it is executed for", async () => {
    const position = { epoch: "0a0b0c0d", number: 1, tag: "abcdefgh" };
    const rootValue = new Entry(position, 0, sampleEvent({ id: "a" }), 100, createEntryCodec(Buffer.alloc(16)));
    const { data, errors } = await graphql({ schema, source, rootValue, contextValue });
    expect(errors).toBeUndefined();
    expect(data?.eventReceived).toEqual({ __proto__: null, id: "a" });
  });

  it("tells who opens its stream what was asked for", async () => {
    const document = parse(
      "subscription ($after: Cursor) { eventReceived(types: [open, click], after: $after) { id } }",
    );
    const opened = await createSourceEventStream({ schema, document, variableValues: { after: "a" }, contextValue });
    expect(opened).toEqual(new RequestedEvents({ types: ["open", "click"], after: "a" }));
  });
});
