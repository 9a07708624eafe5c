import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from "graphql";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Selection } from "./group.ts";

/** Results of one execution are all in memory at once. */
const MAX_ENTRIES = 50;

/** What each entry's result stands under: never seen outside. */
const FIELD = "results";

interface Root {
  entries: readonly LiveEntry[];
}

/** Results of a selection, one an entry and in their order. */
export type ExecuteEach = (selection: Selection, entries: readonly LiveEntry[]) => readonly ExecutionResult[];

/**
 * Executes a subscription's operation for several entries at once, as a list within one query: graphql-js keeps what
 * it finds out about an operation for the one execution, in weak maps whose garbage outlives young collections, so
 * that a long replay with an execution an entry lets the heap grow by hundreds of megabytes of it.
 *
 * @param schema has no asynchronous field below Subscription
 */
export function createExecuteEach(schema: GraphQLSchema): ExecuteEach {
  const jointSchema = createJointSchema(schema);
  const jointDocuments = new WeakMap<DocumentNode, DocumentNode>();

  const alone = ({ context, ...selection }: Selection, entry: LiveEntry): ExecutionResult =>
    execute({ schema, ...selection, contextValue: context, rootValue: entry }) as ExecutionResult;

  const jointDocument = (document: DocumentNode): DocumentNode => {
    let joint = jointDocuments.get(document);
    if (joint === undefined) {
      joint = makeJointDocument(document);
      jointDocuments.set(document, joint);
    }
    return joint;
  };

  const together = (selection: Selection, entries: readonly LiveEntry[]): readonly ExecutionResult[] => {
    const { context, ...rest } = selection;
    const document = jointDocument(selection.document);
    const root: Root = { entries };
    const { data, errors } = execute({
      schema: jointSchema,
      ...rest,
      document,
      contextValue: context,
      rootValue: root,
    }) as ExecutionResult<{ results: readonly Record<string, unknown>[] }>;
    // What those weak maps keep of the execution shall not keep the events too.
    root.entries = [];
    // Each by itself then, for its own errors with their own paths.
    if (errors !== undefined || data == null) return entries.map((entry) => alone(selection, entry));
    return data.results.map((each) => ({ data: each }));
  };

  return (selection, entries) => {
    if (entries.length === 1) return [alone(selection, entries[0] as LiveEntry)];
    const results: ExecutionResult[] = [];
    for (let from = 0; from < entries.length; from += MAX_ENTRIES) {
      results.push(...together(selection, entries.slice(from, from + MAX_ENTRIES)));
    }
    return results;
  };
}

/** The same types under a query that gives as many Subscriptions as there are entries. */
function createJointSchema(schema: GraphQLSchema): GraphQLSchema {
  const subscription = schema.getSubscriptionType();
  if (!subscription) throw new TypeError("the schema has no subscriptions");
  const query = new GraphQLObjectType<Root>({
    name: "__Results",
    fields: { [FIELD]: { type: new GraphQLList(subscription), resolve: ({ entries }) => entries } },
  });
  // Assumed, since no other name is sure to be free.
  return new GraphQLSchema({ ...schema.toConfig(), query, mutation: null, assumeValid: true });
}

function makeJointDocument(document: DocumentNode): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((node) => (node.kind === Kind.OPERATION_DEFINITION ? joined(node) : node)),
  };
}

function joined(operation: OperationDefinitionNode): OperationDefinitionNode {
  const { selectionSet } = operation;
  return {
    ...operation,
    operation: OperationTypeNode.QUERY,
    directives: [],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: FIELD }, selectionSet }],
    },
  };
}
