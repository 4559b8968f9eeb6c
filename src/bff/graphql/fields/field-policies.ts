import { isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { Type } from '@nestjs/common';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { PolicySet } from '../../../policies/order.ts';
import { enterSeat } from '../../../policies/seats.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import type { Stage } from '../../../policies/stage.ts';
import { Problem } from '../../../problems/problem.ts';
import type { Route } from '../../../routing/route.ts';
import {
  declaredFields,
  declaredTypes,
  type DeclaredField,
  type FieldPolicySet,
} from './declared-policies.ts';
import { guardField } from './field-guard.ts';
import { FieldRequirements, type FieldArguments, type Requirement } from './field-requirements.ts';
import { mustFit } from './mask-type.ts';
import type { OperationContext } from '../execution/operation-context.ts';
import { uselessPlaces } from './policy-places.ts';
import { possibleTypes } from './repeated-types.ts';
import { interfacesOf, propertyNames, typeClasses } from './type-classes.ts';

type Field = GraphQLField<unknown, OperationContext>;

/** What is known about a field beyond its type. */
export interface FieldPolicy {
  readonly requirements: readonly Requirement[];
  /** `off`: an answer with this field is never kept. */
  readonly cache: NonNullable<PolicySet['cache']> | 'off' | undefined;
}

/** What the policies of fields are made of. */
export interface FieldPolicyDeps {
  readonly schema: GraphQLSchema;
  readonly resolvers: readonly Type[];
  /** The route of the GraphQL door. */
  readonly route: Route;
  readonly factories: readonly StageFactory[];
}

/**
 * The policies of the fields of a schema. The decision who may see what is taken once per request and requirement,
 * before anything runs, with the stages that routes use.
 */
export class FieldPolicies {
  readonly #policies = new Map<Field, FieldPolicy>();
  readonly #types: ReadonlyMap<string, readonly FieldPolicySet[]>;
  readonly #requirements: FieldRequirements;
  readonly #roots: ReadonlySet<string>;
  readonly #schema: GraphQLSchema;
  readonly #classes: ReturnType<typeof typeClasses>;

  /** @param faults takes a message for each policy that cannot work, naming its place. */
  constructor({ schema, resolvers, route, factories }: FieldPolicyDeps, faults: Set<string>) {
    this.#requirements = new FieldRequirements(route, factories);
    this.#schema = schema;
    this.#roots = rootsOf(schema);
    this.#classes = typeClasses(schema);
    this.#types = declaredTypes(schema, faults);
    const declared = declaredFields(resolvers, schema, faults);
    for (const message of uselessPlaces(resolvers, schema)) faults.add(message);
    for (const one of declared) if (saysSomething(one)) attempt(faults, () => mustExist(schema, one));
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      const names = new Set([type.name, ...interfacesOf(type).map(({ name }) => name)]);
      for (const field of Object.values(type.getFields())) {
        const said = declared.filter((one) => names.has(one.type) && one.field === field.name);
        attempt(faults, () => this.#add(type.name, field as Field, said));
      }
    }
  }

  /** What of it cannot be checked behind another door than the one it was made for. */
  faultsOf(route: Route): readonly string[] {
    return this.#requirements.faultsOf(route);
  }

  /** What is known about a field. */
  of(field: GraphQLField<unknown, unknown>): FieldPolicy | undefined {
    return this.#policies.get(field as Field);
  }

  /** How long objects of a type are good, when the type says so. */
  cacheOf(typeName: string): FieldPolicy['cache'] {
    return this.#types.get(typeName)?.find(({ cache }) => cache !== undefined)?.cache;
  }

  /** What everything asks for that is of a type. */
  ofType(typeName: string): ReadonlySet<Requirement> {
    return new Set(this.#required(typeName, this.#types.get(typeName) ?? [], 'any'));
  }

  /** The names that data of a type can have a field under. */
  propertiesOf(typeName: string, field: string): readonly string[] {
    const names = this.#classes.flatMap(([name, target]) =>
      name === typeName ? [propertyNames(this.#schema, name, target).get(field) ?? field] : [],
    );
    return [...new Set([field, ...names])];
  }

  #add(typeName: string, field: Field, said: readonly DeclaredField[]): void {
    const origin = `${typeName}.${field.name}`;
    const policies = said.map((one) => one.policies);
    const args = field.args.map(({ name }) => name);
    const requirements = [
      ...this.#required(origin, this.#types.get(typeName) ?? [], 'any'),
      ...this.#required(origin, policies, args),
    ];
    for (const { mask } of said) {
      if (mask === undefined) continue;
      mustFit(origin, field, mask.with ?? null);
      requirements.push(this.#requirements.masked(origin, mask, args));
    }
    const cache = policies.map((one) => one.cache).find((one) => one !== undefined);
    const limit = this.#limited(typeName, origin, policies);
    if (requirements.length === 0 && cache === undefined && limit === undefined) return;
    this.#policies.set(field, { requirements: [...new Set(requirements)], cache });
    if (requirements.length > 0 || limit !== undefined) guardField(field, { requirements, limit });
  }

  // All of them hold: a resolver cannot open what the type of its field has closed.
  #required(origin: string, said: readonly FieldPolicySet[], args: FieldArguments): Requirement[] {
    return said.flatMap(({ authentication, authorization }) => [
      ...(isOn(authentication) ? [this.#requirements.identified(origin, authentication)] : []),
      ...(isOn(authorization) ? [this.#requirements.authorized(origin, authorization, args)] : []),
    ]);
  }

  #limited(typeName: string, origin: string, said: readonly FieldPolicySet[]): Stage | undefined {
    const limit = said.map((one) => one.rateLimit).find((one) => one !== undefined);
    if (!isOn(limit)) return undefined;
    if (this.#roots.has(typeName)) return this.#requirements.limited(origin, limit);
    throw new Error(
      `${origin}: @RateLimit belongs to queries, mutations and subscriptions, not to their parts`,
    );
  }
}

/**
 * Finds out which requirements a caller meets. Synchronous while the stages are.
 *
 * @throws whatever a stage throws but `permission-denied`: what could not be checked is not granted. A mask is shown then.
 */
export function grant(
  requirements: readonly Requirement[],
  exchange: Exchange,
): ReadonlySet<Requirement> | Promise<ReadonlySet<Requirement>> {
  const granted = new Set<Requirement>();
  const pending: Promise<void>[] = [];
  for (const requirement of requirements) {
    // Decided where the field is resolved, each time: nobody knows its arguments before.
    if (requirement.stage.field !== undefined) {
      granted.add(requirement);
      continue;
    }
    try {
      const entering = enterSeat(requirement.stage, exchange);
      if (entering === undefined) granted.add(requirement);
      else
        pending.push(
          entering.then(
            () => void granted.add(requirement),
            (error: unknown) => refuse(requirement, error),
          ),
        );
    } catch (error) {
      refuse(requirement, error);
    }
  }
  return pending.length === 0 ? granted : Promise.all(pending).then(() => granted);
}

// Fails closed: a policy that guards nothing would be believed to guard something.
function mustExist(schema: GraphQLSchema, { type, field, origin }: DeclaredField): void {
  const found = schema.getType(type);
  const types = found === undefined ? [] : possibleTypes(schema, found);
  if (types.some((one) => one.getFields()[field] !== undefined)) return;
  throw new Error(`${origin}: has a policy, but the schema has no field ${type}.${field}`);
}

function saysSomething({ policies, mask }: DeclaredField): boolean {
  return mask !== undefined || Object.keys(policies).length > 0;
}

function attempt(faults: Set<string>, act: () => void): void {
  try {
    act();
  } catch (error) {
    faults.add((error as Error).message);
  }
}

// Fails closed either way: a mask costs the value, anything else the whole.
function refuse({ masks }: Requirement, error: unknown): void {
  if (!masks && !(error instanceof Problem && error.code === 'permission-denied')) throw error;
}

function isOn<Options>(said: Options | 'off' | undefined): said is Exclude<Options, 'off'> {
  return said !== undefined && said !== 'off';
}

function rootsOf(schema: GraphQLSchema): ReadonlySet<string> {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return new Set(roots.flatMap((type) => (type ? [type.name] : [])));
}
