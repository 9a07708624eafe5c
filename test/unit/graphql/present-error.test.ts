import {
  type ExecutionResult,
  GraphQLError,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  graphql,
  graphqlSync,
} from "graphql";
import { describe, expect, it } from "vitest";
import { logUnavailable, ServiceError } from "../../../src/error.ts";
import { presentError } from "../../../src/graphql/present-error.ts";

/** A field that throws what the root value holds, one that answers what its type cannot show, one with arguments. */
const schema = new GraphQLSchema({
  query: new GraphQLObjectType<{ thrown: unknown }>({
    name: "Query",
    fields: {
      throws: {
        type: GraphQLInt,
        resolve: ({ thrown }) => {
          throw thrown;
        },
      },
      shows: { type: GraphQLInt, resolve: () => "ada@example.com" },
      demands: { type: new GraphQLNonNull(GraphQLInt), resolve: () => null },
      takes: {
        type: GraphQLInt,
        args: { id: { type: new GraphQLNonNull(GraphQLID) }, first: { type: GraphQLInt } },
        resolve: () => 1,
      },
    },
  }),
});

class Log {
  readonly lines: { fields: Record<string, unknown>; message: string }[] = [];
  error(fields: object, message: string): void {
    this.lines.push({ fields: { ...fields }, message });
  }
}

/** The first error of a result, as graphql-js gives it. */
function errorOf({ errors }: ExecutionResult): GraphQLError {
  const [error] = errors ?? [];
  if (error === undefined) throw new Error("the operation did not fail");
  return error;
}

function errorOfThrowing(thrown: unknown): GraphQLError {
  return errorOf(graphqlSync({ schema, source: "{ alias: throws }", rootValue: { thrown } }));
}

describe("an error as the client is told it", () => {
  it("has a service error's code and extensions, and its place", () => {
    const thrown = new ServiceError("CURSOR_EXPIRED", "Too late.", { oldest: "a", head: null });
    const error = presentError(errorOfThrowing(thrown), { maskUnexpected: true });
    expect(error).toBeInstanceOf(GraphQLError);
    expect(error.toJSON()).toEqual({
      message: "Too late.",
      locations: [{ line: 1, column: 3 }],
      path: ["alias"],
      extensions: { code: "CURSOR_EXPIRED", oldest: "a", head: null },
    });
  });

  it("has a service error's code where it was thrown outside of a field", () => {
    const log = new Log();
    const error = presentError(logUnavailable("The log cannot be reached."), { maskUnexpected: true, logger: log });
    expect(error.toJSON()).toEqual({
      message: "The log cannot be reached.",
      extensions: { code: "LOG_UNAVAILABLE" },
    });
    expect(log.lines).toEqual([]);
  });

  it.each<[what: string, source: string, variables: Record<string, unknown>, code: string]>([
    ["a syntax error", "{ takes(", {}, "GRAPHQL_PARSE_FAILED"],
    ["an empty document", "", {}, "GRAPHQL_PARSE_FAILED"],
    ["an unknown field", "{ unknown }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a missing argument", "{ takes }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a literal of the wrong type", '{ takes(id: 1, first: "x") }', {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a variable that is not used", "query ($x: Int) { takes(id: 1) }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a variable in a wrong place", "query ($x: Int) { takes(id: $x) }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a variable of the wrong type", "query ($x: Int) { takes(id: 1, first: $x) }", { x: "y" }, "BAD_USER_INPUT"],
    ["a variable that is missing", "query ($x: ID!) { takes(id: $x) }", {}, "BAD_USER_INPUT"],
    ["a variable that is null", "query ($x: ID!) { takes(id: $x) }", { x: null }, "BAD_USER_INPUT"],
    ["a null over a default", 'query ($x: ID = "1") { takes(id: $x) }', { x: null }, "BAD_USER_INPUT"],
    ["no operation", "fragment F on Query { takes(id: 1) } ", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["no choice of operation", "query A { takes(id: 1) } query B { takes(id: 1) }", {}, "BAD_USER_INPUT"],
  ])("has a code for %s, and is else as it was", async (_what, source, variableValues, code) => {
    const log = new Log();
    const fault = errorOf(await graphql({ schema, source, variableValues }));
    const error = presentError(fault, { maskUnexpected: true, logger: log });
    expect(error.toJSON()).toEqual({ ...fault.toJSON(), extensions: { code } });
    expect(log.lines).toEqual([]);
  });

  it("stays as it is where it has a code", () => {
    const error = new GraphQLError("No.", { extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } });
    expect(presentError(error, { maskUnexpected: true })).toBe(error);
  });

  it("keeps its extensions where it has no code", () => {
    const error = new GraphQLError("No.", { extensions: { http: { status: 400 } } });
    expect(presentError(error, { maskUnexpected: true }).extensions).toEqual({
      code: "BAD_USER_INPUT",
      http: { status: 400 },
    });
  });

  it("hides an unexpected error, and names the line of the log that tells of it", () => {
    const log = new Log();
    const thrown = Object.assign(new Error("password of ada@example.com"), { extensions: { code: "FORBIDDEN" } });
    const error = presentError(errorOfThrowing(thrown), { maskUnexpected: true, logger: log });
    const { errorId } = error.extensions;
    expect(errorId).toMatch(/^[0-9a-f-]{36}$/);
    expect(error.toJSON()).toEqual({
      message: "Unexpected error.",
      locations: [{ line: 1, column: 3 }],
      path: ["alias"],
      extensions: { code: "INTERNAL", errorId },
    });
    expect(error.originalError).toBeUndefined();
    expect(log.lines).toEqual([{ fields: { err: thrown, errorId, path: ["alias"] }, message: expect.any(String) }]);
  });

  it("tells an unexpected error's message where it is asked to, and not its stack", () => {
    const error = presentError(errorOfThrowing(new Error("broken")), { maskUnexpected: false });
    expect(error.message).toBe("broken");
    expect(Object.keys(error.extensions)).toEqual(["code", "errorId"]);
  });

  it.each(["{ shows }", "{ demands }"])("takes a wrong result of our own for an unexpected error: %s", (source) => {
    const log = new Log();
    const error = presentError(errorOf(graphqlSync({ schema, source })), { maskUnexpected: true, logger: log });
    expect(error).toMatchObject({ message: "Unexpected error.", extensions: { code: "INTERNAL" } });
    expect(log.lines).toHaveLength(1);
  });

  it.each([[null], [undefined], ["text"], [42], [Object.create(null)], [{ message: "no error" }]])(
    "takes whatever is thrown: %#",
    (thrown) => {
      for (const error of [thrown, errorOfThrowing(thrown)]) {
        expect(presentError(error, { maskUnexpected: true })).toMatchObject({
          message: "Unexpected error.",
          extensions: { code: "INTERNAL" },
        });
      }
      expect(presentError(thrown, { maskUnexpected: false }).message).toBe("Unexpected error.");
    },
  );
});
