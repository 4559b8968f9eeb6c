import type { Route } from './route.ts';
import { AskedValues } from './asked-values.ts';
import { HostTrees } from './host-trees.ts';
import { searchFor, type MatchSubject } from './segment-tree.ts';

/**
 * Finds routes that a preflight could be for, by all but the values of header fields: a browser names the fields of the
 * request that its page has in mind, and does not show what they will say.
 */
export interface PreflightTree {
  /** The route, if all fields that it wants are named or there. */
  find(asked: MatchSubject): Route | undefined;
}

/** Makes the tree of those routes that answer preflights and want header fields; undefined without any, which costs nothing. */
export function preflightTree(routes: readonly Route[]): PreflightTree | undefined {
  const meant = routes.filter(
    ({ preflight, conditions }) => preflight.length > 0 && conditions.some(({ place }) => place === 'header'),
  );
  if (meant.length === 0) return undefined;
  const originals = new Map<Route, Route>();
  for (const route of meant) {
    // Fails closed: a preflight brings no cookies, so that what asks for one is not meant by it.
    const conditions = route.conditions.filter(({ place }) => place !== 'header');
    originals.set({ ...route, conditions }, route);
  }
  const tree = new HostTrees([...originals.keys()]);
  return {
    find(asked) {
      const found = tree.find(searchFor(asked, asked.path));
      const route = found && originals.get(found);
      return route !== undefined && namesFields(asked, route) ? route : undefined;
    },
  };
}

// Fails closed: a request without the field would be another route's.
function namesFields(asked: MatchSubject, { conditions }: Route): boolean {
  const names = String(asked.request.headers['access-control-request-headers'] ?? '').toLowerCase();
  const named = new Set(names.split(',').map((name) => name.trim()));
  const values = new AskedValues(asked);
  return conditions.every((one) => {
    if (one.place !== 'header') return true;
    const isAbsence = typeof one.declared === 'object' && 'present' in one.declared && !one.declared.present;
    return named.has(one.name) ? !isAbsence : one.holds(values);
  });
}
