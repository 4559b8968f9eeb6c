import type { Route } from './route.ts';
import { searchFor, SegmentTree, type MatchSubject } from './segment-tree.ts';

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
    ({ preflight, match }) => preflight.length > 0 && Object.keys(match.headers).length > 0,
  );
  if (meant.length === 0) return undefined;
  const originals = new Map<Route, Route>();
  for (const route of meant) originals.set({ ...route, match: { ...route.match, headers: {} } }, route);
  const tree = new SegmentTree([...originals.keys()]);
  return {
    find(asked) {
      const found = tree.find(searchFor(asked, asked.path));
      const route = found && originals.get(found);
      return route !== undefined && namesFields(asked, route) ? route : undefined;
    },
  };
}

// Fails closed: a request without the field would be another route's.
function namesFields({ request: { headers } }: MatchSubject, { match }: Route): boolean {
  const asked = String(headers['access-control-request-headers'] ?? '').toLowerCase();
  const named = new Set(asked.split(',').map((name) => name.trim()));
  return Object.keys(match.headers).every((name) => named.has(name) || headers[name] === match.headers[name]);
}
