import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  print,
  separateOperations,
  visit,
} from "graphql";
import { scopeKey } from "../access/scope.ts";
import type { EventContext } from "./context.ts";
import type { Selection } from "./group.ts";

/** The part of an operation that decides what a result looks like, whatever is filtered by. */
interface Shape {
  readonly document: DocumentNode;
  readonly text: string;
  readonly operation: OperationDefinitionNode;
}

/** The field whose arguments say which events, and nothing of how they look. */
const FIELD = "eventReceived";

const shapes = new WeakMap<DocumentNode, Map<string | undefined, Shape>>();

/**
 * What `operationName` of a valid document selects, for a viewer of this scope. Two operations that differ in
 * eventReceived's arguments alone, literal or by variable, have equal selections.
 */
export function selectionOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
  context: EventContext,
): Selection {
  const { text, operation, document: shape } = shapeOf(document, operationName ?? undefined);
  const used = (operation.variableDefinitions ?? []).map((definition) => definition.variable.name.value);
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (coerced === undefined) throw errors?.[0] ?? new TypeError("the variables cannot be coerced");
  return {
    document: shape,
    operationName: operation.name?.value,
    variableValues: Object.fromEntries(used.filter((name) => name in variables).map((name) => [name, variables[name]])),
    context,
    key: JSON.stringify([text, scopeKey(context.scope), used.map((name) => coerced[name])]),
  };
}

function shapeOf(document: DocumentNode, operationName: string | undefined): Shape {
  let known = shapes.get(document);
  if (known === undefined) {
    known = new Map();
    shapes.set(document, known);
  }
  let shape = known.get(operationName);
  if (shape === undefined) {
    shape = makeShape(document, operationName);
    known.set(operationName, shape);
  }
  return shape;
}

function makeShape(document: DocumentNode, operationName: string | undefined): Shape {
  const name = getOperationAST(document, operationName)?.name?.value ?? "";
  const alone = separateOperations(document)[name] ?? document;
  const withoutArguments = visit(alone, {
    Field: (node) => (node.name.value === FIELD ? { ...node, arguments: [] } : undefined),
  });
  const used = new Set<string>();
  visit(withoutArguments, {
    VariableDefinition: () => false,
    Variable: (node) => {
      used.add(node.name.value);
    },
  });
  const shape = visit(withoutArguments, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
  });
  const operation = shape.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new TypeError("the document has no operation");
  return { document: shape, text: print(shape), operation };
}
