import { assertScalarType, parseValue } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../../../../src/graphql/schema.ts";

const json = assertScalarType(schema.getType("JSON"));

describe("JSON", () => {
  it.each([[null], [true], [1.5], ["text"], [[1, ["a", null]]], [{ a: { b: [] } }]])("passes %j both ways", (value) => {
    expect(json.serialize(value)).toBe(value);
    expect(json.parseValue(value)).toBe(value);
  });

  it("reads literals of every kind, with variables in them", () => {
    const literal = parseValue(
      '{ a: [1, -2.5, "text", true, null, WORD], b: { c: $known, d: $unknown }, e: [$unknown] }',
    );
    expect(json.parseLiteral(literal, { known: { x: 1 } })).toEqual({
      a: [1, -2.5, "text", true, null, "WORD"],
      b: { c: { x: 1 }, d: undefined },
      e: [undefined],
    });
  });

  it("reads a key named __proto__ as a key", () => {
    const value = json.parseLiteral(parseValue("{ __proto__: { polluted: true } }"), {}) as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("polluted" in value).toBe(false);
  });
});
