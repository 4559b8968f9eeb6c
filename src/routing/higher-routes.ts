import { PatternIndex } from './pattern-index.ts';
import type { Route } from './route.ts';
import { methodMatches } from './segment-tree.ts';

/** So many routes of a higher priority are looked at for each route: a table is checked in time that grows with it. */
const MOST = 100;

/** Finds the routes that hide others by their priority alone; knows nothing where no route has one. */
export class HigherRoutes {
  readonly #index: PatternIndex<Route> | undefined;

  constructor(routes: readonly Route[]) {
    const lowest = routes.reduce((least, { priority }) => Math.min(least, priority), Infinity);
    const higher = routes.filter(({ door, priority }) => door === 'proxy' && priority > lowest);
    if (higher.length === 0) return;
    this.#index = new PatternIndex();
    for (const route of higher) this.#index.add(route.pattern, route);
  }

  /** A route of a higher priority that takes every request of this one. */
  hiding(route: Route): Route | undefined {
    const all = this.#index?.covering(route.pattern, MOST);
    return all?.find((one) => one.priority > route.priority && asksForNoMore(one, route));
  }
}

function asksForNoMore({ match, conditions, pattern, paths }: Route, route: Route): boolean {
  const { hosts, methods } = route.match;
  const isEveryHost =
    match.hosts.length === 0 || (hosts.length > 0 && hosts.every((one) => match.hosts.includes(one)));
  const isEveryMethod =
    match.methods.length === 0 ||
    (methods.length > 0 && methods.every((method) => methodMatches({ match }, method)));
  const isEverySlash =
    pattern.wildcard || paths.trailingSlash === 'ignore' || route.paths.trailingSlash !== 'ignore';
  const keys = new Set(route.conditions.map(({ key }) => key));
  return isEveryHost && isEveryMethod && isEverySlash && conditions.every(({ key }) => keys.has(key));
}
