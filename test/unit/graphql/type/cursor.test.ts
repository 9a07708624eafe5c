import { assertScalarType, Kind } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../../../../src/graphql/schema.ts";

const cursor = assertScalarType(schema.getType("Cursor"));

describe("Cursor", () => {
  it.each(["", "AAAAAAAAAAAAAAAAAAAAAA", "not one of ours", "\u0000"])("takes %j: the resolver judges it", (text) => {
    expect(cursor.parseValue(text)).toBe(text);
    expect(cursor.parseLiteral({ kind: Kind.STRING, value: text })).toBe(text);
    expect(cursor.serialize(text)).toBe(text);
  });

  it.each([1, true, null, {}])("refuses %j, which is no string, as bad input", (value) => {
    const refusal = expect.objectContaining({ extensions: { code: "BAD_USER_INPUT" } });
    expect(() => cursor.parseValue(value)).toThrow(refusal);
    expect(() => cursor.parseLiteral({ kind: Kind.INT, value: "1" })).toThrow(refusal);
  });
});
