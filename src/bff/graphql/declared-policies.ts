import type { Type } from '@nestjs/common';
import { TypeMetadataStorage } from '@nestjs/graphql';
import { isObjectType, type GraphQLSchema } from 'graphql';
import { policyRegistry, type PolicyName, type PolicySet } from '../../policies/registry.ts';
import { resolverFields } from './resolver-fields.ts';

/** The policies that mean something on a field; the others belong to the door as a whole. */
const ON_FIELDS: readonly PolicyName[] = ['authentication', 'authorization', 'rateLimit', 'cache'];

/** What decorators say about one field, and where. */
export interface DeclaredField {
  readonly type: string;
  readonly field: string;
  /** Where it was said, for messages. */
  readonly origin: string;
  readonly policies: FieldPolicySet;
}

/** Policies of a field; `off` switches those of its class off. */
export type FieldPolicySet = {
  readonly [Name in 'authentication' | 'authorization' | 'rateLimit' | 'cache']?: PolicySet[Name] | 'off';
};

/**
 * Lists what policy decorators say about the fields of a schema: on resolver classes and their methods, on
 * object types and their properties. A method replaces what its class says.
 *
 * @throws {Error} naming the place of a policy that has no effect there: nobody may rely on it in vain.
 */
export function declaredFields(resolvers: readonly Type[], schema: GraphQLSchema): readonly DeclaredField[] {
  return [...resolvers.flatMap(ofResolver), ...ofTypes(schema)];
}

/** What decorators say about all fields of an object type, by its name. */
export function declaredTypes(schema: GraphQLSchema): ReadonlyMap<string, FieldPolicySet> {
  const types = TypeMetadataStorage.getObjectTypesMetadata().filter(({ name }) => schema.getType(name));
  return new Map(types.map(({ name, target }) => [name, policiesOn(name, [target])]));
}

function ofResolver(resolver: Type): readonly DeclaredField[] {
  return resolverFields(resolver).map(({ type, field, origin, method }) => {
    return { type, field, origin, policies: policiesOn(origin, [method, resolver]) };
  });
}

// By the fields of the schema, because a type takes some of its fields from interfaces and base classes.
function ofTypes(schema: GraphQLSchema): readonly DeclaredField[] {
  return TypeMetadataStorage.getObjectTypesMetadata().flatMap(({ name, target, properties }) => {
    const type = schema.getType(name);
    const propertyOf = new Map((properties ?? []).map((one) => [one.schemaName, one.name]));
    return Object.keys(isObjectType(type) ? type.getFields() : {}).map((field) => {
      const property = propertyOf.get(field) ?? field;
      const origin = `${target.name}.${property}`;
      return {
        type: name,
        field,
        origin,
        policies: policiesOn(origin, [target.prototype as object], property),
      };
    });
  });
}

function policiesOn(origin: string, targets: readonly object[], property?: string): FieldPolicySet {
  const found: Record<string, unknown> = {};
  for (const { name, metadataKey } of Object.values(policyRegistry)) {
    const options: unknown = targets
      .map((target) =>
        property === undefined
          ? (Reflect.getMetadata(metadataKey, target) as unknown)
          : (Reflect.getMetadata(metadataKey, target, property) as unknown),
      )
      .find((one) => one !== undefined);
    if (options === undefined) continue;
    if (!ON_FIELDS.includes(name)) {
      throw new Error(
        `${origin}: the policy "${name}" has no effect on a part of a GraphQL schema; ` +
          'say it for the whole door under `graphql: { policies: … }`',
      );
    }
    found[name] = options;
  }
  return found;
}
