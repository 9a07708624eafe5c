import {
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from "graphql";

/** What the selections of an operation refer to. */
export interface Operation {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coerced. */
  readonly variableValues: Readonly<Record<string, unknown>>;
}

/** Selections of one field under one key: together they select it. */
export type FieldNodes = readonly [FieldNode, ...FieldNode[]];

/**
 * The fields that `sets` select together of an object of `type`, by the key that each has in the result and in the
 * order of the result (GraphQL specification, CollectFields and MergeSelectionSets).
 */
export function selectedFields(
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
  operation: Operation,
): ReadonlyMap<string, FieldNodes> {
  const fields = new Map<string, [FieldNode, ...FieldNode[]]>();
  const spread = new Set<string>();

  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      // Spread again, a fragment adds nothing, and its directives are not looked at.
      const isRepeated = node.kind === Kind.FRAGMENT_SPREAD && spread.has(node.name.value);
      if (!isRepeated && isIncluded(node, operation)) take(node);
    }
  };

  const take = (node: SelectionNode): void => {
    if (node.kind === Kind.FIELD) {
      const key = (node.alias ?? node.name).value;
      const known = fields.get(key);
      if (known === undefined) fields.set(key, [node]);
      else known.push(node);
      return;
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : spreadBy(node);
    if (fragment !== undefined && isAbout(fragment, type, operation)) collect(fragment.selectionSet);
  };

  const spreadBy = ({ name: { value } }: FragmentSpreadNode): FragmentDefinitionNode | undefined => {
    spread.add(value);
    return operation.fragments.get(value);
  };

  sets.forEach(collect);
  return fields;
}

function isIncluded(node: SelectionNode, { variableValues }: Operation): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false
  );
}

/** Whether a fragment's type condition holds for objects of `type`. */
function isAbout(
  { typeCondition }: FragmentDefinitionNode | InlineFragmentNode,
  type: GraphQLObjectType,
  { schema }: Operation,
): boolean {
  if (typeCondition === undefined) return true;
  const condition = typeFromAST(schema, typeCondition);
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
}
