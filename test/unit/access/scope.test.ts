import { describe, expect, it } from "vitest";
import { type Scope, scopeFilter, scopeKey, seesEveryEvent, UNSCOPED } from "../../../src/access/scope.ts";
import { matchesFilter } from "../../../src/event/event-filter.ts";
import { sampleEvent } from "../../harness/event-samples.ts";

const event = sampleEvent({ email: "Ada@Example.com", tags: ["receipt", "vip"], subaccount: "shop" });

describe("a scope", () => {
  it("that gives no list hides nothing", () => {
    expect(scopeFilter(UNSCOPED)).toEqual([]);
    expect(seesEveryEvent(UNSCOPED)).toBe(true);
    expect(seesEveryEvent({ raw: false })).toBe(true);
  });

  it.each<[string, Scope, boolean]>([
    ["allows what bears a value of its list", { subaccounts: ["club", "shop"], raw: true }, true],
    ["hides what bears none of them", { subaccounts: ["club"], raw: true }, false],
    ["asks for a value of every list", { subaccounts: ["shop"], tags: ["vip"], raw: true }, true],
    ["hides what bears a value of one list only", { subaccounts: ["shop"], tags: ["news"], raw: true }, false],
    ["compares addresses without regard to case", { emails: ["ADA@example.COM"], raw: true }, true],
    ["allows nothing by an empty list", { subaccounts: ["shop"], tags: [], raw: true }, false],
  ])("%s", (_what, scope, allowed) => {
    expect(matchesFilter(scopeFilter(scope), event)).toBe(allowed);
    expect(seesEveryEvent(scope)).toBe(false);
  });

  it("has the same key as one that sees the same", () => {
    const scope: Scope = { emails: ["b@example.com", "A@example.com"], tags: ["x", "y"], raw: true };
    const same: Scope = { raw: true, tags: ["y", "x", "y"], emails: ["a@example.com", "B@EXAMPLE.com"] };
    expect(scopeKey(same)).toBe(scopeKey(scope));
  });

  it("has another key than one that sees something else", () => {
    const scopes: Scope[] = [
      { raw: true },
      { raw: false },
      { tags: [], raw: true },
      { tags: ["a"], raw: true },
      { tags: ["a,b"], raw: true },
      { tags: ["a", "b"], raw: true },
      { subaccounts: ["a"], raw: true },
      { emails: ["a"], raw: true },
      { subaccounts: ["a"], tags: ["a"], raw: true },
    ];
    expect(new Set(scopes.map(scopeKey)).size).toBe(scopes.length);
  });
});
