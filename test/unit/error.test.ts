import { describe, expect, it } from "vitest";
import { cursorExpired, cursorUnknown, ERRORS, type ErrorCode, logUnavailable, ServiceError } from "../../src/error.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe("the table of codes", () => {
  it.each(CODES)("gives %s a status that a client or a server is to blame for", (code) => {
    expect(ERRORS[code].status).toBeGreaterThanOrEqual(400);
    expect(ERRORS[code].status).toBeLessThan(600);
  });

  it.each(CODES)("ends a WebSocket for %s so that a client tries again exactly where it is worth it", (code) => {
    const { close, retryable } = ERRORS[code];
    if (close === null) return;
    // graphql-ws's client takes 4400, 4401, 4403 and their like for final; 4429 asks it to stay away.
    const final = close >= 4400;
    expect(final).toBe(!retryable || code === "LIMIT_EXCEEDED");
  });

  it("lets whoever is told 5xx try again", () => {
    for (const code of CODES) if (ERRORS[code].status >= 500) expect(ERRORS[code].retryable, code).toBe(true);
  });
});

describe("ServiceError", () => {
  it("carries its code, the status of that code, and what may be told", () => {
    const cause = new Error("connection refused");
    const error = new ServiceError("LOG_UNAVAILABLE", "The log is away.", { since: 1 }, cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "ServiceError",
      code: "LOG_UNAVAILABLE",
      status: 503,
      message: "The log is away.",
      extensions: { since: 1 },
      cause,
    });
  });

  it("has no cause where none was given", () => {
    expect("cause" in new ServiceError("INTERNAL", "Unexpected error.")).toBe(false);
  });

  it("tells of an expired and of an unknown cursor from where to where the log reaches", () => {
    expect(cursorExpired("oldest", "head")).toMatchObject({
      code: "CURSOR_EXPIRED",
      extensions: { oldest: "oldest", head: "head" },
    });
    expect(cursorUnknown(null, null)).toMatchObject({
      code: "CURSOR_UNKNOWN",
      extensions: { oldest: null, head: null },
    });
  });

  it("keeps why the log is away from whoever is told that it is", () => {
    const error = logUnavailable("The event log cannot be reached.", new Error("redis://example.com"));
    expect(error).toMatchObject({ code: "LOG_UNAVAILABLE", extensions: {} });
    expect(error.message).not.toContain("redis");
  });
});
