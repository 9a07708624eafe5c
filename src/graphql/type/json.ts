import { type GraphQLScalarLiteralParser, valueFromASTUntyped } from "graphql";
import type { Json } from "../../event/event.ts";
import { builder } from "../builder.ts";

const parseLiteral: GraphQLScalarLiteralParser<Json> = (node, variables) =>
  valueFromASTUntyped(node, variables) as Json;

builder.scalarType("JSON", {
  description: "Any JSON value: an object, an array, a string, a number, a boolean or null.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc8259",
  serialize: (value) => value,
  parseValue: (value) => value as Json,
  parseLiteral,
});
