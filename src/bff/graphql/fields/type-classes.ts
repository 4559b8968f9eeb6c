import { TypeMetadataStorage } from '@nestjs/graphql';
import {
  isInterfaceType,
  isObjectType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { lineageOf, type Constructor } from '../../../policies/placements.ts';

/** Names of properties by the names of fields. */
export type Properties = ReadonlyMap<string, string>;

/** What Nest knows of a class that is a type. */
type Metadata = NonNullable<ReturnType<typeof TypeMetadataStorage.getObjectTypeMetadataByTarget>>;

/**
 * The classes of the object types and interfaces of a schema, with the names of the types. A name that two classes have
 * stands twice: which of them the schema shows is not known here, so what either says holds.
 */
export function typeClasses(schema: GraphQLSchema): readonly (readonly [name: string, Constructor])[] {
  const all = [
    ...TypeMetadataStorage.getObjectTypesMetadata(),
    ...TypeMetadataStorage.getInterfacesMetadata(),
  ];
  return all
    .filter(({ name, isAbstract }) => isAbstract !== true && schema.getType(name ?? ''))
    .map(({ name = '', target }) => [name, target as Constructor]);
}

/** All interfaces of a type, those that its interfaces implement included. */
export function interfacesOf(
  type: GraphQLObjectType | GraphQLInterfaceType,
): readonly GraphQLInterfaceType[] {
  const direct = type.getInterfaces();
  return [...new Set([...direct, ...direct.flatMap((one) => interfacesOf(one))])];
}

/**
 * The names of the properties that the fields of a type are, by the names of the fields: those of its class, of what
 * the class extends, and of the interfaces of the type.
 */
export function propertyNames(schema: GraphQLSchema, typeName: string, target: Constructor): Properties {
  const type = schema.getType(typeName);
  if (!isObjectType(type) && !isInterfaceType(type)) return new Map();
  const interfaces = new Set(interfacesOf(type).map(({ name }) => name));
  const inherited = typeClasses(schema).flatMap(([name, one]) =>
    interfaces.has(name) ? lineageOf(one) : [],
  );
  const known = new Map(
    [...inherited, ...lineageOf(target).toReversed()]
      .flatMap(propertiesOf)
      .map(({ schemaName, name }) => [schemaName, name]),
  );
  return new Map(Object.keys(type.getFields()).map((field) => [field, known.get(field) ?? field]));
}

/** Finds what decorators say about a property: on the class, else on the nearest that it extends or was made of. */
export function propertySaying(target: Constructor, property: string): (metadataKey: string) => unknown {
  const lineage = lineageOf(target);
  return (metadataKey) => {
    for (const one of lineage) {
      const said = saidBy(one, property, metadataKey);
      if (said !== undefined) return said;
    }
    return undefined;
  };
}

/** Whether a class is an object type or an interface, or the abstract base of some. */
export function isOutput(target: Constructor): boolean {
  return metadataOf(target) !== undefined;
}

function saidBy(one: Constructor, property: string, metadataKey: string): unknown {
  const prototype = one.prototype as object;
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, property)?.value;
  const own: unknown = Reflect.getOwnMetadata(metadataKey, prototype, property);
  if (own !== undefined) return own;
  if (typeof method === 'function') return Reflect.getMetadata(metadataKey, method);
  // What `PickType` and its like return has no decorators, but the extensions of the fields that it was made of.
  return propertiesOf(one).find(({ name }) => name === property)?.extensions?.[metadataKey];
}

function propertiesOf(target: Constructor): NonNullable<Metadata['properties']> {
  return metadataOf(target)?.properties ?? [];
}

function metadataOf(target: Constructor): Pick<Metadata, 'properties'> | undefined {
  const key = target as never;
  return (
    TypeMetadataStorage.getObjectTypeMetadataByTarget(key) ??
    TypeMetadataStorage.getInterfaceMetadataByTarget(key)
  );
}
