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
import { MASK_EXTENSION, type MaskOptions } from './mask.decorator.ts';
import type { OperationContext } from './operation-context.ts';

type Field = GraphQLField<unknown, OperationContext>;
type Authorization = NonNullable<PolicySet['authorization']>;

/** Something that a caller has to have to see some fields. Compared by identity. */
export interface Requirement {
  /** The same authorize stage that guards routes. */
  readonly stage: Stage;
  /** Whether those who lack it see a mask instead of an error. */
  readonly masks: boolean;
}

/** What is known about a field beyond its type. */
export interface FieldPolicy {
  readonly requirements: readonly Requirement[];
  readonly cache: NonNullable<PolicySet['cache']> | undefined;
}

/** What an operation needs to be checked against, and for how long its answer is good. */
export const NO_REQUIREMENTS: ReadonlySet<Requirement> = new Set();

/**
 * The policies of the fields of a schema. A guarded field resolves only when its requirements were granted
 * to the operation: what was not decided is refused (fail closed). The decision itself is taken once per
 * request and requirement, before anything runs, with the authorize stage that routes use.
 */
export class FieldPolicies {
  readonly #policies = new Map<Field, FieldPolicy>();
  readonly #types: ReadonlyMap<string, FieldPolicySet>;
  readonly #requirements = new Map<string, Requirement>();
  readonly #route: Route;
  readonly #authorize: StageFactory | undefined;

  /** @throws {Error} naming the place of a policy that cannot work. */
  constructor(
    schema: GraphQLSchema,
    resolvers: readonly Type[],
    route: Route,
    factories: readonly StageFactory[],
  ) {
    this.#route = route;
    this.#authorize = factories.find(({ name }) => name === 'authorize');
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
    const ofType = this.#types.get(typeName)?.authorization;
    const wanted = [ofType, ...said.map(({ authorization }) => authorization)];
    // All of them hold: a resolver cannot open what the type of its field has closed.
    const requirements = wanted.flatMap((one) =>
      one === undefined || one === 'off' ? [] : [this.#requirement(origin, one, false)],
    );
    const mask = field.extensions[MASK_EXTENSION] as (MaskOptions & { unless: Authorization }) | undefined;
    if (mask !== undefined) {
      if ((mask.with ?? null) === null && isNonNullType(field.type))
        throw new Error(`${origin}: @Mask needs a nullable field, or \`with\`: what the others see`);
      requirements.push(this.#requirement(origin, mask.unless, true));
    }
    const cache = said.map((one) => one.cache).find((one) => one !== undefined);
    if (requirements.length === 0 && cache === undefined) return;
    this.#policies.set(field, { requirements, cache: cache === 'off' ? undefined : cache });
    if (requirements.length > 0) guard(field, requirements, mask?.with ?? null);
  }

  #requirement(origin: string, authorization: Authorization, masks: boolean): Requirement {
    const key = `${masks} ${JSON.stringify(authorization)}`;
    const known = this.#requirements.get(key);
    if (known !== undefined) return known;
    const stage = this.#compile(origin, authorization);
    const requirement = { stage, masks };
    this.#requirements.set(key, requirement);
    return requirement;
  }

  #compile(origin: string, authorization: Authorization): Stage {
    try {
      const stage = this.#authorize?.compile({
        routeId: this.#route.id,
        door: 'handler',
        policies: { ...this.#route.policies, authorization },
      });
      if (stage !== undefined) return stage;
    } catch (error) {
      throw new Error(`${origin}: ${(error as Error).message}`, { cause: error });
    }
    throw new Error(`${origin}: there is no authorize stage that could check who may see the field`);
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

function guard(field: Field, requirements: readonly Requirement[], masked: unknown): void {
  const { name, resolve, subscribe } = field;
  const refused = ({ granted }: OperationContext): Requirement | undefined =>
    requirements.find((requirement) => !granted.has(requirement));
  field.resolve = (source, args, context, info) => {
    const missing = refused(context);
    if (missing !== undefined) {
      if (missing.masks) return masked;
      throw new Problem('permission-denied');
    }
    if (resolve !== undefined) return resolve(source, args, context, info);
    return (source as Record<string, unknown> | null | undefined)?.[name];
  };
  if (subscribe === undefined) return;
  field.subscribe = (source, args, context, info) => {
    if (refused(context) !== undefined) throw new Problem('permission-denied');
    return subscribe(source, args, context, info);
  };
}
