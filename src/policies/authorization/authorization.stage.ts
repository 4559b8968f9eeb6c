import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { authorizationPolicy } from './authorization.policy.ts';

type AuthorizationOptions = z.output<(typeof authorizationPolicy)['schema']>;

/** One thing that a principal needs to have, and its name for the access line. */
interface Condition {
  readonly by: string;
  readonly holds: (principal: Principal) => boolean;
  /** The challenge for who comes with a bearer token that lacks it; undefined when another token could not help. */
  readonly challenge?: string | undefined;
}

/** Compiles the authorize stage of routes that ask for roles or permissions. */
@Injectable()
export class AuthorizationStageFactory implements StageFactory {
  readonly policy = authorizationPolicy;

  compile({ policies }: StageInput): Stage | undefined {
    if (policies.authorization === undefined) return undefined;
    if (policies.authentication === undefined || policies.authentication === 'public') {
      throw new Error(
        'authorization: needs to know who calls, but the route is public; remove one of the two',
      );
    }
    return new AuthorizeStage(conditionsOf(policies.authorization));
  }
}

/**
 * Lets pass who meets every condition. Who does not is not told which one it was, but for scopes to ask for; the access
 * line is.
 */
class AuthorizeStage implements Stage {
  readonly #conditions: readonly Condition[];

  constructor(conditions: readonly Condition[]) {
    this.#conditions = conditions;
  }

  enter(exchange: Exchange): void {
    const principal = exchange.principal;
    // Fails closed: nobody is nobody with permissions.
    if (principal === undefined) throw new Problem('permission-denied', { by: 'no principal' });
    for (const condition of this.#conditions)
      if (!condition.holds(principal)) throw denied(condition, principal);
  }

  explain(exchange: Exchange): StageVerdict {
    if (exchange.principal === undefined) return depends('it is up to who calls, and nobody is assumed');
    this.enter(exchange);
    return passes();
  }
}

function denied({ challenge, by }: Condition, { scheme }: Principal): Problem {
  const isBearer = scheme === 'jwt' || scheme === 'introspection';
  if (challenge === undefined || !isBearer) return new Problem('permission-denied', { by });
  return new Problem('permission-denied', { by, headers: { 'www-authenticate': challenge } });
}

/** What a scope may be made of (RFC 6749 section 3.3); other permissions can be no scope. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** The challenge of a token with too little scope (RFC 6750 section 3.1). */
function challengeFor(names: readonly string[]): string {
  const challenge = 'Bearer realm="gatehouse", error="insufficient_scope"';
  return names.every((name) => SCOPE.test(name)) ? `${challenge}, scope="${names.join(' ')}"` : challenge;
}

function conditionsOf(options: AuthorizationOptions): readonly Condition[] {
  const { anyRole, allRoles, anyPermission, allPermissions } = options;
  const conditions: Condition[] = [];
  const add = (kind: string, names: readonly string[], holds: Condition['holds'], challenge?: string): void =>
    void conditions.push({ by: `${kind}(${names.join(',')})`, holds, challenge });
  if (anyRole !== undefined) {
    const wanted = new Set(anyRole);
    add('anyRole', anyRole, ({ roles }) => hasAny(roles, wanted));
  }
  if (allRoles !== undefined) {
    const wanted = [...new Set(allRoles)];
    add('allRoles', allRoles, ({ roles }) => wanted.every((role) => roles.includes(role)));
  }
  if (anyPermission !== undefined) {
    const wanted = new Set(anyPermission);
    add(
      'anyPermission',
      anyPermission,
      ({ permissions, scopes }) => hasAny(permissions, wanted) || hasAny(scopes, wanted),
      // One is enough, and a list would ask for all of them.
      challengeFor(anyPermission.slice(0, 1)),
    );
  }
  if (allPermissions !== undefined) {
    const wanted = [...new Set(allPermissions)];
    add(
      'allPermissions',
      allPermissions,
      ({ permissions, scopes }) =>
        wanted.every((name) => permissions.includes(name) || scopes.includes(name)),
      challengeFor(wanted),
    );
  }
  return conditions;
}

function hasAny(held: readonly string[], wanted: ReadonlySet<string>): boolean {
  for (const name of held) if (wanted.has(name)) return true;
  return false;
}
