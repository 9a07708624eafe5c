import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AskedLog, openAskedLog } from "../../../harness/asked-log.ts";
import { sampleEvent, sampleEvents } from "../../../harness/event-samples.ts";

interface Count {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly count: number;
}

describe("eventCounts", () => {
  let log: AskedLog;
  /** When the events were received, milliseconds; all at once. */
  let receivedAt: number;
  beforeAll(async () => {
    log = await openAskedLog();
    await log.eventLog.append([
      ...sampleEvents(3, "open", () => ({ type: "open", subaccount: "shop", tags: ["news"] })),
      ...sampleEvents(2, "click", () => ({ type: "click", email: "Bob@example.com" })),
      sampleEvent({ id: "send" }),
    ]);
    const { data } = await log.ask("{ recentEvents { nodes { receivedAt } } }");
    const times = new Set<string>(data.recentEvents.nodes.map((node: { receivedAt: string }) => node.receivedAt));
    expect(times.size).toBe(1);
    receivedAt = Date.parse([...times].join());
  });
  afterAll(() => log[Symbol.asyncDispose]());

  const query = `query (
    $from: DateTime!, $to: DateTime!, $buckets: Int,
    $types: [EventType!], $email: String, $tag: String, $subaccount: String
  ) {
    eventCounts(
      from: $from, to: $to, buckets: $buckets, types: $types, email: $email, tag: $tag, subaccount: $subaccount
    ) { from to type count }
  }`;

  const iso = (time: number): string => new Date(time).toISOString();
  const span = (): { from: string; to: string } => ({ from: iso(receivedAt - 1000), to: iso(receivedAt + 1000) });

  it("tell how many of each type were received in the bucket, and begin and end it exactly", async () => {
    const { data, errors } = await log.ask(query, { ...span(), buckets: 4 });
    expect(errors).toBeUndefined();
    const bucket = { from: iso(receivedAt), to: iso(receivedAt + 500) };
    expect(data.eventCounts).toEqual([
      { ...bucket, type: "send", count: 1 },
      { ...bucket, type: "open", count: 3 },
      { ...bucket, type: "click", count: 2 },
    ]);
  });

  it("have buckets of whole milliseconds that meet, where the span is no multiple of them", async () => {
    const from = receivedAt - 5;
    for (let buckets = 1; buckets <= 13; buckets += 1) {
      const { data } = await log.ask(query, { from: iso(from), to: iso(from + 10), buckets, types: ["send"] });
      const [count] = data.eventCounts as Count[];
      // The bucket that holds the sixth of ten milliseconds.
      const index = Math.floor((5 * buckets) / 10);
      expect(count).toMatchObject({
        from: iso(from + Math.ceil((index * 10) / buckets)),
        to: iso(from + Math.ceil(((index + 1) * 10) / buckets)),
        count: 1,
      });
      expect(Date.parse(count?.from ?? "")).toBeLessThanOrEqual(receivedAt);
      expect(Date.parse(count?.to ?? "")).toBeGreaterThan(receivedAt);
    }
  });

  it("include the beginning of the span and exclude its end", async () => {
    const types = ["send"];
    const at = await log.ask(query, { from: iso(receivedAt), to: iso(receivedAt + 1), buckets: 1, types });
    expect(at.data.eventCounts).toHaveLength(1);
    const before = await log.ask(query, { from: iso(receivedAt - 1), to: iso(receivedAt), buckets: 1, types });
    expect(before.data.eventCounts).toEqual([]);
  });

  it.each<[what: string, filter: Record<string, unknown>, counts: Record<string, number>]>([
    ["types", { types: ["click", "spam"] }, { click: 2 }],
    ["no types", { types: [] }, {}],
    ["email", { email: "bob@EXAMPLE.com" }, { click: 2 }],
    ["tag", { tag: "news" }, { open: 3 }],
    ["subaccount", { subaccount: "shop" }, { open: 3 }],
  ])("filter by %s", async (_what, filter, counts) => {
    const { data } = await log.ask(query, { ...span(), ...filter });
    expect(Object.fromEntries(data.eventCounts.map(({ type, count }: Count) => [type, count]))).toEqual(counts);
  });

  it("count what the viewer may see and nothing else", async () => {
    const { data } = await log.ask(query, { ...span(), buckets: null }, { subaccounts: ["shop"], raw: true });
    expect(data.eventCounts).toMatchObject([{ type: "open", count: 3 }]);
  });

  it.each([0, 501])("refuse buckets: %i", async (buckets) => {
    const { errors } = await log.ask(query, { ...span(), buckets });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", argument: "buckets" } }]);
  });

  it("refuse a span that does not end after it begins", async () => {
    const at = iso(receivedAt);
    for (const to of [at, iso(receivedAt - 1)]) {
      const { errors } = await log.ask(query, { from: at, to });
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", argument: "from" } }]);
    }
  });

  it("refuse a time without a zone", async () => {
    const { errors } = await log.ask(query, { ...span(), to: "2025-03-14T15:09:26" });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  });
});
