import { describe, expect, it } from "vitest";
import { EVENT_TYPES, isEventType } from "../../../src/event/event-type.ts";

describe("isEventType", () => {
  it("knows every kind", () => {
    expect(EVENT_TYPES.every(isEventType)).toBe(true);
    expect(new Set(EVENT_TYPES).size).toBe(14);
  });

  it.each([["denylist"], ["Open"], [""], ["constructor"], [null], [undefined], [1], [["open"]]])(
    "does not take %j for one",
    (value) => {
      expect(isEventType(value)).toBe(false);
    },
  );
});
