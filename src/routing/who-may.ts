import type { Principal } from '../exchange/principal.ts';
import { NO_ROLES } from '../exchange/role-book.ts';
import type { Judgement } from '../policies/explained-stage.ts';
import { isMetBy, sayRequirement } from '../policies/authentication/requirement.ts';
import type { Route } from './route.ts';

/** Whether a caller may call a route, whatever it asks for there; several where that is decided by path and method. */
export function judge(route: Route, principal: Principal | undefined): readonly Judgement[] {
  const { authentication } = route.policies;
  // On a public route nobody is asked who calls.
  if (authentication === undefined || authentication === 'public') return judgeKnown(route, undefined);
  const isKnown = principal !== undefined && isMetBy(authentication, principal);
  if (isKnown) return judgeKnown(route, principal);
  if (authentication.optional === true && principal === undefined) return judgeKnown(route, undefined);
  const why = principal === undefined ? 'nobody is known' : `takes ${sayRequirement(authentication)}`;
  return [{ may: 'no', why }];
}

/** The same, whatever credential it comes with. */
export function judgeKnown(route: Route, principal: Principal | undefined): readonly Judgement[] {
  const roles = route.roles ?? NO_ROLES;
  const judged = route.stages.flatMap((stage) => stage.judge?.(principal, roles) ?? []);
  const why = route.policies.authentication === 'public' ? 'public' : '';
  return judged.length > 0 ? judged : [{ may: 'yes', why }];
}

/** The roles that routes ask for, and those that have a meaning, in the order of the alphabet. */
export function rolesIn(routes: readonly Route[], defined: readonly string[]): readonly string[] {
  const found = new Set(defined);
  const add = (names: readonly string[] | undefined): void => names?.forEach((name) => found.add(name));
  for (const { policies } of routes)
    for (const one of [policies.authorization, ...(policies.authorization?.access ?? [])]) {
      add(one?.anyRole);
      add(one?.allRoles);
      add(one?.deny?.anyRole);
    }
  return [...found].sort();
}
