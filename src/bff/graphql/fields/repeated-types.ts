import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  isObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/**
 * The object types whose fields can be resolved once per element of a list, each with the list as `Query.feed`: what
 * a list contains, and everything that can be reached from there.
 */
export function repeatedTypes(schema: GraphQLSchema): ReadonlyMap<string, string> {
  const repeated = new Map<string, string>();
  for (const type of objectTypes(schema)) {
    for (const field of Object.values(type.getFields()))
      if (isListType(getNullableType(field.type)))
        spread(schema, getNamedType(field.type), `${type.name}.${field.name}`, repeated);
  }
  return repeated;
}

/** The object types that are not part of introspection. */
function objectTypes(schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  ) as GraphQLObjectType[];
}

/** The object types that something of a type can be. */
export function possibleTypes(schema: GraphQLSchema, type: GraphQLNamedType): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}

function spread(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  list: string,
  repeated: Map<string, string>,
): void {
  for (const possible of possibleTypes(schema, type)) {
    if (repeated.has(possible.name)) continue;
    repeated.set(possible.name, list);
    for (const field of Object.values(possible.getFields()))
      spread(schema, getNamedType(field.type), list, repeated);
  }
}
