import { GraphQLError } from "graphql";
import type { SocketConfig } from "../config.ts";
import type { ErrorCode } from "../error.ts";

/** What is asked about an operation before it is looked at. */
export interface OperationRequest {
  readonly id: string;
  /** Operations that run on its socket or event stream, this one included. */
  readonly running: number;
}

/** The error by which an operation is refused, its siblings living on; null where it may begin. */
export function refusalOfOperation(
  { id, running }: OperationRequest,
  { maxOperationIdLength, maxOperations }: Pick<SocketConfig, "maxOperationIdLength" | "maxOperations">,
): GraphQLError | null {
  if (id.length > maxOperationIdLength) {
    return refused("BAD_USER_INPUT", "MAX_OPERATION_ID_LENGTH", maxOperationIdLength, "characters of an operation id");
  }
  if (running <= maxOperations) return null;
  return refused("LIMIT_EXCEEDED", "MAX_OPERATIONS", maxOperations, "operations at once on one connection");
}

/** A `subscribe` message is one operation, as a POST is. */
export function batchRefused(): GraphQLError {
  return new GraphQLError("Batching is not supported.", { extensions: { code: "BAD_USER_INPUT" } });
}

function refused(code: ErrorCode, limit: string, allowed: number, unit: string): GraphQLError {
  return new GraphQLError(`${limit} allows ${allowed} ${unit}.`, { extensions: { code, limit, allowed } });
}
