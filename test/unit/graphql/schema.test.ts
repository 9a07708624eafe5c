import { readFileSync } from "node:fs";
import {
  isEnumType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  parse,
  printSchema,
  validateSchema,
} from "graphql";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { builder, queryBuilder } from "../../../src/graphql/builder.ts";
import type { EventContext, QueryContext } from "../../../src/graphql/context.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { contractDifferences } from "./contract-differences.ts";

const contract = readFileSync(new URL("../../fixture/contract.graphql", import.meta.url), "utf8");
const printed = parse(printSchema(schema));

describe("the schema", () => {
  it("is valid", () => {
    expect(validateSchema(schema)).toEqual([]);
  });

  it("has all of the contract", () => {
    expect(contractDifferences(parse(contract), printed)).toEqual([]);
  });

  it.each<[change: string, from: string, to: string, difference: string]>([
    ["a field's type", "diag: String ", "diag: String!", "DeferralEvent.diag is String"],
    ["a field", "cursor: Cursor! node", "place: Cursor! node", "EventEdge.place is missing"],
    ["an argument's default", "Int = 60", "Int = 61", "Query.eventCounts(buckets:) is Int = 60"],
    ["an argument", "since: Cursor)", "until: Cursor)", "Query.recentEvents(until:) is missing"],
    [
      "an interface",
      "type SpamEvent implements Event",
      "type SpamEvent implements Event & EngagementEvent",
      "SpamEvent lacks EngagementEvent among its interfaces",
    ],
    ["an enum's value", "blacklist whitelist", "denylist whitelist", "EventType lacks denylist among its values"],
    ["a kind of type", "scalar JSON", "input JSON", "JSON is a ScalarTypeDefinition"],
  ])("would be found to differ from the contract in %s", (_change, from, to, difference) => {
    expect(contract).toContain(from);
    expect(contractDifferences(parse(contract.replace(from, to)), printed)).toContain(difference);
  });

  it("describes every type, field, argument and enum value in whole sentences", () => {
    const told: (readonly [string, string | null | undefined])[] = [["schema", schema.description]];
    for (const type of Object.values(schema.getTypeMap())) {
      if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
      told.push([type.name, type.description]);
      if (isEnumType(type)) {
        told.push(...type.getValues().map((v) => [`${type.name}.${v.name}`, v.description] as const));
      }
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        const path = `${type.name}.${field.name}`;
        told.push([path, field.description]);
        told.push(...field.args.map((arg) => [`${path}(${arg.name}:)`, arg.description] as const));
      }
    }
    expect(told.length).toBeGreaterThan(250);
    expect(told.filter(([, description]) => !/^[A-Z].*\.$/s.test(description ?? ""))).toEqual([]);
  });

  it("lets what describes an event see nothing of its viewer but the scope", () => {
    expectTypeOf<(typeof builder)["$inferSchemaTypes"]["Context"]>().toEqualTypeOf<EventContext>();
    expectTypeOf<keyof EventContext>().toEqualTypeOf<"scope">();
    expectTypeOf<(typeof queryBuilder)["$inferSchemaTypes"]["Context"]>().toEqualTypeOf<QueryContext>();
  });
});
