import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeForm } from "../../../src/mandrill/form.ts";
import { signatureVector } from "../../harness/mandrill-fixtures.ts";

const decode = (form: string | Buffer): string[][] =>
  decodeForm(Buffer.from(form)).map(({ name, value }) => [name, value.toString()]);

describe("decodeForm", () => {
  it("decodes a captured body to the bytes that were signed", () => {
    const { raw_body: body, params } = signatureVector("mandrill_rails_click");
    expect(decode(body as string)).toEqual(Object.entries(params));
  });

  it.each([
    ["", []],
    ["a=b", [["a", "b"]]],
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=b", [["", "b"]]],
    ["a=b=c", [["a", "b=c"]]],
    [
      "&&a=1&&b=2&",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1&a=2",
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["a+b=c+%2B", [["a b", "c +"]]],
    ["%61%5b%5D=%C3%bc", [["a[]", "ü"]]],
    ["a=%00%0A", [["a", "\u0000\n"]]],
    ["a=%26%3D%25", [["a", "&=%"]]],
    ["a=ü€😀", [["a", "ü€😀"]]],
    ["__proto__=1", [["__proto__", "1"]]],
  ])("decodes %j", (form, parameters) => {
    expect(decode(form)).toEqual(parameters);
  });

  it.each(["a=%", "a=%2", "a=%2&b=1", "a=%zz", "a=%2g", "a=%g2", "%=1", "a=%%20", "a=% 20", "a=%é0"])(
    "refuses %j",
    (form) => {
      expect(() => decode(form)).toThrow(/^The form has a % without two hexadecimal digits at byte \d+\.$/);
    },
  );

  it("says where the digits are missing", () => {
    expect(() => decode("abc=12&mandrill_events=x%2")).toThrow("at byte 24.");
  });

  it.each([
    ["a stray continuation byte", "a=%80"],
    ["a truncated character", "a=%C3"],
    ["a surrogate", "a=%ED%A0%80"],
    ["an overlong slash", "a=%C0%AF"],
    ["such bytes in a name", "%FF=1"],
  ])("refuses %s", (_what, form) => {
    expect(() => decode(form)).toThrow("not UTF-8");
  });

  it("refuses bytes that are no UTF-8 and not even encoded", () => {
    expect(() => decode(Buffer.from([0x61, 0x3d, 0xff]))).toThrow("not UTF-8");
  });

  it("refuses a form of countless parameters", () => {
    expect(decode("a&".repeat(1_000))).toHaveLength(1_000);
    expect(() => decode("a&".repeat(1_001))).toThrow("more than 1000 parameters");
  });

  it("decodes whatever a browser encodes", () => {
    const pairs = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })));
    fc.assert(
      fc.property(pairs, (parameters) => {
        const given = new URLSearchParams(parameters);
        expect(decode(given.toString())).toEqual([...given]);
      }),
    );
  });

  it("reads every form that is well-formed as URLSearchParams does", () => {
    const pieces = fc.constantFrom("a", "=", "&", "+", "%41", "%c3%bc", "%26", "ü", "mandrill_events", "[]");
    fc.assert(
      fc.property(fc.array(pieces), (form) => {
        expect(decode(form.join(""))).toEqual([...new URLSearchParams(form.join(""))]);
      }),
    );
  });
});
