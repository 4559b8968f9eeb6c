import type { Principal } from '../exchange/principal.ts';
import { NO_ROLES } from '../exchange/role-book.ts';
import type { Judgement } from '../policies/explained-stage.ts';
import type { Route } from './route.ts';

/** Whether a caller may call a route, whatever it asks for there; several where that is decided by path and method. */
export function judge(route: Route, principal: Principal | undefined): readonly Judgement[] {
  const { authentication } = route.policies;
  const isPublic = authentication === undefined || authentication === 'public';
  if (!isPublic && principal === undefined) return [{ may: 'no', why: 'nobody is known' }];
  // On a public route nobody is asked who calls.
  const known = isPublic ? undefined : principal;
  if (
    !isPublic &&
    known !== undefined &&
    !(authentication.schemes as readonly string[]).includes(known.scheme)
  )
    return [{ may: 'no', why: `takes ${authentication.schemes.join(' or ')}` }];
  return judgeKnown(route, known);
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
