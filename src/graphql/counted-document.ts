import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLSchema,
  Kind,
  visit,
} from "graphql";
import { EVENT_TYPES } from "../event/event-type.ts";

/** Arguments that say how many rows a field answers with, and how many rows there may be for each one counted. */
const ROWS: Readonly<Record<string, number>> = { first: 1, buckets: EVENT_TYPES.length };

/**
 * The document as the cost rule can read it: every field that answers with rows has its largest number of them as a
 * literal `first`. The rule itself takes an argument that is a variable, or left out, for one row.
 */
export function countedDocument(schema: GraphQLSchema, document: DocumentNode, maxFirst: number): DocumentNode {
  const fields = schema.getQueryType()?.getFields() ?? {};
  return visit(document, {
    Field: {
      leave(node): FieldNode | undefined {
        const counting = fields[node.name.value]?.args.find(({ name }) => Object.hasOwn(ROWS, name));
        if (counting === undefined) return undefined;
        return { ...node, arguments: [first(rowsOf(node, counting, maxFirst))] };
      },
    },
  });
}

function rowsOf(node: FieldNode, { name, defaultValue }: GraphQLArgument, maxFirst: number): number {
  const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
  let count: unknown = defaultValue;
  if (given?.kind === Kind.INT) count = Number(given.value);
  else if (given?.kind === Kind.VARIABLE) count = maxFirst;
  return Math.min(typeof count === "number" ? count : maxFirst, maxFirst) * (ROWS[name] ?? 1);
}

function first(rows: number): ArgumentNode {
  return {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: "first" },
    value: { kind: Kind.INT, value: String(rows) },
  };
}
