import { type GraphQLError, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { type Scope, UNSCOPED } from "../../../src/access/scope.ts";
import { createGroups } from "../../../src/graphql/group.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { selectionOf } from "../../../src/graphql/selection.ts";
import { createEntryMaker } from "../../harness/entries.ts";

const presentError = (error: unknown): GraphQLError => error as GraphQLError;
const select = (text: string, variables: Record<string, unknown> = {}, scope: Scope = UNSCOPED, name?: string) =>
  selectionOf(schema, parse(text), name, variables, { scope });
const keyOf = (...args: Parameters<typeof select>): string => select(...args).key;

describe("selections are equal", () => {
  const plain = keyOf("subscription { eventReceived { id type } }");

  it.each([
    [
      "for other literal filters",
      'subscription { eventReceived(types: [open, click], email: "a@example.com") { id type } }',
      {},
    ],
    [
      "for filters by variable",
      "subscription ($t: [EventType!]) { eventReceived(types: $t) { id type } }",
      { t: ["open"] },
    ],
    ["for another place to begin", "subscription ($a: Cursor) { eventReceived(after: $a) { id type } }", { a: "x" }],
    ["for another layout", "subscription{eventReceived{id,type}} # a comment", {}],
    [
      "for fragments that nobody uses in this operation",
      "subscription { eventReceived { id type } } query Q { ...F } fragment F on Query { event(id: 1) { id } }",
      {},
    ],
  ])("%s", (_what, text, variables) => {
    expect(keyOf(text, variables, UNSCOPED)).toBe(plain);
  });

  it("for a default and the same value given", () => {
    const text = "subscription ($with: Boolean = true) { eventReceived { id type @include(if: $with) } }";
    expect(keyOf(text, {})).toBe(keyOf(text, { with: true }));
  });
});

describe("selections differ", () => {
  const text = "subscription ($with: Boolean!) { eventReceived { id raw @include(if: $with) } }";

  it.each([
    ["by their fields", "subscription { eventReceived { id } }"],
    ["by an alias", "subscription { mail: eventReceived { id type } }"],
    ["by the operation's name", "subscription Mine { eventReceived { id type } }"],
    ["by a fragment", "subscription { eventReceived { id ...F } } fragment F on Event { type name }"],
  ])("%s", (_what, other) => {
    expect(keyOf(other)).not.toBe(keyOf("subscription { eventReceived { id type } }"));
  });

  it("by a variable used for a field", () => {
    expect(keyOf(text, { with: true })).not.toBe(keyOf(text, { with: false }));
  });

  it("by the viewer's scope", () => {
    const scopes: Scope[] = [
      UNSCOPED,
      { raw: false },
      { raw: true, tags: [] },
      { raw: true, subaccounts: ["a"] },
      { raw: true, tags: ["a"] },
    ];
    expect(new Set(scopes.map((scope) => keyOf(text, { with: true }, scope))).size).toBe(scopes.length);
  });
});

describe("a group", () => {
  it("is one for equal selections, and gone with its last subscriber", () => {
    const groups = createGroups({ schema, presentError });
    const one = groups.enter(select("subscription { eventReceived(types: [open]) { id } }"));
    const same = groups.enter(select("subscription { eventReceived(types: [click]) { id } }"));
    expect(same).toBe(one);
    groups.leave(one);
    expect(groups.size).toBe(1);
    groups.leave(same);
    expect(groups.size).toBe(0);
  });

  it.each(["live", "recent"] as const)("encodes an entry once, with all that its document asks for: %s", (kind) => {
    const groups = createGroups({ schema, presentError });
    const text = `subscription S($t: [EventType!], $with: Boolean!) { mail: eventReceived(types: $t) { ...F } }
      fragment F on Event { id raw @include(if: $with) ... on ClickEvent { url } }`;
    const group = groups.enter(select(text, { t: ["click"], with: false }));
    groups.enter(group.selection);
    const entry = createEntryMaker().next({ type: "click" });
    const [bytes] = group.encode([entry], kind);
    expect(JSON.parse(String(bytes))).toEqual({
      data: { mail: { id: "event-1", url: "https://example.com/" } },
      extensions: { cursor: entry.cursor },
    });
    expect(group.encode([entry], kind)[0]).toBe(bytes);
  });

  it("keeps what is live for the tick alone, and what is recent for those who come back", async () => {
    const groups = createGroups({ schema, presentError });
    const group = groups.enter(select("subscription { eventReceived { id } }"));
    groups.enter(group.selection);
    const entry = createEntryMaker().next();
    const live = group.encode([entry], "live")[0];
    await Promise.resolve();
    expect(group.encode([entry], "live")[0]).not.toBe(live);
    const recent = group.encode([entry], "recent")[0];
    await Promise.resolve();
    expect(group.encode([entry], "recent")[0]).toBe(recent);
  });

  it.each(["live", "recent", "older"] as const)("keeps no encoding for who is alone in it: %s", (kind) => {
    const groups = createGroups({ schema, presentError });
    const group = groups.enter(select("subscription { eventReceived { id } }"));
    const entry = createEntryMaker().next();
    const [bytes] = group.encode([entry], kind);
    expect(group.encode([entry], kind)).toEqual([bytes]);
    expect(group.encode([entry], kind)[0]).not.toBe(bytes);
  });

  it("withholds raw from a scope that may not see it", () => {
    const group = createGroups({ schema, presentError }).enter(
      select("subscription { eventReceived { raw } }", {}, { raw: false }),
    );
    const result = JSON.parse(String(group.encode([createEntryMaker().next()], "older")[0]));
    expect(result.data).toEqual({ eventReceived: { raw: null } });
  });
});
