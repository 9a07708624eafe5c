import { describe, expect, it } from "vitest";
import { resumable } from "../../../client/start-place.ts";

const FIELDS = "{ id }";

describe("an operation that resumes", () => {
  it.each([
    ["a query", "query { recentEvents { head } }"],
    ["a query in short", "{ recentEvents { head } }"],
    ["a mutation", 'mutation { renewToken(token: "t") }'],
    ["a query with a field called subscription", "{ subscription { id } }"],
  ])("is not %s", (_, query) => {
    expect(resumable({ query })).toBeNull();
  });

  it("is the one that operationName chooses", () => {
    const query = `query Q { recentEvents { head } } subscription S { eventReceived ${FIELDS} }`;
    expect(resumable({ query, operationName: "Q" })).toBeNull();
    expect(resumable({ query, operationName: "S" })).toEqual({ start: undefined });
    // The server refuses it.
    expect(resumable({ query })).toBeNull();
  });

  it("begins live without an `after`", () => {
    const query = `subscription ($after: Cursor) { eventReceived(after: $after) ${FIELDS} }`;
    expect(resumable({ query })).toEqual({ start: undefined });
    expect(resumable({ query, variables: { after: null } })).toEqual({ start: undefined });
    expect(resumable({ query: `subscription { eventReceived(email: "after: x") ${FIELDS} }` })).toEqual({
      start: undefined,
    });
  });

  it("begins behind its argument, whatever the variable is called", () => {
    const query = `subscription ($place: Cursor) { eventReceived(after: $place) ${FIELDS} }`;
    expect(resumable({ query, variables: { place: "x", after: "y" } })).toEqual({ start: "x" });
    expect(resumable({ query: `subscription { eventReceived(after: "x") ${FIELDS} }` })).toEqual({ start: "x" });
  });

  it("begins behind its variable's default, unless it is given null", () => {
    const query = `subscription ($after: Cursor = "x") { eventReceived(after: $after) ${FIELDS} }`;
    expect(resumable({ query })).toEqual({ start: "x" });
    expect(resumable({ query, variables: { after: null } })).toEqual({ start: undefined });
  });

  it("begins behind an argument in a fragment, and not behind one of another operation", () => {
    const query = `
      query Recent($after: Cursor) { recentEvents(after: $after) { head } }
      subscription Live($since: Cursor) { ...Feed }
      fragment Feed on Subscription { eventReceived(after: $since) ${FIELDS} }
    `;
    const variables = { after: "x", since: "y" };
    expect(resumable({ query, operationName: "Live", variables })).toEqual({ start: "y" });
  });

  it("begins behind extensions.after, which wins over the argument", () => {
    const query = `subscription ($after: Cursor) { eventReceived(after: $after) ${FIELDS} }`;
    const payload = { query, variables: { after: "x" }, extensions: { after: "y" } };
    expect(resumable(payload)).toEqual({ start: "y" });
  });

  it("may hide its document: then it begins behind its variable named after", () => {
    expect(resumable({ query: "", variables: { after: "x" } })).toEqual({ start: "x" });
    expect(resumable({ query: "", extensions: { after: "y" } })).toEqual({ start: "y" });
    expect(resumable({ query: "" })).toEqual({ start: undefined });
  });
});
