import {
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  getArgumentValues,
  getNamedType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from "graphql";
import type { EventContext } from "./context.ts";
import { isIterable, plain, propertyOf } from "./plain-value.ts";
import { type FieldNodes, type Operation, selectedFields } from "./selected-fields.ts";
import type { SharedTexts } from "./shared-texts.ts";

/** What the values of one entry are written with. */
export interface Surroundings {
  readonly context: EventContext;
  /** null where nothing is shared. */
  readonly texts: SharedTexts | null;
}

type Field = GraphQLField<unknown, unknown>;
type Sets = readonly SelectionSetNode[];

/** A selection's operation, and what the operations of its schema have in common. */
export interface WrittenOperation extends Operation {
  readonly plainFields: Map<Field, PlainField>;
}

/** A field without arguments and selections: it is written alike in every operation. */
interface PlainField {
  readonly text: FieldText;
  /** By what stands before it, as long as its name alone decides that. */
  readonly pieces: Map<string, Piece>;
}

/** A field of an object, with what stands before its value: all that there is between it and the field before. */
interface Piece {
  readonly before: string;
  readonly field: FieldText;
}

/**
 * What a resolver is told of the execution around it: nothing, for there is none. One that asks has its operation
 * executed by graphql-js.
 */
const NO_INFO = new Proxy({} as GraphQLResolveInfo, {
  get() {
    throw new TypeError("a resolver asks for the execution's info");
  },
});

/** How the values of one place in a result are written as JSON. Throws what graphql-js is to look at. */
abstract class ValueText {
  readonly #isRequired: boolean;

  constructor(isRequired: boolean) {
    this.#isRequired = isRequired;
  }

  of(value: unknown, surroundings: Surroundings): string {
    if (value != null) return this.ofPresent(plain(value), surroundings);
    if (this.#isRequired) throw new TypeError("null where there is to be none");
    return "null";
  }

  protected abstract ofPresent(value: unknown, surroundings: Surroundings): string;
}

class LeafText extends ValueText {
  readonly #type: GraphQLLeafType;

  constructor(type: GraphQLLeafType, isRequired: boolean) {
    super(isRequired);
    this.#type = type;
  }

  protected ofPresent(value: unknown): string {
    const serialized: unknown = this.#type.serialize(value);
    // Of what JSON has no text for, there is none: undefined, a function.
    const text: string | undefined = JSON.stringify(plain(serialized));
    if (serialized == null || text === undefined) throw new TypeError(`${this.#type.name} cannot show it`);
    return text;
  }
}

class ListText extends ValueText {
  readonly #item: ValueText;

  constructor(item: ValueText, isRequired: boolean) {
    super(isRequired);
    this.#item = item;
  }

  protected ofPresent(value: unknown, surroundings: Surroundings): string {
    if (!isIterable(value)) throw new TypeError("a list is to be iterable");
    let text = "";
    for (const item of value) text += `${text === "" ? "" : ","}${this.#item.of(item, surroundings)}`;
    return `[${text}]`;
  }
}

class AbstractText extends ValueText {
  readonly #type: GraphQLAbstractType;
  readonly #sets: Sets;
  readonly #operation: WrittenOperation;
  readonly #objects = new Map<unknown, ObjectText>();

  constructor(type: GraphQLAbstractType, isRequired: boolean, sets: Sets, operation: WrittenOperation) {
    super(isRequired);
    this.#type = type;
    this.#sets = sets;
    this.#operation = operation;
  }

  protected ofPresent(value: unknown, surroundings: Surroundings): string {
    const type = this.#type;
    const name = type.resolveType?.(value, surroundings.context, NO_INFO, type);
    return (this.#objects.get(name) ?? this.#object(name)).of(value, surroundings);
  }

  #object(name: unknown): ObjectText {
    const { schema } = this.#operation;
    const type = typeof name === "string" ? schema.getType(name) : undefined;
    if (!isObjectType(type) || !schema.isSubType(this.#type, type)) throw new TypeError(`no such ${this.#type.name}`);
    const object = new ObjectText(type, true, this.#sets, this.#operation);
    this.#objects.set(name, object);
    return object;
  }
}

/** Finds out at its first object what is selected of it. */
export class ObjectText extends ValueText {
  readonly #type: GraphQLObjectType;
  readonly #sets: Sets;
  readonly #operation: WrittenOperation;
  #pieces: readonly Piece[] | null = null;
  #end = "}";

  constructor(type: GraphQLObjectType, isRequired: boolean, sets: Sets, operation: WrittenOperation) {
    super(isRequired);
    this.#type = type;
    this.#sets = sets;
    this.#operation = operation;
  }

  protected ofPresent(value: unknown, surroundings: Surroundings): string {
    const pieces = this.#pieces ?? this.#find();
    const texts = surroundings.texts?.of(value);
    let text = "";
    for (const { before, field } of pieces) {
      text += before;
      if (texts === undefined || field.number === null) text += field.of(value, surroundings);
      else text += texts[field.number] ??= field.of(value, surroundings);
    }
    return text + this.#end;
  }

  #find(): readonly Piece[] {
    const type = this.#type;
    if (type.isTypeOf != null) throw new TypeError(`${type.name} is to be asked for its type`);
    const pieces: Piece[] = [];
    let begun = "{";
    for (const [key, nodes] of selectedFields(type, this.#sets, this.#operation)) {
      const name = nodes[0].name.value;
      const field = type.getFields()[name];
      if (name === TypeNameMetaFieldDef.name) {
        begun += `"${key}":"${type.name}",`;
      } else {
        if (field === undefined) throw new TypeError(`${type.name} has no field ${name}`);
        pieces.push(pieceOf(field, begun, key, nodes, this.#operation));
        begun = ",";
      }
    }
    // Without the comma behind the last one.
    this.#end = `${begun.replace(/,$/, "")}}`;
    this.#pieces = pieces;
    return pieces;
  }
}

class FieldText {
  /** By which a plain field is known among all of the schema. */
  readonly number: number | null;
  readonly #field: Field;
  readonly #args: Record<string, unknown>;
  readonly #value: ValueText;

  constructor(field: Field, nodes: FieldNodes, operation: WrittenOperation, number: number | null) {
    this.number = number;
    this.#field = field;
    this.#args = getArgumentValues(field, nodes[0], operation.variableValues);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    this.#value = valueText(field.type, sets, operation);
  }

  of(source: unknown, surroundings: Surroundings): string {
    const { resolve, name } = this.#field;
    const value =
      resolve === undefined ? propertyOf(source, name) : resolve(source, this.#args, surroundings.context, NO_INFO);
    return this.#value.of(value, surroundings);
  }
}

/** @param begun what there is of the object since the last piece, the comma included */
function pieceOf(field: Field, begun: string, key: string, nodes: FieldNodes, operation: WrittenOperation): Piece {
  // Joined, it is one string and no chain of them.
  const before = [begun, '"', key, '":'].join("");
  if (field.args.length > 0 || !isLeafType(getNamedType(field.type))) {
    return { before, field: new FieldText(field, nodes, operation, null) };
  }
  const { plainFields } = operation;
  let plainField = plainFields.get(field);
  if (plainField === undefined) {
    plainField = { text: new FieldText(field, nodes, operation, plainFields.size), pieces: new Map() };
    plainFields.set(field, plainField);
  }
  const known = plainField.pieces.get(before);
  if (known !== undefined) return known;
  const piece = { before, field: plainField.text };
  // Of the names that a client may give it there is no end.
  if (key === field.name && begun.length === 1) plainField.pieces.set(before, piece);
  return piece;
}

function valueText(type: GraphQLOutputType, sets: Sets, operation: WrittenOperation): ValueText {
  const isRequired = isNonNullType(type);
  const present = isRequired ? type.ofType : type;
  if (isLeafType(present)) return new LeafText(present, isRequired);
  if (isListType(present)) return new ListText(valueText(present.ofType, sets, operation), isRequired);
  if (isAbstractType(present)) return new AbstractText(present, isRequired, sets, operation);
  return new ObjectText(present, isRequired, sets, operation);
}
