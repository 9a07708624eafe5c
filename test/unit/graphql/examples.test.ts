import { getVariableValues, Kind, type OperationDefinitionNode, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { EXAMPLES } from "../../../src/graphql/examples.ts";
import { schema } from "../../../src/graphql/schema.ts";

const examples = EXAMPLES.map(({ query, variables }) => {
  const document = parse(query);
  const [operation] = document.definitions as OperationDefinitionNode[];
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error("an example begins with its operation");
  return { name: operation.name?.value, document, operation, query, variables };
});

describe("GraphiQL's examples", () => {
  it.each(examples)("have $name, which is valid and has the variables that it needs", (example) => {
    expect(validate(schema, example.document)).toEqual([]);
    const { variableDefinitions = [] } = example.operation;
    expect(
      getVariableValues(schema, variableDefinitions, JSON.parse(example.variables ?? "{}")).errors,
    ).toBeUndefined();
  });

  it("are the subscription in its literal spelling, recent events and one recipient's history", () => {
    expect(examples.map(({ name }) => name)).toEqual(["Engagement", "RecentEvents", "RecipientHistory"]);
    expect(EXAMPLES[0]?.query).toContain("eventReceived(types: [open, click])");
  });
});
