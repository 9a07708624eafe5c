import { GraphQLError } from "graphql";
import type { ErrorCode } from "../error.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: "BAD_USER_INPUT",
  OPERATION_RESOLUTION_FAILURE: "BAD_USER_INPUT",
  REQUEST_ENTITY_TOO_LARGE: "BODY_TOO_LARGE",
};

const METHOD_NOT_ALLOWED = 405;

/** An error by which Yoga itself refuses a request, with the code that the same refusal has elsewhere. */
export function withOurCode(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error;
  const { code, http } = error.extensions as { code?: unknown; http?: { status?: unknown } };
  const ours = http?.status === METHOD_NOT_ALLOWED ? "METHOD_NOT_ALLOWED" : CODES[String(code)];
  if (ours === undefined) return error;
  const { message, nodes, extensions } = error;
  return new GraphQLError(message, { nodes: nodes ?? null, extensions: { ...extensions, code: ours } });
}
