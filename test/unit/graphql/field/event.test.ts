import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AskedLog, openAskedLog } from "../../../harness/asked-log.ts";
import { sampleEvent } from "../../../harness/event-samples.ts";

describe("event", () => {
  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog();
    await log.eventLog.append([sampleEvent({ id: "a", type: "click", subaccount: "shop" })]);
  });
  afterAll(() => log[Symbol.asyncDispose]());

  const query = "query ($id: ID!) { event(id: $id) { __typename id ... on ClickEvent { url } raw } }";

  it("is found by its id", async () => {
    const { data } = await log.ask(query, { id: "a" });
    expect(data.event).toMatchObject({ __typename: "ClickEvent", id: "a", url: "https://example.com/" });
  });

  it("is null where the log does not hold it", async () => {
    expect(await log.ask(query, { id: "b" })).toEqual({ data: { event: null } });
  });

  it("is null for who may not see it, and there for who may", async () => {
    expect(await log.ask(query, { id: "a" }, { subaccounts: ["club"], raw: true })).toEqual({ data: { event: null } });
    const { data } = await log.ask(query, { id: "a" }, { subaccounts: ["shop"], raw: false });
    expect(data.event).toMatchObject({ id: "a", raw: null });
  });
});
