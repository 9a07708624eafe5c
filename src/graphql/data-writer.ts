import {
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from "graphql";
import type { LiveEntry } from "../event/live-entry.ts";
import type { EventContext } from "./context.ts";
import type { Selection } from "./group.ts";
import { type Operation, selectedFields } from "./selected-fields.ts";

/** The JSON text of the `data` of an entry's result; null where only graphql-js can tell what the result is. */
export type WriteData = (entry: LiveEntry) => string | null;

/** The JSON text of a value. Throws where it cannot be shown, or would have to be waited for. */
type Write = (value: unknown, context: EventContext) => string;

type CompoundType = GraphQLAbstractType | GraphQLObjectType | GraphQLList<GraphQLOutputType>;

type Field = GraphQLField<unknown, unknown>;

/**
 * What a resolver is told of the execution around it: nothing, for there is none. One that asks has its operation
 * executed by graphql-js.
 */
const NO_INFO = new Proxy({} as GraphQLResolveInfo, {
  get() {
    throw new TypeError("a resolver asks for the execution's info");
  },
});

/**
 * Turns selections into functions that write the JSON text of a result at once, out of what the schema's own resolvers
 * and scalars give: what it is to look like is found out once, and not for every event.
 *
 * Promises, errors and whatever else is not plain are left to graphql-js' own execution, which has the last word on
 * them. Nothing is found out of a type of object before its first object, so that a document costs little more than its
 * parsing as long as nothing happens.
 */
export function createDataWriters(schema: GraphQLSchema): (selection: Selection) => WriteData {
  // A field without arguments and selections is written alike in every operation.
  const plainFields = new Map<Field, Write>();

  const objectWriter = (type: GraphQLObjectType, sets: readonly SelectionSetNode[], operation: Operation): Write => {
    let write: Write | undefined;
    return (value, context) => {
      write ??= compile(type, sets, operation);
      return write(value, context);
    };
  };

  const compile = (type: GraphQLObjectType, sets: readonly SelectionSetNode[], operation: Operation): Write => {
    if (type.isTypeOf != null) throw new TypeError(`${type.name} is to be asked for its type`);
    const before: string[] = [];
    const writers: Write[] = [];
    let text = "{";
    let separator = "";
    for (const [key, nodes] of selectedFields(type, sets, operation)) {
      const name = nodes[0].name.value;
      const field = type.getFields()[name];
      if (name === TypeNameMetaFieldDef.name) {
        text += `${separator}"${key}":"${type.name}"`;
      } else {
        if (field === undefined) throw new TypeError(`${type.name} has no field ${name}`);
        before.push(`${text}${separator}"${key}":`);
        writers.push(fieldWriter(field, nodes, operation));
        text = "";
      }
      separator = ",";
    }
    const end = `${text}}`;
    return (value, context) => {
      let written = "";
      for (let index = 0; index < writers.length; index += 1) {
        written += before[index] as string;
        written += (writers[index] as Write)(value, context);
      }
      return written + end;
    };
  };

  const fieldWriter = (field: Field, nodes: readonly [FieldNode, ...FieldNode[]], operation: Operation): Write => {
    const isPlain = field.args.length === 0 && isLeafType(getNamedType(field.type));
    const known = isPlain ? plainFields.get(field) : undefined;
    if (known !== undefined) return known;
    const { name, resolve } = field;
    const args = getArgumentValues(field, nodes[0], operation.variableValues);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const write = valueWriter(field.type, sets, operation);
    const writer: Write =
      resolve === undefined
        ? (source, context) => write(propertyOf(source, name), context)
        : (source, context) => write(resolve(source, args, context, NO_INFO), context);
    if (isPlain) plainFields.set(field, writer);
    return writer;
  };

  const valueWriter = (type: GraphQLOutputType, sets: readonly SelectionSetNode[], operation: Operation): Write => {
    if (isNonNullType(type)) {
      const write = presentWriter(type.ofType, sets, operation);
      return (value, context) => {
        if (value == null) throw new TypeError("null where there is to be none");
        return write(value, context);
      };
    }
    const write = presentWriter(type, sets, operation);
    return (value, context) => (value == null ? "null" : write(value, context));
  };

  const presentWriter = (
    type: GraphQLLeafType | CompoundType,
    sets: readonly SelectionSetNode[],
    operation: Operation,
  ): Write => {
    if (isLeafType(type)) return leafWriter(type);
    const write = compoundWriter(type, sets, operation);
    return (value, context) => write(plain(value), context);
  };

  const compoundWriter = (type: CompoundType, sets: readonly SelectionSetNode[], operation: Operation): Write => {
    if (isListType(type)) return listWriter(valueWriter(type.ofType, sets, operation));
    return isAbstractType(type) ? abstractWriter(type, sets, operation) : objectWriter(type, sets, operation);
  };

  const abstractWriter = (
    type: GraphQLAbstractType,
    sets: readonly SelectionSetNode[],
    operation: Operation,
  ): Write => {
    const { resolveType } = type;
    if (resolveType == null) throw new TypeError(`${type.name} cannot tell its objects apart`);
    const writers = new Map<unknown, Write>();
    return (value, context) => {
      const name = resolveType(value, context, NO_INFO, type);
      let write = writers.get(name);
      if (write === undefined) {
        const object = typeof name === "string" ? schema.getType(name) : undefined;
        if (!isObjectType(object) || !schema.isSubType(type, object)) throw new TypeError(`no such ${type.name}`);
        write = objectWriter(object, sets, operation);
        writers.set(name, write);
      }
      return write(value, context);
    };
  };

  return (selection) => {
    let write: Write | undefined;
    return (entry) => {
      try {
        write ??= objectWriter(...rootOf(schema, selection));
        return write(entry, selection.context);
      } catch {
        return null;
      }
    };
  };
}

function rootOf(
  schema: GraphQLSchema,
  { document, operationName, variableValues }: Selection,
): [GraphQLObjectType, readonly SelectionSetNode[], Operation] {
  const type = schema.getSubscriptionType();
  const operation = getOperationAST(document, operationName);
  const { coerced, errors } = getVariableValues(schema, operation?.variableDefinitions ?? [], variableValues);
  if (type == null || operation == null || coerced === undefined) throw errors?.[0] ?? new TypeError("no subscription");
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return [
    type,
    [operation.selectionSet],
    { schema, fragments: new Map(fragments.map((node) => [node.name.value, node])), variableValues: coerced },
  ];
}

function leafWriter(type: GraphQLLeafType): Write {
  return (value) => {
    const serialized: unknown = type.serialize(plain(value));
    // Of what JSON has no text for, there is none: undefined, a function.
    const text: string | undefined = JSON.stringify(plain(serialized));
    if (serialized == null || text === undefined) throw new TypeError(`${type.name} cannot show it`);
    return text;
  };
}

function listWriter(write: Write): Write {
  return (value, context) => {
    if (!isIterable(value)) throw new TypeError("a list is to be iterable");
    let written = "";
    for (const item of value) written += `${written === "" ? "" : ","}${write(item, context)}`;
    return `[${written}]`;
  };
}

/** What graphql-js' default resolver gives, where it is no method. */
function propertyOf(source: unknown, name: string): unknown {
  const value = typeof source === "object" ? (source as Record<string, unknown> | null)?.[name] : undefined;
  if (typeof source === "function" || typeof value === "function") throw new TypeError("a method is to be called");
  return value;
}

/** The same value, where it is no error and need not be waited for. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "function") return value;
  if (value instanceof Error) throw value;
  if (typeof (value as { then?: unknown } | null)?.then === "function") throw new TypeError("a promise is to settle");
  return value;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === "object" && typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === "function"
  );
}
