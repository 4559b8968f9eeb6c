import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import type { Stage, StageFactory, StageInput } from '../stage.ts';
import type { authorizationPolicy } from './authorization.policy.ts';

type AuthorizationOptions = z.output<(typeof authorizationPolicy)['schema']>;

/** One thing that a principal needs to have, and its name for the access line. */
interface Condition {
  readonly by: string;
  readonly holds: (principal: Principal) => boolean;
}

/** Compiles the authorize stage of routes that ask for roles or permissions. */
@Injectable()
export class AuthorizationStageFactory implements StageFactory {
  readonly name = 'authorize';

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

/** Lets pass who meets every condition. Who does not is not told which one it was; the access line is. */
class AuthorizeStage implements Stage {
  readonly name = 'authorize';
  readonly #conditions: readonly Condition[];

  constructor(conditions: readonly Condition[]) {
    this.#conditions = conditions;
  }

  enter(exchange: Exchange): void {
    const principal = exchange.principal;
    // Fails closed: nobody is nobody with permissions.
    if (principal === undefined) throw new Problem('permission-denied', { by: 'no principal' });
    for (const { holds, by } of this.#conditions) {
      if (!holds(principal)) throw new Problem('permission-denied', { by });
    }
  }
}

function conditionsOf(options: AuthorizationOptions): readonly Condition[] {
  const { anyRole, allRoles, anyPermission, allPermissions } = options;
  const conditions: Condition[] = [];
  const add = (kind: string, names: readonly string[], holds: Condition['holds']): void =>
    void conditions.push({ by: `${kind}(${names.join(',')})`, holds });
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
    );
  }
  if (allPermissions !== undefined) {
    const wanted = [...new Set(allPermissions)];
    add('allPermissions', allPermissions, ({ permissions, scopes }) =>
      wanted.every((name) => permissions.includes(name) || scopes.includes(name)),
    );
  }
  return conditions;
}

function hasAny(held: readonly string[], wanted: ReadonlySet<string>): boolean {
  for (const name of held) if (wanted.has(name)) return true;
  return false;
}
