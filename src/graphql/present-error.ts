import { randomUUID } from "node:crypto";
import { GraphQLError, type GraphQLErrorExtensions, Kind } from "graphql";
import { ServiceError } from "../error.ts";
import { handledRequest } from "../telemetry/request-id.ts";

export interface PresentErrorOptions {
  /** Whether the message of an unexpected error is kept from the client. */
  readonly maskUnexpected: boolean;
  /** Is told of every unexpected error, under the id that the client is given. */
  readonly logger?: { error(fields: object, message: string): void } | undefined;
}

/**
 * The error as the client is told it: path and locations are kept, and `extensions.code` always tells its kind.
 * A {@link ServiceError} brings its own code; a fault of the request becomes GRAPHQL_PARSE_FAILED,
 * GRAPHQL_VALIDATION_FAILED or BAD_USER_INPUT; all else becomes INTERNAL with an `errorId` that stands in the log.
 */
export function presentError(error: unknown, { maskUnexpected, logger }: PresentErrorOptions): GraphQLError {
  const root = rootOf(error);
  if (root instanceof ServiceError) return present(error, root.message, { code: root.code, ...root.extensions });
  if (error instanceof GraphQLError && root instanceof GraphQLError) {
    if (typeof error.extensions.code === "string") return error;
    const code = codeOfRequestFault(error, root);
    if (code !== null) return present(error, error.message, { code, ...error.extensions });
  }
  const errorId = randomUUID();
  const path = error instanceof GraphQLError ? error.path : undefined;
  logger?.error(
    { err: root, errorId, requestId: handledRequest.getStore(), path },
    "unexpected error in a GraphQL operation",
  );
  const message = maskUnexpected || !(root instanceof Error) ? "Unexpected error." : root.message;
  return present(error, message, { code: "INTERNAL", errorId });
}

/** What was thrown, before graphql-js put it in place. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof GraphQLError && root.originalError != null) root = root.originalError;
  return root;
}

/** graphql-js gives its errors no codes; its shapes tell the stages apart. null for a fault that is not the request's. */
function codeOfRequestFault(error: GraphQLError, root: GraphQLError): string | null {
  if (error.path !== undefined) {
    // An argument's error points at the argument in the document. A result that its type cannot show has no node of
    // its own until it is put in place.
    return root.nodes === undefined ? null : "BAD_USER_INPUT";
  }
  if (error.nodes === undefined) return error.source === undefined ? "BAD_USER_INPUT" : "GRAPHQL_PARSE_FAILED";
  const aboutVariable = error.nodes.length === 1 && error.nodes[0]?.kind === Kind.VARIABLE_DEFINITION;
  return aboutVariable && VARIABLE_FAULT.test(error.message) ? "BAD_USER_INPUT" : "GRAPHQL_VALIDATION_FAILED";
}

// A variable that is never used has the same shape, and is a fault of the document.
const VARIABLE_FAULT = / got invalid value | was not provided\.$| must not be null\.$/;

function present(error: unknown, message: string, extensions: GraphQLErrorExtensions): GraphQLError {
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
