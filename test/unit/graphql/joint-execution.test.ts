import { buildSchema, execute, type GraphQLObjectType, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { UNSCOPED } from "../../../src/access/scope.ts";
import type { Selection } from "../../../src/graphql/group.ts";
import { createExecuteEach } from "../../../src/graphql/joint-execution.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { createEntryMaker } from "../../harness/entries.ts";

const TEXT = `subscription Named($with: Boolean!) { ...All }
  fragment All on Subscription { kind: __typename mail: eventReceived { ...Some raw @include(if: $with) } }
  fragment Some on Event { __typename id type ... on ClickEvent { url } }`;

function select(text: string, variableValues: Readonly<Record<string, unknown>> = {}): Selection {
  const operationName = text.includes("Named") ? "Named" : undefined;
  return { document: parse(text), operationName, variableValues, context: { scope: UNSCOPED }, key: "" };
}

describe("a joint execution", () => {
  it.each([0, 1, 2, 50, 51, 120])("gives each of %i entries what its own execution would give it", (count) => {
    const maker = createEntryMaker();
    const entries = Array.from({ length: count }, (_, index) =>
      maker.next({ type: index % 2 === 0 ? "click" : "send" }),
    );
    const selection = select(TEXT, { with: true });
    const { context, ...operation } = selection;
    const alone = entries.map((entry) => execute({ schema, ...operation, contextValue: context, rootValue: entry }));
    const joint = createExecuteEach(schema)(selection, entries);
    expect(joint.map((result) => JSON.stringify(result))).toEqual(alone.map((result) => JSON.stringify(result)));
  });

  it("tells an entry's error to that entry alone, by its path in the operation", () => {
    const failing = buildSchema(
      "type Query { a: Int } type Subscription { eventReceived: Event! } type Event { id: ID! }",
    );
    const { eventReceived } = (failing.getSubscriptionType() as GraphQLObjectType).getFields();
    eventReceived!.resolve = (entry) => entry;
    (failing.getType("Event") as GraphQLObjectType).getFields().id!.resolve = ({ number }: { number: number }) => {
      if (number === 2) throw new Error("odd");
      return number;
    };
    const entries = createEntryMaker().run(3);
    const results = createExecuteEach(failing)(select("subscription { eventReceived { id } }"), entries);
    expect(results.map(({ data }) => data?.eventReceived ?? null)).toEqual([{ id: "1" }, null, { id: "3" }]);
    expect(results.map(({ errors }) => errors?.map(({ message, path }) => [message, path]))).toEqual([
      undefined,
      [["odd", ["eventReceived", "id"]]],
      undefined,
    ]);
  });
});
