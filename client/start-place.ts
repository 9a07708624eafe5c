import { type DocumentNode, getOperationAST, Kind, type OperationDefinitionNode, parse, visit } from "graphql";
import type { SubscribePayload } from "graphql-ws/client";

/** What has to be known of an operation before its first event. */
export interface Resumable {
  /** The cursor behind which the application lets it begin; undefined: live from now on. */
  readonly start: string | undefined;
}

/**
 * Whether an operation is a subscription, and where it begins; null for queries and mutations.
 *
 * The place is `extensions.after`, else the argument `after` in the document. A persisted operation hides its
 * document: it counts as a subscription, and begins behind its variable named `after`.
 */
export function resumable({ query, operationName, variables, extensions }: SubscribePayload): Resumable | null {
  const document = documentOf(query);
  const operation = document && getOperationAST(document, operationName);
  if (document !== undefined && operation?.operation !== "subscription") return null;
  const begins = [extensions?.after, operation ? argumentAfter(document, operation, variables) : variables?.after];
  return { start: begins.find((cursor) => typeof cursor === "string") };
}

function documentOf(query: string): DocumentNode | undefined {
  try {
    return parse(query, { noLocation: true });
  } catch {
    return undefined;
  }
}

/** The value of the first argument `after` in the operation or in a fragment. */
function argumentAfter(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: SubscribePayload["variables"],
): unknown {
  const found: unknown[] = [];
  visit(document, {
    OperationDefinition: (node) => (node === operation ? undefined : false),
    Argument({ name, value }) {
      if (name.value !== "after") return;
      if (value.kind === Kind.STRING) found.push(value.value);
      if (value.kind === Kind.VARIABLE) found.push(variableOf(value.name.value, operation, variables));
    },
  });
  return found[0];
}

function variableOf(
  name: string,
  operation: OperationDefinitionNode,
  variables: SubscribePayload["variables"],
): unknown {
  const given = variables?.[name];
  if (given !== undefined) return given;
  const definition = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
  return definition?.defaultValue?.kind === Kind.STRING ? definition.defaultValue.value : undefined;
}
