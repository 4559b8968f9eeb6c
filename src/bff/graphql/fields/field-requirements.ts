import { refusalOfNobody } from '../../../exchange/challenge.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import {
  alternativesOf,
  isMetBy,
  sayRequirement,
  type AskedFor,
} from '../../../policies/authentication/requirement.ts';
import { authorizationPolicy } from '../../../policies/authorization/authorization.policy.ts';
import type { PolicySet } from '../../../policies/order.ts';
import { stepOf } from '../../../policies/policy-facts.ts';
import type { Policy } from '../../../policies/policy.ts';
import { rateLimitPolicy } from '../../../policies/rate-limit/rate-limit.policy.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import type { Stage } from '../../../policies/stage.ts';
import { Problem } from '../../../problems/problem.ts';
import type { Route } from '../../../routing/route.ts';
import type { DeclaredMask } from './mask.decorator.ts';

/** Something that a caller has to have to see some fields. Compared by identity. */
export interface Requirement {
  /** Passes who has it: the authorize stage that guards routes, or a look at the scheme. */
  readonly stage: Stage;
  /** Whether those who lack it see a mask instead of an error. */
  readonly masks: boolean;
  /** The first field that asks for it, for the access line. */
  readonly by: string;
  /** The mask. */
  readonly mask: unknown;
}

type Authorization = NonNullable<PolicySet['authorization']>;
type Authentication = NonNullable<PolicySet['authentication']>;
type RateLimit = NonNullable<PolicySet['rateLimit']>;

/** The names of the arguments of a field; `any` for what is asked of several fields. */
export type FieldArguments = readonly string[] | 'any';

// Only then does it make a difference which field it is.
function argumentsOf(authorization: Authorization, args: FieldArguments): FieldArguments | undefined {
  return JSON.stringify(authorization).includes('args') ? args : undefined;
}

const NO_MASK = { masks: false, mask: undefined };

/** Compiles the policies of fields with the stages that routes use; equal requirements are one. */
export class FieldRequirements {
  readonly #known = new Map<string, Requirement>();
  readonly #checks: ((route: Route) => unknown)[] = [];
  readonly #route: Route;
  readonly #factories: readonly StageFactory[];

  constructor(route: Route, factories: readonly StageFactory[]) {
    this.#route = route;
    this.#factories = factories;
  }

  /** @throws {Error} naming the field, when nobody could check it. */
  authorized(origin: string, authorization: Authorization, args: FieldArguments): Requirement {
    const facts = { ...NO_MASK, by: origin };
    const key = JSON.stringify([authorization, argumentsOf(authorization, args)]);
    return this.#once(key, facts, () => this.#authorize(origin, authorization, args));
  }

  /** @throws {Error} naming the field, when nobody could check it. */
  masked(origin: string, { unless, with: mask = null }: DeclaredMask, args: FieldArguments): Requirement {
    const facts = { masks: true, mask, by: origin };
    const key = JSON.stringify([unless, mask, argumentsOf(unless, args)]);
    return this.#once(key, facts, () => this.#authorize(origin, unless, args));
  }

  /**
   * A field can ask for some of the credentials that the door takes. The door has found out who calls; a field
   * only looks at how.
   *
   * @throws {Error} naming the field, when the door would never let such a caller pass.
   */
  identified(origin: string, authentication: Authentication): Requirement {
    if (authentication === 'public')
      throw new Error(`${origin}: a field cannot be public; \`graphql.policies\` say who may pass the door`);
    const check = (route: Route): void => mustTake(origin, authentication, route);
    check(this.#route);
    this.#checks.push(check);
    const key = `schemes ${JSON.stringify(authentication)}`;
    return this.#once(key, { ...NO_MASK, by: origin }, () => schemeStage(authentication));
  }

  /** The buckets of one field. Each run of the field takes from them: aliases do not get around the limit. */
  limited(origin: string, rateLimit: RateLimit): Stage {
    return this.#compile(origin, rateLimitPolicy, `${this.#route.id}.${origin}`, { rateLimit });
  }

  #once(key: string, facts: Omit<Requirement, 'stage'>, compile: () => Stage): Requirement {
    const known = this.#known.get(key) ?? { ...facts, stage: compile() };
    this.#known.set(key, known);
    return known;
  }

  /** What speaks against a door, whose policies a reload has changed. */
  faultsOf(route: Route): readonly string[] {
    return this.#checks.flatMap((check) => {
      try {
        check(route);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
  }

  #authorize(origin: string, authorization: Authorization, args: FieldArguments): Stage {
    const compile = ({ id, policies }: Route): Stage =>
      this.#compile(origin, authorizationPolicy, id, { ...policies, authorization }, args);
    this.#checks.push(compile);
    return compile(this.#route);
  }

  #compile(
    origin: string,
    policy: Policy,
    routeId: string,
    policies: PolicySet,
    args?: FieldArguments,
  ): Stage {
    const factory = this.#factories.find((one) => one.policy.name === policy.name);
    let stage: Stage | undefined;
    try {
      stage = factory?.compile({ routeId, door: 'handler', policies, repeats: true, fieldArguments: args });
    } catch (error) {
      throw new Error(`${origin}: ${(error as Error).message}`, { cause: error });
    }
    // Fails closed: a policy that nobody enforces would be believed to be enforced.
    if (stage === undefined)
      throw new Error(`${origin}: there is no ${stepOf(policy)} stage that could check the field`);
    return stage;
  }
}

function mustTake(origin: string, field: AskedFor, { policies }: Route): void {
  const { authentication: door } = policies;
  const isAsking = door !== undefined && door !== 'public';
  if (field.optional === true) throw new Error(`${origin}: \`optional\` is for the door; leave it out here`);
  if (isAsking && canMeet(door, field)) return;
  const taken = isAsking ? `takes only ${sayRequirement(door)}` : 'looks at no credentials';
  throw new Error(`${origin}: asks for ${sayRequirement(field)}, but the GraphQL door ${taken}`);
}

/** Whether somebody whom a door lets in has what is asked for. */
function canMeet(door: AskedFor, field: AskedFor): boolean {
  return alternativesOf(field).some((needed) =>
    alternativesOf(door).some((held) => needed.every((scheme) => held.includes(scheme))),
  );
}

function schemeStage(field: AskedFor): Stage {
  return {
    enter(exchange: Exchange): void {
      const { principal } = exchange;
      if (principal === undefined) throw refusalOfNobody(exchange, 'no principal');
      if (!isMetBy(field, principal)) throw new Problem('permission-denied');
    },
  };
}
