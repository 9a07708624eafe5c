import { assertScalarType, GraphQLError, Kind } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../../../../src/graphql/schema.ts";
import { parseDateTime } from "../../../../src/graphql/type/date-time.ts";

const dateTime = assertScalarType(schema.getType("DateTime"));

describe("DateTime", () => {
  it.each<[text: string, utc: string]>([
    ["2025-03-14T15:09:26Z", "2025-03-14T15:09:26.000Z"],
    ["2025-03-14t15:09:26.5z", "2025-03-14T15:09:26.500Z"],
    ["2025-03-14T15:09:26.535897932Z", "2025-03-14T15:09:26.535Z"],
    ["2025-03-14T15:09:26+05:45", "2025-03-14T09:24:26.000Z"],
    ["2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00.000Z"],
    ["2025-03-14T15:09:26-00:00", "2025-03-14T15:09:26.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    // The leap second of 2016 is counted as the next day's first second.
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00.000Z"],
  ])("reads %s", (text, utc) => {
    const time = parseDateTime(text);
    expect(time).toBe(Date.parse(utc));
    expect(dateTime.parseValue(text)).toBe(time);
    expect(dateTime.parseLiteral({ kind: Kind.STRING, value: text })).toBe(time);
    expect(dateTime.serialize(time)).toBe(utc);
  });

  it.each([
    "",
    "now",
    "2025-03-14",
    "2025-03-14T15:09:26",
    "2025-03-14 15:09:26Z",
    "2025-03-14T15:09Z",
    "2025-03-14T15:09:26.Z",
    "2025-03-14T15:09:26+0100",
    "2025-03-14T15:09:26+24:00",
    "2025-03-14T24:00:00Z",
    "2025-03-14T15:60:00Z",
    "2025-03-14T15:09:60Z",
    "2025-02-29T00:00:00Z",
    "2025-04-31T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-00-10T00:00:00Z",
    "2025-01-00T00:00:00Z",
    "+12025-03-14T15:09:26Z",
    "9999-12-31T23:59:59-01:00",
    "0000-01-01T00:00:00+01:00",
    " 2025-03-14T15:09:26Z",
    "2025-03-14T15:09:26Z\n",
  ])("refuses %j", (text) => {
    expect(parseDateTime(text)).toBeNull();
    expect(() => dateTime.parseValue(text)).toThrow(GraphQLError);
    expect(() => dateTime.parseLiteral({ kind: Kind.STRING, value: text })).toThrow(/RFC 3339/);
  });

  it.each([1_700_000_000_000, true, null, {}])("refuses %j, which is no string, as bad input", (value) => {
    expect(() => dateTime.parseValue(value)).toThrow(
      expect.objectContaining({ extensions: { code: "BAD_USER_INPUT" } }),
    );
    expect(() => dateTime.parseLiteral({ kind: Kind.INT, value: "1700000000000" })).toThrow(/RFC 3339/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800_000, -62_167_219_200_001])(
    "does not show %d, which four digits of year cannot write",
    (time) => {
      expect(() => dateTime.serialize(time)).toThrow(RangeError);
    },
  );
});
