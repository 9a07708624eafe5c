import { type GraphQLInterfaceType, isInputType, print, validate } from "graphql";
import { expect, it } from "vitest";
import { schema } from "../../../src/graphql/schema.ts";
import { FILTER_VARIABLES, wholeEventDocument } from "../../../src/graphql/whole-event.ts";

it("is a valid operation that selects every field of every kind, and content only where it is asked for", () => {
  const event = schema.getType("Event") as GraphQLInterfaceType;
  const kinds = schema.getPossibleTypes(event);
  for (const content of [true, false]) {
    const document = wholeEventDocument(schema, content);
    expect(validate(schema, document)).toEqual([]);
    const text = print(document);
    for (const kind of kinds) {
      for (const name of Object.keys(kind.getFields())) {
        const selected = new RegExp(`^\\s+${name}\\b`, "m").test(text);
        expect([kind.name, name, selected]).toEqual([
          kind.name,
          name,
          content || !["raw", "text", "html"].includes(name),
        ]);
      }
    }
  }
});

it("takes every filter that eventReceived has", () => {
  const args = schema.getSubscriptionType()?.getFields().eventReceived?.args ?? [];
  expect(args.every(({ type }) => isInputType(type))).toBe(true);
  expect(args.map(({ name }) => name)).toEqual([...FILTER_VARIABLES, "after"]);
});
