import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scope } from "../../../../src/access/scope.ts";
import { type AskedLog, openAskedLog } from "../../../harness/asked-log.ts";
import { sampleEvent, sampleEvents } from "../../../harness/event-samples.ts";

const ids = (nodes: readonly { id: string }[]): string[] => nodes.map(({ id }) => id);

describe("recentEvents", () => {
  let log: AskedLog;
  beforeAll(async () => {
    log = await openAskedLog();
    await log.eventLog.append([
      sampleEvent({
        id: "a",
        type: "send",
        email: "ada@example.com",
        messageId: "m1",
        tags: ["news"],
        subaccount: "club",
      }),
      sampleEvent({
        id: "b",
        type: "open",
        email: "Ada@Example.com",
        messageId: "m1",
        tags: ["news"],
        subaccount: "club",
      }),
      sampleEvent({ id: "c", type: "click", email: "bob@example.com", messageId: "m2", tags: ["news", "vip"] }),
      sampleEvent({ id: "d", type: "open", email: "bob@example.com", messageId: "m2", tags: [], subaccount: "shop" }),
      sampleEvent({ id: "e", type: "blacklist", email: "eve@example.com", messageId: null }),
    ]);
  });
  afterAll(() => log[Symbol.asyncDispose]());

  const query = `query (
    $types: [EventType!], $email: String, $messageId: ID, $tag: String, $subaccount: String,
    $first: Int, $after: Cursor, $since: Cursor
  ) {
    recentEvents(
      types: $types, email: $email, messageId: $messageId, tag: $tag, subaccount: $subaccount,
      first: $first, after: $after, since: $since
    ) {
      nodes { id cursor }
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      head
    }
  }`;

  it("answers everything, newest first, as nodes and as edges", async () => {
    const { data, errors } = await log.ask(
      "{ recentEvents { nodes { id cursor } edges { cursor node { id } } head } }",
    );
    expect(errors).toBeUndefined();
    const { nodes, edges, head } = data.recentEvents;
    expect(ids(nodes)).toEqual(["e", "d", "c", "b", "a"]);
    expect(edges).toEqual(nodes.map(({ id, cursor }: { id: string; cursor: string }) => ({ cursor, node: { id } })));
    expect(head).toBe(nodes[0].cursor);
  });

  it("pages to the end by endCursor, each event once", async () => {
    const pages: { ids: string[]; hasPreviousPage: boolean }[] = [];
    let pageInfo = { hasNextPage: true, hasPreviousPage: false, endCursor: null };
    while (pageInfo.hasNextPage) {
      const { data } = await log.ask(query, { first: 2, after: pageInfo.endCursor });
      pageInfo = data.recentEvents.pageInfo;
      pages.push({ ids: ids(data.recentEvents.nodes), hasPreviousPage: pageInfo.hasPreviousPage });
    }
    expect(pages).toEqual([
      { ids: ["e", "d"], hasPreviousPage: false },
      { ids: ["c", "b"], hasPreviousPage: true },
      { ids: ["a"], hasPreviousPage: true },
    ]);
  });

  it("begins and ends a page at its first and last node", async () => {
    const { data } = await log.ask(query, { first: 2 });
    const { nodes, pageInfo } = data.recentEvents;
    expect(pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: nodes[0].cursor,
      endCursor: nodes[1].cursor,
    });
  });

  it("knows of a previous page that holds the event at after alone", async () => {
    const first = await log.ask(query, { first: 1 });
    const second = await log.ask(query, { first: 1, after: first.data.recentEvents.pageInfo.endCursor });
    expect(second.data.recentEvents).toMatchObject({ nodes: [{ id: "d" }], pageInfo: { hasPreviousPage: true } });
  });

  it("knows of no previous page where nothing before it matches", async () => {
    const { data } = await log.ask(query, {});
    const [newest] = data.recentEvents.nodes;
    const older = await log.ask(query, { types: ["open"], after: newest.cursor });
    expect(older.data.recentEvents).toMatchObject({
      nodes: [{ id: "d" }, { id: "b" }],
      pageInfo: { hasPreviousPage: false },
    });
  });

  it("answers only what is later than since", async () => {
    const { data } = await log.ask(query, { email: "bob@example.com" });
    const c = data.recentEvents.nodes.find(({ id }: { id: string }) => id === "c");
    const later = await log.ask(query, { since: c.cursor });
    expect(ids(later.data.recentEvents.nodes)).toEqual(["e", "d"]);
    const none = await log.ask(query, { since: later.data.recentEvents.head });
    expect(none.data.recentEvents).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, startCursor: null } });
  });

  it.each<[what: string, filter: Record<string, unknown>, found: string[]]>([
    ["types", { types: ["open", "click"] }, ["d", "c", "b"]],
    ["email, without regard to case", { email: "ADA@example.com" }, ["b", "a"]],
    ["messageId", { messageId: "m2" }, ["d", "c"]],
    ["tag", { tag: "news" }, ["c", "b", "a"]],
    ["subaccount", { subaccount: "club" }, ["b", "a"]],
    ["all of several", { types: ["open"], tag: "news", email: "ada@example.com" }, ["b"]],
    ["nothing, by an empty list of types", { types: [] }, []],
    ["everything, by nulls", { types: null, email: null, messageId: null, tag: null }, ["e", "d", "c", "b", "a"]],
  ])("filters by %s", async (_what, filter, found) => {
    const { data, errors } = await log.ask(query, filter);
    expect(errors).toBeUndefined();
    expect(ids(data.recentEvents.nodes)).toEqual(found);
    expect(data.recentEvents.head).toMatch(/^[\w-]{22}$/);
  });

  it.each<[what: string, scope: Scope, found: string[]]>([
    ["subaccounts", { subaccounts: ["club", "shop"], raw: true }, ["d", "b"]],
    ["tags", { tags: ["vip"], raw: true }, []],
    ["emails", { emails: ["BOB@example.com"], raw: true }, ["d"]],
    ["an empty list", { tags: [], raw: true }, []],
    ["no list", { raw: false }, ["d", "b"]],
  ])("shows a viewer limited by %s what the scope and the filter both allow", async (_what, scope, found) => {
    const { data } = await log.ask(query, { types: ["open"] }, scope);
    expect(ids(data.recentEvents.nodes)).toEqual(found);
  });

  it.each([0, -1, 501])("refuses first: %i", async (first) => {
    const { data, errors } = await log.ask(query, { first });
    expect(data).toBeNull();
    expect(errors).toEqual([
      expect.objectContaining({ extensions: { code: "BAD_USER_INPUT", argument: "first" }, path: ["recentEvents"] }),
    ]);
  });

  it("takes 1 to 500 as first, and 50 where it is left out or null", async () => {
    await using large = await openAskedLog();
    await large.eventLog.append(sampleEvents(501));
    const lengths = await Promise.all(
      [{ first: 1 }, { first: 500 }, {}, { first: null }].map(async (variables) => {
        const { data } = await large.ask(query, variables);
        return data.recentEvents.nodes.length;
      }),
    );
    expect(lengths).toEqual([1, 500, 50, 50]);
  });

  it.each(["after", "since"])("answers CURSOR_UNKNOWN to what was never a cursor as %s", async (argument) => {
    const { data } = await log.ask(query);
    const { nodes, head } = data.recentEvents;
    for (const cursor of ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAA"]) {
      const { errors } = await log.ask(query, { [argument]: cursor, types: [] });
      expect(errors).toEqual([
        expect.objectContaining({ extensions: { code: "CURSOR_UNKNOWN", oldest: nodes.at(-1).cursor, head } }),
      ]);
    }
  });

  it.each(["after", "since"])("answers CURSOR_UNKNOWN to another log's cursor as %s", async (argument) => {
    await using other = await openAskedLog();
    await other.eventLog.append([sampleEvent()]);
    const foreign = await other.ask(query);
    const { errors } = await log.ask(query, { [argument]: foreign.data.recentEvents.head });
    expect(errors).toMatchObject([{ extensions: { code: "CURSOR_UNKNOWN" } }]);
  });

  it("has a head to go on from while the log is empty", async () => {
    await using empty = await openAskedLog();
    const { data } = await empty.ask(query);
    const { head, ...page } = data.recentEvents;
    expect(page).toEqual({
      nodes: [],
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    await empty.eventLog.append([sampleEvent({ id: "first" })]);
    const later = await empty.ask(query, { since: head });
    expect(ids(later.data.recentEvents.nodes)).toEqual(["first"]);
  });
});
