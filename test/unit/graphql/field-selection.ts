import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
} from "graphql";

/** A selection set with every field of `type`, and of every type that it may turn out to be. */
export function everyField(schema: GraphQLSchema, type: GraphQLNamedType): string {
  if (isAbstractType(type)) {
    const fragments = schema
      .getPossibleTypes(type)
      .map((object) => `... on ${object.name} ${everyField(schema, object)}`);
    return `{ __typename ${fragments.join(" ")} }`;
  }
  if (!isObjectType(type)) throw new TypeError(`${type.name} has no fields`);
  const fields = Object.values(type.getFields()).map((field) => {
    const fieldType = getNamedType(field.type);
    return isLeafType(fieldType) ? field.name : `${field.name} ${everyField(schema, fieldType)}`;
  });
  return `{ ${fields.join(" ")} }`;
}
