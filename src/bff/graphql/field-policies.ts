import { isInterfaceType, isNonNullType, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { Type } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import type { PolicySet } from '../../policies/registry.ts';
import type { Stage, StageFactory } from '../../policies/stage.ts';
import { Problem } from '../../problems/problem.ts';
import type { Route } from '../../routing/route.ts';
import {
  declaredFields,
  declaredTypes,
  type DeclaredField,
  type FieldPolicySet,
} from './declared-policies.ts';
import { guardField } from './field-guard.ts';
import { FieldRequirements, type Requirement } from './field-requirements.ts';
import { MASK_EXTENSION, type MaskOptions } from './mask.decorator.ts';
import type { OperationContext } from './operation-context.ts';

type Field = GraphQLField<unknown, OperationContext>;

/** What is known about a field beyond its type. */
export interface FieldPolicy {
  readonly requirements: readonly Requirement[];
  /** `off`: an answer with this field is never kept. */
  readonly cache: NonNullable<PolicySet['cache']> | 'off' | undefined;
}

/** What an operation needs to be checked against, and for how long its answer is good. */
export const NO_REQUIREMENTS: ReadonlySet<Requirement> = new Set();

/**
 * The policies of the fields of a schema. The decision who may see what is taken once per request and requirement,
 * before anything runs, with the stages that routes use.
 */
export class FieldPolicies {
  readonly #policies = new Map<Field, FieldPolicy>();
  readonly #types: ReadonlyMap<string, FieldPolicySet>;
  readonly #requirements: FieldRequirements;
  readonly #roots: ReadonlySet<string>;

  /** @throws {Error} naming the place of a policy that cannot work. */
  constructor(
    schema: GraphQLSchema,
    resolvers: readonly Type[],
    route: Route,
    factories: readonly StageFactory[],
  ) {
    this.#requirements = new FieldRequirements(route, factories);
    this.#roots = rootsOf(schema);
    this.#types = declaredTypes(schema);
    const declared = declaredFields(resolvers, schema);
    for (const one of declared) if (Object.keys(one.policies).length > 0) mustExist(schema, one);
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        const said = declared.filter((one) => one.type === type.name && one.field === field.name);
        this.#add(
          type.name,
          field as Field,
          said.map(({ policies }) => policies),
        );
      }
    }
  }

  /** What is known about a field. */
  of(field: GraphQLField<unknown, unknown>): FieldPolicy | undefined {
    return this.#policies.get(field as Field);
  }

  /** How long objects of a type are good, when the type says so. */
  cacheOf(typeName: string): NonNullable<PolicySet['cache']> | undefined {
    const cache = this.#types.get(typeName)?.cache;
    return cache === 'off' ? undefined : cache;
  }

  #add(typeName: string, field: Field, said: readonly FieldPolicySet[]): void {
    const origin = `${typeName}.${field.name}`;
    const requirements = this.#required(origin, [this.#types.get(typeName) ?? {}, ...said]);
    const mask = field.extensions[MASK_EXTENSION] as MaskOptions | undefined;
    if (mask !== undefined) {
      if ((mask.with ?? null) === null && isNonNullType(field.type))
        throw new Error(`${origin}: @Mask needs a nullable field, or \`with\`: what the others see`);
      requirements.push(this.#requirements.authorized(origin, mask.unless, true));
    }
    const cache = said.map((one) => one.cache).find((one) => one !== undefined);
    const limit = this.#limited(typeName, origin, said);
    if (requirements.length === 0 && cache === undefined && limit === undefined) return;
    this.#policies.set(field, { requirements, cache });
    if (requirements.length > 0 || limit !== undefined)
      guardField(field, { requirements, limit, masked: mask?.with ?? null });
  }

  // All of them hold: a resolver cannot open what the type of its field has closed.
  #required(origin: string, said: readonly FieldPolicySet[]): Requirement[] {
    return said.flatMap(({ authentication, authorization }) => [
      ...(isOn(authentication) ? [this.#requirements.identified(origin, authentication)] : []),
      ...(isOn(authorization) ? [this.#requirements.authorized(origin, authorization, false)] : []),
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
 * @throws whatever a stage throws but `permission-denied`: what could not be checked is not granted.
 */
export function grant(
  requirements: readonly Requirement[],
  exchange: Exchange,
): ReadonlySet<Requirement> | Promise<ReadonlySet<Requirement>> {
  if (requirements.length === 0) return NO_REQUIREMENTS;
  const granted = new Set<Requirement>();
  const pending: Promise<void>[] = [];
  for (const requirement of requirements) {
    try {
      const entering = requirement.stage.enter?.(exchange);
      if (entering === undefined) granted.add(requirement);
      else pending.push(entering.then(() => void granted.add(requirement), rethrowUnlessDenied));
    } catch (error) {
      rethrowUnlessDenied(error);
    }
  }
  return pending.length === 0 ? granted : Promise.all(pending).then(() => granted);
}

// Fails closed: a policy that guards nothing would be believed to guard something.
function mustExist(schema: GraphQLSchema, { type, field, origin }: DeclaredField): void {
  const found = schema.getType(type);
  if (isObjectType(found) && found.getFields()[field] !== undefined) return;
  if (isInterfaceType(found)) {
    throw new Error(`${origin}: policies belong to the types that implement ${type}, not to the interface`);
  }
  throw new Error(`${origin}: has a policy, but the schema has no field ${type}.${field}`);
}

function rethrowUnlessDenied(error: unknown): void {
  if (!(error instanceof Problem && error.code === 'permission-denied')) throw error;
}

function isOn<Options>(said: Options | 'off' | undefined): said is Exclude<Options, 'off'> {
  return said !== undefined && said !== 'off';
}

function rootsOf(schema: GraphQLSchema): ReadonlySet<string> {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return new Set(roots.flatMap((type) => (type ? [type.name] : [])));
}
