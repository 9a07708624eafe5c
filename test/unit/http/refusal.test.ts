import { pino } from "pino";
import { expect, it } from "vitest";
import { ServiceError } from "../../../src/error.ts";
import { presentable } from "../../../src/http/refusal.ts";

it("an unexpected error is told by an id alone, under which the log has all of it", () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => lines.push(line) });
  const { code, status, message, extensions } = presentable(new TypeError("the inside of it"), logger);
  expect([code, status, message]).toEqual(["INTERNAL", 500, "Unexpected error."]);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    errorId: extensions.errorId,
    err: { message: "the inside of it" },
  });
});

it("an expected one is told as it is, and not logged", () => {
  const lines: string[] = [];
  const error = new ServiceError("FORBIDDEN", "Not here.");
  expect(presentable(error, pino({}, { write: (line) => lines.push(line) }))).toBe(error);
  expect(lines).toEqual([]);
});
