import { describe, expect, it } from "vitest";
import { preferredType } from "../../../src/http/accept.ts";

const OFFERED = ["text/event-stream", "application/json"] as const;

describe("of what is offered", () => {
  it.each([
    [undefined, "text/event-stream"],
    ["", "text/event-stream"],
    ["*/*", "text/event-stream"],
    ["text/event-stream", "text/event-stream"],
    ["application/json", "application/json"],
    ["Application/JSON; charset=utf-8", "application/json"],
    ["application/*", "application/json"],
    ["application/json, text/event-stream", "text/event-stream"],
    ["application/json, text/event-stream;q=0.5", "application/json"],
    ["application/json, */*;q=0.1", "application/json"],
    ["text/event-stream;q=0, */*", "application/json"],
    ["text/*;q=0.2, application/json;q=0.1", "text/event-stream"],
    ["text/html", null],
    ["text/html, application/json;q=0", null],
    ["application/json;q=2", null],
    ["application/json;q=much", null],
  ])("Accept: %s gets %s", (accept, type) => {
    expect(preferredType(accept, OFFERED)).toBe(type);
  });
});
