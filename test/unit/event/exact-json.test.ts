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

  it("gives what was written, for all other JSON", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (text) => {
        expect(written(text)).toBe(text);
      }),
    );
  });

  it.each([
    // What is parsed before, and the text whose key V8 takes for the former's then.
    ['{"a":1,"\\\\":2}', '{"a":1,"\\n":2}', { a: 1, "\n": 2 }],
    ['{"b":1,"\\\\":{}}', '{"b":1,"\\u044f":{"\\u044f":[{"\\u0000" :"\\n"}]}}', { b: 1, я: { я: [{ "\0": "\n" }] } }],
    ['{"c":1,"\\\\u041f":2}', '{"c":1,"\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442":2}', { c: 1, Привет: 2 }],
    ['{"d":1,"\\\\":2}', '{"d":1,"\\"":2,"1":3,"\\u0030":4,"\\"":5}', { d: 1, '"': 5, 1: 3, 0: 4 }],
    ['{"e":1,"\\\\":2}', '{"e":1,"\\ud800":2,"__proto\\u005f_":3}', { e: 1, "\ud800": 2, ["__proto__"]: 3 }],
    ['{"f":1,"\\\\":2}', '{"f":1,"\\b":12345678901234567890}', { f: 1, "\b": JSON.rawJSON("12345678901234567890") }],
  ])("takes no key for another that reads like its beginning: after %s, %s", (before, text, value) => {
    const met = JSON.parse(before);
    expect(written(text)).toBe(JSON.stringify(value));
    // V8 forgets what nothing holds.
    expect(met).toBeTypeOf("object");
  });

  it("tells the place in the text itself where one with such a key is broken", () => {
    const text = `{"\\n":1,${" ".repeat(100)}:}`;
    expect(() => parseExactly(text)).toThrow(`position ${text.indexOf(":}")}`);
  });

  it("reads such keys however deeply they are nested", () => {
    let value: unknown = parseExactly(`${'{"\\n":'.repeat(100_000)}0${"}".repeat(100_000)}`);
    for (let depth = 0; depth < 100_000; depth++) value = (value as Record<string, unknown>)["\n"];
    expect(value).toBe(0);
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
