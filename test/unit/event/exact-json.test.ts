import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactly } from "../../../src/event/exact-json.ts";

const written = (text: string): string => JSON.stringify(parseExactly(text));

describe("parseExactly", () => {
  it.each([
    "12345678901234567890",
    "-12345678901234567890",
    '{"order":9007199254740993}',
    '{"order": -9007199254740993 ,"next":[9223372036854775807,18446744073709551615]}',
    "[9007199254740993\n]",
    `[${"9".repeat(400)}]`,
  ])("keeps every digit of the integers in %s", (text) => {
    expect(written(text)).toBe(text.replace(/\s/g, ""));
  });

  it.each([
    "[9007199254740991,-9007199254740991,1234567890123456,100000000000000000000]",
    '{"phone":"12345678901234567890","pi":3.141592653589793,"big":1e300}',
  ])("leaves what a double holds to be a number: %s", (text) => {
    expect(parseExactly(text)).toEqual(JSON.parse(text));
  });

  it("is not deceived by digits within strings", () => {
    const text = JSON.stringify({
      a: "x,12345678901234567890,y",
      b: ": 12345678901234567890 ]",
      c: "12345678901234567890",
    });
    expect(parseExactly(text)).toEqual(JSON.parse(text));
  });

  it("finds a long integer wherever it stands", () => {
    for (let offset = 0; offset < 40; offset++) {
      for (const before of ["", "1234567890123456789", "-1"]) {
        const text = `["${"x".repeat(offset)}${before}",1234567890123456789]`;
        expect(written(text)).toBe(text);
      }
    }
  });

  it("writes what JSON.parse and JSON.stringify would, for all other JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(written(text)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it("keeps keys that are names of JavaScript's own, beside a long integer too", () => {
    const text = '{"__proto__":{"a":1},"constructor":12345678901234567890}';
    expect(written(text)).toBe(text);
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it("gives the digits up, and not the value, where it is nested deeper than the stack", () => {
    const text = `${"[".repeat(100_000)}12345678901234567890${"]".repeat(100_000)}`;
    let value: unknown = parseExactly(text);
    while (Array.isArray(value)) value = value[0];
    expect(value).toBe(Number("12345678901234567890"));
  });

  it("writes null for what is beyond a double's range", () => {
    expect(written("[1e400,-1e400]")).toBe("[null,null]");
  });

  it("throws what JSON.parse throws", () => {
    expect(() => parseExactly("[1234567890123456789")).toThrow(SyntaxError);
    expect(() => parseExactly("")).toThrow(SyntaxError);
  });
});
