import { describe, expect, it } from "vitest";
import { UNSCOPED } from "../../../src/access/scope.ts";
import { scopeFromClaim } from "../../../src/access/scope-claim.ts";

describe("the claim mandrill_live", () => {
  it("does not limit where it is absent", () => {
    expect(scopeFromClaim(undefined)).toBe(UNSCOPED);
    expect(scopeFromClaim({})).toEqual({ raw: true });
  });

  it("limits by each list that it has, an empty one included, and by raw", () => {
    expect(scopeFromClaim({ subaccounts: ["acme"], tags: [], emails: ["ada@example.com"], raw: false })).toEqual({
      subaccounts: ["acme"],
      tags: [],
      emails: ["ada@example.com"],
      raw: false,
    });
  });

  it.each<[what: string, claim: unknown]>([
    ["null", null],
    ["a text", "acme"],
    ["a list", ["acme"]],
    ["true", true],
    ["a misspelt member", { subaccount: ["acme"] }],
    ["an unknown member beside good ones", { subaccounts: ["acme"], sender: [] }],
    ["a list that is a text", { subaccounts: "acme" }],
    ["a list that is null", { tags: null }],
    ["a list with something else than texts", { emails: ["ada@example.com", 1] }],
    ["a list of lists", { tags: [["order"]] }],
    ["a list that is an object", { tags: { 0: "order" } }],
    ["raw that is a text", { raw: "false" }],
    ["raw that is null", { raw: null }],
    ["raw that is a number", { raw: 0 }],
  ])("is refused, never widened, where it is %s", (_what, claim) => {
    expect(() => scopeFromClaim(claim)).toThrowError(
      expect.objectContaining({ code: "UNAUTHENTICATED", message: expect.stringContaining("mandrill_live") }),
    );
  });

  it("does not tell in its refusal what the token held", () => {
    expect(() => scopeFromClaim({ "ada@example.com": 1 })).toThrowError(
      expect.objectContaining({ message: expect.not.stringContaining("ada") }),
    );
  });

  it("may be shared by many viewers: nothing in it can be changed", () => {
    const given = { tags: ["order"] };
    const scope = scopeFromClaim(given);
    given.tags.push("other");
    expect(scope.tags).toEqual(["order"]);
    expect(Object.isFrozen(scope) && Object.isFrozen(scope.tags)).toBe(true);
  });
});
