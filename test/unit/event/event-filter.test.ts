import { describe, expect, it } from "vitest";
import { filterFromArguments, matchesFilter, normalizeEmail, valuesOf } from "../../../src/event/event-filter.ts";
import { sampleEvent } from "../../harness/event-samples.ts";

const EVENT = sampleEvent({
  type: "open",
  email: "Ada@Example.com",
  messageId: "m1",
  tags: ["welcome", "eu"],
  subaccount: "shop",
});

describe("normalizeEmail", () => {
  it("sets aside case and blanks around", () => {
    expect(normalizeEmail("  Ada.Lovelace@EXAMPLE.com\n")).toBe("ada.lovelace@example.com");
  });
});

describe("filterFromArguments", () => {
  it("limits nothing without arguments, be they absent or null", () => {
    expect(filterFromArguments({})).toEqual([]);
    expect(
      filterFromArguments({ types: null, email: null, messageId: undefined, tag: null, subaccount: null }),
    ).toEqual([]);
  });

  it("gives equal filters for equal arguments, in whatever order and however often they name a type", () => {
    const one = filterFromArguments({ types: ["open", "click", "open"], email: "ADA@example.com" });
    const other = filterFromArguments({ email: "ada@example.com ", types: ["click", "open"] });
    expect(one).toEqual(other);
  });

  it("keeps an empty list of types, which matches nothing", () => {
    expect(matchesFilter(filterFromArguments({ types: [] }), EVENT)).toBe(false);
  });
});

describe("matchesFilter", () => {
  it.each([
    ["no argument", {}],
    ["its type", { types: ["click", "open"] as const }],
    ["its address in other letters", { email: "aDA@example.COM" }],
    ["its message", { messageId: "m1" }],
    ["one of its tags", { tag: "eu" }],
    ["its subaccount", { subaccount: "shop" }],
    [
      "all of them",
      { types: ["open"] as const, email: "ada@example.com", messageId: "m1", tag: "eu", subaccount: "shop" },
    ],
  ])("finds an event by %s", (_what, args) => {
    expect(matchesFilter(filterFromArguments(args), EVENT)).toBe(true);
  });

  it.each([
    ["another type", { types: ["click"] as const }],
    ["another address", { email: "bob@example.com" }],
    ["a part of its address", { email: "ada@example" }],
    ["another message", { messageId: "M1" }],
    ["a tag in other letters", { tag: "EU" }],
    ["another subaccount", { subaccount: "" }],
    ["one argument that fits and one that does not", { types: ["open"] as const, tag: "us" }],
  ])("does not find it by %s", (_what, args) => {
    expect(matchesFilter(filterFromArguments(args), EVENT)).toBe(false);
  });

  it("wants every condition of one field to hold", () => {
    const both = (second: string) => [
      { field: "tag", anyOf: ["eu"] } as const,
      { field: "tag", anyOf: [second, "elsewhere"] } as const,
    ];
    expect(matchesFilter(both("welcome"), EVENT)).toBe(true);
    expect(matchesFilter(both("us"), EVENT)).toBe(false);
  });
});

describe("valuesOf", () => {
  it("has no value for what an event does not have", () => {
    const bare = sampleEvent({ type: "blacklist", email: null, messageId: null });
    expect((["email", "messageId", "tag", "subaccount"] as const).map((field) => valuesOf(bare, field))).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });
});
