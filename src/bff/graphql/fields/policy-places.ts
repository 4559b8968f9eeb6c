import type { Type } from '@nestjs/common';
import { TypeMetadataStorage } from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';
import { placementsOn, type Constructor, type Placement } from '../../../policies/placements.ts';
import { MATCH } from '../../../routing/sources/match.decorator.ts';
import { MASK } from './mask.decorator.ts';
import { resolverFields } from './resolver-fields.ts';
import { isOutput, propertyNames, typeClasses, type Properties } from './type-classes.ts';

/**
 * Looks for policies at the places of a schema where nobody enforces them: what is no field, and what only comes in.
 *
 * @returns a message for each.
 */
export function uselessPlaces(resolvers: readonly Type[], schema: GraphQLSchema): readonly string[] {
  return [
    ...resolvers.flatMap(ofResolver),
    ...typeClasses(schema).flatMap(([name, target]) =>
      ofType(name, target, propertyNames(schema, name, target)),
    ),
    ...inputsOf(resolvers, schema).flatMap(ofInput),
  ];
}

function ofResolver(resolver: Type): readonly string[] {
  const fields = new Set(resolverFields(resolver).map(({ name }) => name));
  return placementsOn(resolver)
    .filter(
      ({ member, policy }) =>
        // Fails closed: operations have no hosts or header fields of their own, so that nothing would be asked for.
        policy === MATCH ||
        (member === undefined ? fields.size === 0 || policy === MASK : !fields.has(member)),
    )
    .map((one) => `${said(one)}; it belongs to queries, mutations, subscriptions and field resolvers`);
}

function ofType(name: string, target: Constructor, properties: Properties): readonly string[] {
  const fields = new Set(properties.values());
  return placementsOn(target)
    .filter(({ member, policy }) => (member === undefined ? policy === MASK : !fields.has(member)))
    .map((one) => `${said(one)}; it belongs to the fields of the type ${name}`);
}

function ofInput(target: Constructor): readonly string[] {
  return placementsOn(target)
    .filter(({ owner }) => !isOutput(owner))
    .map((one) => `${said(one)}, which only comes in; it belongs to the field that takes it`);
}

/** The classes of the inputs of a schema, and of the arguments of its fields. */
function inputsOf(resolvers: readonly Type[], schema: GraphQLSchema): readonly Constructor[] {
  const inputs = TypeMetadataStorage.getInputTypesMetadata()
    .filter(({ name, isAbstract }) => isAbstract !== true && schema.getType(name))
    .map(({ target }) => target as Constructor);
  const isOurs = ({ target }: { readonly target: unknown }): boolean =>
    resolvers.some((one) => one === target || one.prototype instanceof (target as Type));
  const methods = [
    ...TypeMetadataStorage.getQueriesMetadata(),
    ...TypeMetadataStorage.getMutationsMetadata(),
    ...TypeMetadataStorage.getSubscriptionsMetadata(),
  ].filter(isOurs);
  const fields = TypeMetadataStorage.getObjectTypesMetadata()
    .filter(({ name }) => schema.getType(name))
    .flatMap(({ properties }) => properties ?? []);
  const args = [...methods, ...fields].flatMap(({ methodArgs }) => methodArgs ?? []);
  const classes = args.flatMap((one) => (one.kind === 'args' ? [one.typeFn() as Constructor] : []));
  return [...new Set([...inputs, ...classes])].filter((one) => typeof one === 'function');
}

function said({ owner, member, policy }: Placement): string {
  const place = member === undefined ? owner.name : `${owner.name}.${member}`;
  return `${place}: the policy "${policy}" has no effect here`;
}
