import { describe, expect, it } from "vitest";
import {
  type Field,
  fields,
  float,
  int,
  list,
  MAX_TERM_LENGTH,
  moment,
  term,
  text,
} from "../../../src/mandrill/field.ts";

describe("fields", () => {
  it("reads an object that holds something", () => {
    expect(fields({ a: 1 })).toEqual({ a: 1 });
  });

  it.each([[undefined], [null], [[]], [{}], [["a"]], ["a"], [1], [true]])("finds none in %j", (value) => {
    expect(fields(value)).toBeNull();
  });

  it("finds none in a number that is kept by its digits", () => {
    expect(fields(JSON.rawJSON("12345678901234567890"))).toBeNull();
  });
});

describe("list", () => {
  it("reads a list, and what PHP writes for one with holes", () => {
    expect(list(["a", 1])).toEqual(["a", 1]);
    expect(list({ 0: "a", 2: "c" })).toEqual(["a", "c"]);
  });

  it.each([[undefined], [null], [{}], ["abc"], [1]])("finds no member in %j", (value) => {
    expect(list(value)).toEqual([]);
  });
});

describe("text", () => {
  it("keeps text as it is, empty or not", () => {
    expect(["", "a\u0000b", "😀"].map(text)).toEqual(["", "a\u0000b", "😀"]);
  });

  it("replaces what cannot be sent as UTF-8", () => {
    expect(text("a\ud800b")).toBe("a\ufffdb");
  });

  it.each([[undefined], [null], [1], [["a"]], [{ a: "b" }]])("is null for %j", (value) => {
    expect(text(value)).toBeNull();
  });
});

describe("term", () => {
  it("is no more than what an index should hold", () => {
    expect(term("a".repeat(MAX_TERM_LENGTH))).toHaveLength(MAX_TERM_LENGTH);
    expect(term("a".repeat(MAX_TERM_LENGTH + 1))).toBeNull();
    expect(term("")).toBeNull();
  });
});

describe("int", () => {
  it.each([[0], [-1], [2_147_483_647], [-2_147_483_648]])("keeps %d", (value) => {
    expect(int(value)).toBe(value);
  });

  it.each([
    [2_147_483_648],
    [-2_147_483_649],
    [1.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ["10"],
    [null],
    [undefined],
  ])("is null for %j", (value) => {
    expect(int(value)).toBeNull();
  });
});

describe("float", () => {
  it("keeps finite numbers, and reads those that are spelled as text", () => {
    expect([-97.5164337158, 0, "35.4675598145", "-97"].map(float)).toEqual([-97.5164337158, 0, 35.4675598145, -97]);
  });

  it.each([
    ["INVALID IP ADDRESS"],
    [""],
    [" "],
    ["0x10"],
    ["9".repeat(400)],
    [Number.NaN],
    [Number.NEGATIVE_INFINITY],
    [null],
    [[1]],
  ])("is null for %j", (value) => {
    expect(float(value)).toBeNull();
  });
});

describe("moment", () => {
  it.each([
    [1365109999, "2013-04-04T21:13:19.000Z"],
    ["1365109999", "2013-04-04T21:13:19.000Z"],
    [1365109999.25, "2013-04-04T21:13:19.250Z"],
    [0, "1970-01-01T00:00:00.000Z"],
    [-1, "1969-12-31T23:59:59.000Z"],
    ["2014-02-01 12:43:56", "2014-02-01T12:43:56.000Z"],
    ["2014-02-01 12:43:56.78901", "2014-02-01T12:43:56.000Z"],
    ["2014-02-01T12:43:56Z", "2014-02-01T12:43:56.000Z"],
    ["2016-02-29 00:00:00", "2016-02-29T00:00:00.000Z"],
    [253402300799, "9999-12-31T23:59:59.000Z"],
    [-62167219200, "0000-01-01T00:00:00.000Z"],
  ])("reads %j as %s", (value, expected) => {
    expect(new Date(moment(value) as number).toISOString()).toBe(expected);
  });

  const NO_MOMENTS: readonly Field[] = [
    ...[253402300800, -62167219201, 1365109999000, 1e300, Number.NaN, Number.POSITIVE_INFINITY],
    ...["0000-00-00 00:00:00", "2014-02-30 12:00:00", "2015-02-29 00:00:00", "2014-02-01 24:00:00"],
    ...["2014-02-01", "yesterday", "", "1".repeat(20), null, undefined, true, [1365109999], {}],
  ];
  it.each(NO_MOMENTS.map((value) => [value] as const))("is null for %j", (value) => {
    expect(moment(value)).toBeNull();
  });
});
