import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AskedLog, openAskedLog } from "../../../harness/asked-log.ts";
import { sampleEvent } from "../../../harness/event-samples.ts";

describe("messageEvents", () => {
  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog();
    const message = { messageId: "m1", email: "ada@example.com" };
    await log.eventLog.append([
      sampleEvent({ ...message, id: "a", type: "send" }),
      sampleEvent({ id: "x", messageId: "m2" }),
      sampleEvent({ ...message, id: "b", type: "delivered" }),
      sampleEvent({ ...message, id: "c", type: "open" }),
    ]);
  });
  afterAll(() => log[Symbol.asyncDispose]());

  const query = `query ($messageId: ID!, $first: Int, $after: Cursor) {
    messageEvents(messageId: $messageId, first: $first, after: $after) {
      nodes { id }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }`;

  it("are the message's, oldest first", async () => {
    const { data } = await log.ask(query, { messageId: "m1" });
    expect(data.messageEvents.nodes).toEqual([{ id: "a" }, { id: "b" }, { id: "c" }]);
    expect(data.messageEvents.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
  });

  it("page towards what is newer", async () => {
    const first = await log.ask(query, { messageId: "m1", first: 1 });
    expect(first.data.messageEvents).toMatchObject({
      nodes: [{ id: "a" }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const { endCursor } = first.data.messageEvents.pageInfo;
    const second = await log.ask(query, { messageId: "m1", first: 2, after: endCursor });
    expect(second.data.messageEvents).toMatchObject({
      nodes: [{ id: "b" }, { id: "c" }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
  });

  it("are none for a message that the viewer may not see", async () => {
    const { data } = await log.ask(query, { messageId: "m1" }, { emails: ["bob@example.com"], raw: true });
    expect(data.messageEvents.nodes).toEqual([]);
  });

  it.each([0, 501])("refuse first: %i", async (first) => {
    const { errors } = await log.ask(query, { messageId: "m1", first });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", argument: "first" } }]);
  });

  it("answer CURSOR_UNKNOWN to what was never a cursor", async () => {
    const { errors } = await log.ask(query, { messageId: "m1", after: "nonsense" });
    expect(errors).toMatchObject([{ extensions: { code: "CURSOR_UNKNOWN", head: expect.any(String) } }]);
  });
});
