import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/event/event.ts";
import { canonicalContent, eventIds, MAX_NESTING } from "../../../src/event/event-id.ts";
import { parseExactly } from "../../../src/event/exact-json.ts";

/** The ids of one batch of these elements. */
function idsOf(...elements: Json[]): string[] {
  return eventIds(elements.map((element) => canonicalContent(element) as string));
}

const idOf = (text: string): string => idsOf(parseExactly(text))[0] as string;

/** The value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
}

describe("eventIds", () => {
  it("gives 22 characters of base64url", () => {
    expect(idOf('{"event":"open"}')).toMatch(/^[\w-]{22}$/);
  });

  it("never changes the id of an event: ids are stored for years", () => {
    expect(idOf('{"event":"open","ts":1,"msg":{"tags":["a"],"metadata":null,"ok":true,"x":-1.5}}')).toBe(
      "CzrpCRDTt0wHKhkj_YLATk",
    );
  });

  it("gives the same event the same id in another batch, wherever it stands there", () => {
    const [a, b] = [{ event: "open" }, { event: "click" }];
    expect(idsOf(b, a)).toEqual(idsOf(a, b).reverse());
  });

  it("sets aside the order of keys, blanks, and how a string is escaped", () => {
    const id = idOf('{"event":"open","msg":{"subject":"Grüße/","tags":["a","b"]}}');
    expect(idOf('{ "msg" : {"tags":["a", "b"],"subject":"Gr\\u00fc\\u00dfe\\/"},\n"event":"open" }')).toBe(id);
  });

  it("gives the id of an event to no other order of a list", () => {
    expect(idOf('["a","b"]')).not.toBe(idOf('["b","a"]'));
  });

  it("gives equal events of one batch ids of their own, and the same ones when they come again", () => {
    const ids = idsOf({ event: "click" }, { event: "open" }, { event: "click" }, { event: "click" });
    expect(new Set(ids).size).toBe(4);
    expect(idsOf({ event: "click" }, { event: "click" }, { event: "click" })).toEqual([ids[0], ids[2], ids[3]]);
  });

  it("tells values apart that differ in nothing but their form", () => {
    const texts = [
      ...["null", "true", "false", "0", "1", "-1", "1.5", "[]", "{}", '""', '"null"', '"1"', "[null]", "[[]]", "[{}]"],
      ...["[1,2]", "[12]", '["1,2"]', '["a","b"]', '["ab"]', '["a"]', '[["a"],"b"]', '[["a","b"]]', '["a",["b"]]'],
      ...['{"a":"b"}', '{"b":"a"}', '{"a":{"b":null}}', '{"a":["b"]}', '["a","b",null]', '{"ab":""}', '{"":"ab"}'],
      ...['{"a":1,"b":2}', '{"a":2,"b":1}', '{"a":null}', '{"a":"1:b"}', '["\\"1:a"]', '"}"', '"]"', '["]"]', '"[1,]"'],
      ...['{"__proto__":1}', '{"__proto__":2}', '{"constructor":1}', '{"rawJSON":"1"}', '{"0":"a"}', '{"1":"a"}'],
      ...[
        '"\\u0000"',
        '"\\u0000\\u0000"',
        '"a\\u0000"',
        '"\\ud800"',
        '"\\ud801"',
        '"\\udc00"',
        '"\\ufffd"',
        '"\\ud83d\\ude00"',
      ],
      ...[
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        '"9007199254740993"',
        '{"rawJSON":"9007199254740993"}',
      ],
      ...["\\ud800\\ud800", "\\ud800x", "x\\ud800", "é", "e\\u0301"].map((text) => `"${text}"`),
    ];
    expect(new Set(texts.map(idOf)).size).toBe(texts.length);
  });

  it("tells all JSON values apart, and nothing else", () => {
    const values = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [one, other] = [parseExactly(JSON.stringify(a)), parseExactly(JSON.stringify(b))];
        expect(idsOf(reversed(one) as Json)).toEqual(idsOf(one));
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(idsOf(one)[0] === idsOf(other)[0]).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  it("sorts the keys of large objects as those of small ones", () => {
    const large = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key-${(i * 37) % 200}`, i]));
    expect(idsOf(reversed(large) as Json)).toEqual(idsOf(large));
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { object: entries.map(([key, member]) => [key, sorted(member)]) };
}

describe("canonicalContent", () => {
  const nested = (depth: number): Json => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);

  it("takes a value that is nested as deep as may be, and none that is deeper", () => {
    expect(canonicalContent(nested(MAX_NESTING))).not.toBeNull();
    expect(canonicalContent(nested(MAX_NESTING + 1))).toBeNull();
    expect(canonicalContent({ a: [{ b: nested(MAX_NESTING - 3) }] })).not.toBeNull();
    expect(canonicalContent({ a: [{ b: nested(MAX_NESTING - 2) }] })).toBeNull();
  });

  it("needs no stack for what is nested without end", () => {
    expect(canonicalContent(nested(1_000_000))).toBeNull();
  });
});
