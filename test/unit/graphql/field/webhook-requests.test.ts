import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scope } from "../../../../src/access/scope.ts";
import type { WebhookRequest } from "../../../../src/event/webhook-request.ts";
import { type AskedLog, openAskedLog } from "../../../harness/asked-log.ts";

describe("webhookRequests", () => {
  const refused: WebhookRequest = {
    id: "refused",
    receivedAt: 1_700_000_000_000,
    status: 401,
    code: "SIGNATURE_MISMATCH",
    reason: "The signature does not fit any configured URL and key.",
    received: null,
    appended: null,
    duplicates: null,
    bytes: 120,
    durationMs: 0.25,
  };
  const taken: WebhookRequest = {
    ...refused,
    id: "taken",
    receivedAt: 1_700_000_001_000,
    status: 200,
    code: null,
    reason: null,
    received: 3,
    appended: 2,
    duplicates: 1,
  };

  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog();
    await log.eventLog.recordRequests([refused, taken]);
  });
  afterAll(() => log[Symbol.asyncDispose]());

  const query = `query ($first: Int) {
    webhookRequests(first: $first) {
      id receivedAt status code reason received appended duplicates bytes durationMs
    }
  }`;

  it("are what the endpoint was sent, newest first, refused ones included", async () => {
    const { data } = await log.ask(query);
    expect(data.webhookRequests).toEqual([
      { ...taken, receivedAt: "2023-11-14T22:13:21.000Z" },
      { ...refused, receivedAt: "2023-11-14T22:13:20.000Z" },
    ]);
  });

  it("are as many as are asked for", async () => {
    const { data } = await log.ask(query, { first: 1 });
    expect(data.webhookRequests).toMatchObject([{ id: "taken" }]);
  });

  it.each([0, 501])("refuse first: %i", async (first) => {
    const { errors } = await log.ask(query, { first });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", argument: "first" } }]);
  });

  it.each<Scope>([
    { subaccounts: ["shop"], raw: true },
    { tags: [], raw: true },
    { emails: ["ada@example.com"], raw: true },
  ])("are forbidden to a viewer who may not see every event: %j", async (scope) => {
    const { data, errors } = await log.ask(query, {}, scope);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
  });

  it("are there for a viewer who sees every event without its content", async () => {
    const { data } = await log.ask(query, {}, { raw: false });
    expect(data.webhookRequests).toHaveLength(2);
  });
});
