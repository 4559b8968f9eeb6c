import type { Type } from '@nestjs/common';
import { isObjectType, type GraphQLSchema } from 'graphql';
import { methodsNamed, type Constructor } from '../../../policies/placements.ts';
import { policyList, type PolicySet } from '../../../policies/order.ts';
import { interfacesOf, propertyNames, propertySaying, typeClasses } from './type-classes.ts';
import { MASK_METADATA, type DeclaredMask } from './mask.decorator.ts';
import { resolverFields } from './resolver-fields.ts';

/** What decorators say about one field, and where. */
export interface DeclaredField {
  /** The type that it is a field of: an object type, or an interface, and then all types that implement it. */
  readonly type: string;
  readonly field: string;
  /** Where it was said, for messages. */
  readonly origin: string;
  readonly policies: FieldPolicySet;
  readonly mask: DeclaredMask | undefined;
}

/** Policies of a field; `off` switches those of its class off. */
export type FieldPolicySet = {
  readonly [Name in 'authentication' | 'authorization' | 'rateLimit' | 'cache']?: PolicySet[Name] | 'off';
};

const PART_OF_SCHEMA = Object.freeze({ kind: 'field', methods: [] });

/** Finds what is said under a metadata key. */
type Saying = (metadataKey: string) => unknown;

/**
 * Lists what policy decorators say about the fields of a schema: on resolver classes and their methods, on
 * object types, interfaces and their properties. A method replaces what its class says, and a class what it inherits.
 *
 * @param faults takes each place of a policy that has no effect there: nobody may rely on it in vain.
 */
export function declaredFields(
  resolvers: readonly Type[],
  schema: GraphQLSchema,
  faults: Set<string>,
): readonly DeclaredField[] {
  return [...resolvers.flatMap((one) => ofResolver(one, faults)), ...ofTypes(schema, faults)];
}

/** What decorators say about all fields of an object type, by its name: on its class, and on its interfaces. */
export function declaredTypes(
  schema: GraphQLSchema,
  faults: Set<string>,
): ReadonlyMap<string, readonly FieldPolicySet[]> {
  const classes = typeClasses(schema);
  const said = (name: string): readonly FieldPolicySet[] =>
    classes.flatMap(([type, target]) => (type === name ? [onClass(name, target, faults)] : []));
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type));
  return new Map(
    types.map((type) => [
      type.name,
      [type.name, ...interfacesOf(type).map(({ name }) => name)].flatMap(said),
    ]),
  );
}

function onClass(name: string, target: Constructor, faults: Set<string>): FieldPolicySet {
  const policies = policiesOn(name, (key) => Reflect.getMetadata(key, target), faults);
  const onRoots = policyList.filter((one) => one.onFields === 'roots' && Object.hasOwn(policies, one.name));
  for (const one of onRoots)
    faults.add(
      `${name}: @${one.name.charAt(0).toUpperCase()}${one.name.slice(1)} belongs to queries, mutations and subscriptions, not to types`,
    );
  const rest = Object.entries(policies).filter(([policy]) => !onRoots.some((one) => one.name === policy));
  return Object.fromEntries(rest);
}

function ofResolver(resolver: Type, faults: Set<string>): readonly DeclaredField[] {
  return resolverFields(resolver).map(({ type, field, origin, name }) => {
    const targets = [...methodsNamed(resolver, name), resolver];
    const saying: Saying = (key) =>
      targets.map((target) => Reflect.getMetadata(key, target) as unknown).find((one) => one !== undefined);
    return declared({ type, field, origin }, saying, faults);
  });
}

// By the fields of the schema, because a type takes some of its fields from interfaces and base classes.
function ofTypes(schema: GraphQLSchema, faults: Set<string>): readonly DeclaredField[] {
  return typeClasses(schema).flatMap(([name, target]) => {
    return [...propertyNames(schema, name, target)].map(([field, property]) => {
      const origin = `${target.name}.${property}`;
      return declared({ type: name, field, origin }, propertySaying(target, property), faults);
    });
  });
}

function declared(
  place: Pick<DeclaredField, 'type' | 'field' | 'origin'>,
  saying: Saying,
  faults: Set<string>,
): DeclaredField {
  const mask = saying(MASK_METADATA) as DeclaredMask | undefined;
  return { ...place, policies: policiesOn(place.origin, saying, faults), mask };
}

function policiesOn(origin: string, saying: Saying, faults: Set<string>): FieldPolicySet {
  const found: Record<string, unknown> = {};
  for (const { name, metadataKey, onFields, idle } of policyList) {
    const options = saying(metadataKey);
    if (options === undefined) continue;
    const useless = options === 'off' ? undefined : idle?.(options as never, PART_OF_SCHEMA);
    if (useless !== undefined)
      faults.add(
        `${origin}: \`${[name, ...useless.key].join('.')}\` has no effect on a part of a GraphQL schema: ${useless.reason}`,
      );
    if (onFields !== undefined) found[name] = options;
    else
      faults.add(
        `${origin}: the policy "${name}" has no effect on a part of a GraphQL schema; ` +
          'say it for the whole door under `graphql: { policies: … }`',
      );
  }
  return found;
}
