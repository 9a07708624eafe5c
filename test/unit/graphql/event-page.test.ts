import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMINE_LIMIT } from "../../../src/event-log/event-log.ts";
import { type AskedLog, openAskedLog } from "../../harness/asked-log.ts";
import { sampleEvent, sampleEvents } from "../../harness/event-samples.ts";

const OTHERS = EXAMINE_LIMIT + 500;
const QUERY = `query ($subaccount: String) {
  recentEvents(tag: "wanted", subaccount: $subaccount, first: 5) { nodes { id } pageInfo { hasNextPage endCursor } }
}`;

describe("a search that goes through very many events which do not match", () => {
  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog({ retentionEvents: 100_000 });
    await log.eventLog.append([sampleEvent({ id: "wanted", tags: ["wanted"], subaccount: "ours" })]);
    // Side by side, so that neither the tag nor the subaccount leads past the others.
    const others = sampleEvents(2 * OTHERS, "other", (i) =>
      i % 2 === 0 ? { tags: [], subaccount: "ours" } : { tags: ["wanted"], subaccount: "theirs" },
    );
    for (let i = 0; i < others.length; i += 3_000) await log.eventLog.append(others.slice(i, i + 3_000));
  });
  afterAll(() => log[Symbol.asyncDispose]());

  it("is broken off for who may see them all, with a place to go on from", async () => {
    const { data } = await log.ask(QUERY, { subaccount: "ours" });
    expect(data.recentEvents).toEqual({ nodes: [], pageInfo: { hasNextPage: true, endCursor: expect.any(String) } });
  });

  it("goes on for who may not: that it ended early would tell of what is hidden", async () => {
    const { data } = await log.ask(QUERY, {}, { subaccounts: ["ours"], raw: true });
    expect(data.recentEvents).toEqual({
      nodes: [{ id: "wanted" }],
      pageInfo: { hasNextPage: false, endCursor: expect.any(String) },
    });
  });
});
