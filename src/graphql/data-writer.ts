import { type GraphQLSchema, getOperationAST, getVariableValues, Kind } from "graphql";
import { scopeKey } from "../access/scope.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Selection } from "./group.ts";
import { SharedTexts } from "./shared-texts.ts";
import { createTickMap } from "./tick-map.ts";
import { ObjectText, type WrittenOperation } from "./value-text.ts";

/**
 * The JSON text of the `data` of an entry's result; null where only graphql-js can tell what the result is.
 * @param isShared whether other groups may want the entry in the same tick
 */
export type WriteData = (entry: LiveEntry, isShared: boolean) => string | null;

/**
 * Turns selections into functions that write the JSON text of a result at once, out of what the schema's own resolvers
 * and scalars give: what it is to look like is found out once, and not for every event.
 *
 * Promises, errors and whatever else is not plain are left to graphql-js' own execution, which has the last word on
 * them. Nothing is found out of a type of object before its first object, so that a document costs little more than its
 * parsing as long as nothing happens.
 */
export function createDataWriters(schema: GraphQLSchema): (selection: Selection) => WriteData {
  const plainFields: WrittenOperation["plainFields"] = new Map();
  const textsOfScope = createTickMap(() => new SharedTexts());
  return (selection) => {
    const { context } = selection;
    const key = scopeKey(context.scope);
    let result: ObjectText | undefined;
    return (entry, isShared) => {
      try {
        result ??= resultOf(schema, selection, plainFields);
        return result.of(entry, { context, texts: isShared ? textsOfScope(key) : null });
      } catch {
        return null;
      }
    };
  };
}

function resultOf(
  schema: GraphQLSchema,
  { document, operationName, variableValues }: Selection,
  plainFields: WrittenOperation["plainFields"],
): ObjectText {
  const type = schema.getSubscriptionType();
  const operation = getOperationAST(document, operationName);
  const { coerced, errors } = getVariableValues(schema, operation?.variableDefinitions ?? [], variableValues);
  if (type == null || operation == null || coerced === undefined) throw errors?.[0] ?? new TypeError("no subscription");
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new ObjectText(type, true, [operation.selectionSet], {
    schema,
    fragments: new Map(fragments.map((node) => [node.name.value, node])),
    variableValues: coerced,
    plainFields,
  });
}
