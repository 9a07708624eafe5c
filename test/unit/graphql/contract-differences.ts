import {
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  print,
} from "graphql";

/** What `contract` asks for and `schema` does not have, a line each. The schema may have more. */
export function contractDifferences(contract: DocumentNode, schema: DocumentNode): string[] {
  const definitions = byName(schema.definitions.filter(isNamed));
  return contract.definitions.filter(isNamed).flatMap((asked) => {
    const found = definitions.get(asked.name.value);
    if (found === undefined) return [`${asked.name.value} is missing`];
    if (found.kind !== asked.kind) return [`${asked.name.value} is a ${found.kind}`];
    return [
      ...missing(asked, found, "interfaces"),
      ...missing(asked, found, "values"),
      ...fieldDifferences(asked.name.value, partsOf(asked, "fields"), partsOf(found, "fields")),
    ];
  });
}

type Named = DefinitionNode & { readonly name: { readonly value: string } };

function isNamed(node: DefinitionNode): node is Named {
  return node.kind !== Kind.SCHEMA_DEFINITION && "name" in node && node.name !== undefined;
}

function byName<T extends { readonly name: { readonly value: string } }>(nodes: readonly T[]): Map<string, T> {
  return new Map(nodes.map((node) => [node.name.value, node]));
}

function partsOf(node: DefinitionNode, part: "fields" | "values" | "interfaces"): readonly FieldDefinitionNode[] {
  return (node as unknown as Record<typeof part, readonly FieldDefinitionNode[] | undefined>)[part] ?? [];
}

function missing(asked: Named, found: Named, part: "values" | "interfaces"): string[] {
  const names = byName(partsOf(found, part));
  return partsOf(asked, part)
    .filter(({ name }) => !names.has(name.value))
    .map(({ name }) => `${asked.name.value} lacks ${name.value} among its ${part}`);
}

function fieldDifferences(
  type: string,
  asked: readonly FieldDefinitionNode[],
  found: readonly FieldDefinitionNode[],
): string[] {
  const fields = byName(found);
  return asked.flatMap((field) => {
    const path = `${type}.${field.name.value}`;
    const ours = fields.get(field.name.value);
    if (ours === undefined) return [`${path} is missing`];
    const differences = argumentDifferences(path, field.arguments ?? [], ours.arguments ?? []);
    if (print(ours.type) !== print(field.type)) differences.push(`${path} is ${print(ours.type)}`);
    return differences;
  });
}

function argumentDifferences(
  path: string,
  asked: readonly InputValueDefinitionNode[],
  found: readonly InputValueDefinitionNode[],
): string[] {
  const ours = new Map(found.map((argument) => [argument.name.value, signature(argument)]));
  const differences = asked
    .filter((argument) => ours.get(argument.name.value) !== signature(argument))
    .map(({ name }) => `${path}(${name.value}:) is ${ours.get(name.value) ?? "missing"}`);
  const known = byName(asked);
  const demanded = found.filter(({ name, type, defaultValue }) => {
    return !known.has(name.value) && type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;
  });
  return [...differences, ...demanded.map(({ name }) => `${path}(${name.value}:) is demanded`)];
}

function signature({ type, defaultValue }: InputValueDefinitionNode): string {
  return print(type) + (defaultValue === undefined ? "" : ` = ${print(defaultValue)}`);
}
