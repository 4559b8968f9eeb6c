import { alternativesOf, type AskedFor } from '../policies/authentication/requirement.ts';
import type { Route } from './route.ts';

/** What of a route says whom it lets in. */
type Guarded = Pick<Route, 'policies'>;

/**
 * Whether a route lets somebody in whom the other one refuses, as far as their policies tell: it is public, takes a
 * credential that the other does not, or asks the principal for something else or for nothing.
 */
export function admitsOthers(route: Guarded, than: Guarded): boolean {
  const [ours, theirs] = [route.policies, than.policies];
  if (theirs.authentication === undefined || theirs.authentication === 'public') return false;
  if (ours.authentication === undefined || ours.authentication === 'public') return true;
  if (opensTo(ours.authentication, theirs.authentication)) return true;
  // Two conditions on a principal cannot be compared in general: fails closed, they count as different people.
  return theirs.authorization !== undefined && !isSame(ours.authorization, theirs.authorization);
}

/** Whether some set of credentials opens the one and not the other. */
function opensTo(ours: AskedFor, theirs: AskedFor): boolean {
  if (ours.optional === true && theirs.optional !== true) return true;
  const asked = alternativesOf(theirs);
  return alternativesOf(ours).some(
    (held) => !asked.some((needed) => needed.every((scheme) => held.includes(scheme))),
  );
}

/** Whether some route lets in whom another one refuses. */
export function haveDifferentGuards(routes: readonly Guarded[]): boolean {
  const [first] = routes;
  return (
    first !== undefined && routes.some((route) => admitsOthers(route, first) || admitsOthers(first, route))
  );
}

function isSame(one: object | undefined, other: object): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
