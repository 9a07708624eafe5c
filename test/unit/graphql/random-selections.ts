import fc from "fast-check";
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from "graphql";

/** A piece of a document, as text; what it spreads is left in `fragments`, by name. */
type Piece = (fragments: Map<string, string>) => string;

const NOT_DEEPER_THAN = 5;

const directive = fc.constantFrom(
  "",
  "",
  "",
  "@skip(if: $no)",
  "@skip(if: true)",
  "@skip(if: $odd)",
  "@include(if: $yes)",
  "@include(if: $odd)",
  "@include(if: false)",
  "@skip(if: false) @include(if: $yes)",
);

/**
 * Subscriptions to `eventReceived`, as text: fields under other names and more than once, fragments of both sorts,
 * nested and repeated, `__typename` and directives on everything. Most of them are valid.
 */
export function randomSubscriptions(schema: GraphQLSchema): fc.Arbitrary<string> {
  const sets = new Map<string, fc.Arbitrary<Piece>>();

  const setOf = (type: GraphQLNamedType, depth: number): fc.Arbitrary<Piece> => {
    const key = `${type.name}${depth}`;
    let set = sets.get(key);
    if (set === undefined) {
      const fields = fieldsOf(type).flatMap((field) => fieldOf(field, depth) ?? []);
      const choices = depth === 0 ? [...fields, typename] : [...fields, typename, fragmentOf(type, depth)];
      set = fc
        .array(fc.oneof(...choices), { minLength: 1, maxLength: 5 })
        .map((pieces) => (fragments) => `{ ${pieces.map((piece) => piece(fragments)).join(" ")} }`);
      sets.set(key, set);
    }
    return set;
  };

  const fieldOf = ({ name, type }: GraphQLField<unknown, unknown>, depth: number): fc.Arbitrary<Piece> | undefined => {
    const named = getNamedType(type);
    if (isCompositeType(named) && depth === 0) return undefined;
    const below = isCompositeType(named) ? setOf(named, depth - 1) : fc.constant<Piece>(() => "");
    return fc.tuple(aliasOf(name), directive, below).map(
      ([alias, directives, piece]) =>
        (fragments) =>
          `${alias}${name} ${directives} ${piece(fragments)}`,
    );
  };

  const fragmentOf = (type: GraphQLNamedType, depth: number): fc.Arbitrary<Piece> =>
    fc.constantFrom(...overlapping(schema, type)).chain((condition) =>
      fc.tuple(fc.constantFrom("", "A", "B"), directive, setOf(condition, depth - 1), fc.boolean()).map(
        ([letter, directives, piece, isNamed]): Piece =>
          (fragments) => {
            const name = `${condition.name}${depth}${letter}`;
            if (letter === "") {
              const on = isNamed || condition !== type ? `on ${condition.name}` : "";
              return `... ${on} ${directives} ${piece(fragments)}`;
            }
            // Spread again, it is what it was the first time.
            if (!fragments.has(name)) {
              fragments.set(name, "");
              fragments.set(name, `fragment ${name} on ${condition.name} ${piece(fragments)}`);
            }
            return `...${name} ${directives}`;
          },
      ),
    );

  const event = schema.getType("Event") as GraphQLNamedType;
  return fc
    .tuple(
      fc.constantFrom("", "mail: ", "__proto__: "),
      fc.array(setOf(event, NOT_DEEPER_THAN), { minLength: 1, maxLength: 3 }),
    )
    .map(([alias, pieces]) => {
      const fragments = new Map<string, string>();
      const root = pieces.map((piece) => `${alias}eventReceived(types: $types) ${piece(fragments)}`).join(" ");
      const body = `{ ${root} } ${[...fragments.values()].join(" ")}`;
      const variables = Object.entries(DECLARED).filter(([name]) => body.includes(`$${name}`));
      return `subscription Random(${variables.map(([name, type]) => `$${name}: ${type}`).join(", ")}) ${body}`;
    });
}

const DECLARED = { types: "[EventType!]", yes: "Boolean!", no: "Boolean! = false", odd: "Boolean = true" };

const typename: fc.Arbitrary<Piece> = fc.constantFrom("__typename", "kind: __typename").map((text) => () => text);

function aliasOf(name: string): fc.Arbitrary<string> {
  return fc.constantFrom("", "", `my_${name}: `, `__${name}: `);
}

function fieldsOf(type: GraphQLNamedType): readonly GraphQLField<unknown, unknown>[] {
  return isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
}

/** The types on which a fragment may be, within a selection of `type`. */
function overlapping(schema: GraphQLSchema, type: GraphQLNamedType): readonly GraphQLNamedType[] {
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type].filter(isObjectType);
  return [...new Set(possible.flatMap((object) => [object, ...object.getInterfaces()]))];
}
