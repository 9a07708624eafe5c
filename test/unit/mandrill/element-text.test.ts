import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactly } from "../../../src/event/exact-json.ts";
import { elementTexts } from "../../../src/mandrill/element-text.ts";

describe("elementTexts", () => {
  it.each([
    ["[1]", ["1"]],
    [' [ 1 , "a" ,\n{ "b" : [ 2 , 3 ] } ] ', ["1", '"a"', '{ "b" : [ 2 , 3 ] }']],
    ['["],[","\\"],","\\\\",{"],":"}"}]', ['"],["', '"\\"],"', '"\\\\"', '{"],":"}"}']],
    ["[[],{},[[1],[2]]]", ["[]", "{}", "[[1],[2]]"]],
  ])("cuts %j where its elements end", (text, texts) => {
    expect(elementTexts(text)).toEqual(texts);
  });

  it("cuts every array so that its elements can be parsed one by one", () => {
    const arrays = fc.array(fc.jsonValue({ stringUnit: "binary" }), { minLength: 1 });
    fc.assert(
      fc.property(arrays, fc.constantFrom(0, 2), (array, indent) => {
        const text = JSON.stringify(array, null, indent);
        expect(elementTexts(text).map(parseExactly)).toEqual(parseExactly(text));
      }),
    );
  });
});
