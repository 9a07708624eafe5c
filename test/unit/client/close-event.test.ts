import { TerminatedCloseEvent } from "graphql-ws";
import { describe, expect, it } from "vitest";
import { isPassing, isRefusal } from "../../../client/close-event.ts";

describe("what ended a connection", () => {
  it.each([1011, 1015, 4429, 4500])("by %i may pass", (code) => {
    expect(isPassing({ code, reason: "" })).toBe(true);
    expect(isRefusal({ code, reason: "" })).toBe(false);
  });

  it.each([4401, 4403])("by %i is a refusal", (code) => {
    expect(isRefusal({ code, reason: "" })).toBe(true);
    expect(isPassing({ code, reason: "" })).toBe(false);
  });

  it.each([[new Error("no close event")], [new TerminatedCloseEvent()], [undefined], [null], ["4401"], [[]], [4401]])(
    "is neither where it is %j",
    (event) => {
      expect(isRefusal(event) || isPassing(event)).toBe(false);
    },
  );
});
