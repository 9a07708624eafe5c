import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  parse,
} from "graphql";

/** An event's fields that hold content: null where the viewer's scope withholds it. */
const CONTENT_FIELDS: ReadonlySet<string> = new Set(["raw", "text", "html"]);

/** The variables of a {@link wholeEventDocument}; the place to begin at goes beside it. */
export const FILTER_VARIABLES = ["types", "email", "messageId", "tag", "subaccount"] as const;

/**
 * An eventReceived that selects everything there is to know of an event, in the schema's order: what interface and
 * kind have in common first, then what only the kind has. Made from the schema, so that no field is forgotten.
 * @param content whether `raw`, `text` and `html` are selected too
 */
export function wholeEventDocument(schema: GraphQLSchema, content: boolean): DocumentNode {
  const event = schema.getType("Event");
  const subscription = schema.getSubscriptionType()?.getFields().eventReceived;
  if (!isInterfaceType(event) || subscription === undefined) throw new TypeError("the schema has no eventReceived");
  const isWanted = ({ name }: GraphQLField<unknown, unknown>): boolean => content || !CONTENT_FIELDS.has(name);
  const common = event.getFields();
  const kinds = schema.getPossibleTypes(event).map((kind) => {
    const own = Object.values(kind.getFields()).filter((field) => !(field.name in common) && isWanted(field));
    return own.length === 0 ? "" : `... on ${kind.name} { ${own.map(selectionOf).join(" ")} }`;
  });
  const fields = [...Object.values(common).filter(isWanted).map(selectionOf), ...kinds].join(" ");
  const types = new Map(subscription.args.map(({ name, type }) => [name, String(type)]));
  const variables = FILTER_VARIABLES.map((name) => `$${name}: ${types.get(name)}`).join(", ");
  const args = FILTER_VARIABLES.map((name) => `${name}: $${name}`).join(", ");
  return parse(`subscription (${variables}) { eventReceived(${args}) { ${fields} } }`, { noLocation: true });
}

/** The field with all that is below it. */
function selectionOf({ name, type }: GraphQLField<unknown, unknown>): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return name;
  return `${name} { ${Object.values(named.getFields()).map(selectionOf).join(" ")} }`;
}
