import { GraphQLError, Kind } from "graphql";
import { builder } from "../builder.ts";

// Any string passes: the resolver tells an unknown cursor (CURSOR_UNKNOWN), which coercion could only call bad input.
function parse(value: unknown): string {
  if (typeof value === "string") return value;
  throw new GraphQLError("Cursor must be a string, as an earlier answer gave it.", {
    extensions: { code: "BAD_USER_INPUT" },
  });
}

builder.scalarType("Cursor", {
  description:
    "A place in the event log. Opaque: keep it, compare it for equality and hand it back, nothing else. " +
    "The same cursor is valid on every transport and every instance of the service.",
  serialize: (cursor) => cursor,
  parseValue: parse,
  parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
});
