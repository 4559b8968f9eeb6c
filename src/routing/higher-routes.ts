import { segmentKey } from './path-pattern.ts';
import { PatternIndex } from './pattern-index.ts';
import type { Route } from './route.ts';
import { methodMatches } from './segment-tree.ts';

/** Of routes with more conditions only those count that ask for one of them, for all of them, or for none. */
const MOST_CONDITIONS = 6;

/** Finds the routes that hide others by their priority alone; knows nothing where no route has one. */
export class HigherRoutes {
  readonly #index: PatternIndex<SamePattern> | undefined;

  constructor(routes: readonly Route[]) {
    const lowest = routes.reduce((least, { priority }) => Math.min(least, priority), Infinity);
    const higher = routes.filter(({ door, priority }) => door === 'proxy' && priority > lowest);
    if (higher.length === 0) return;
    this.#index = new PatternIndex();
    const known = new Map<string, SamePattern>();
    for (const route of higher) {
      const { segments, wildcard, slash, verb } = route.pattern;
      const key = JSON.stringify([segments.map(segmentKey), wildcard, slash, verb]);
      let same = known.get(key);
      if (same === undefined) {
        known.set(key, (same = new SamePattern()));
        this.#index.add(route.pattern, same);
      }
      same.add(route);
    }
  }

  /** A route of a higher priority that takes every request of this one. */
  hiding(route: Route): Route | undefined {
    for (const same of this.#index?.covering(route.pattern) ?? []) {
      const found = same.hiding(route);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/**
 * Routes of one pattern by what they ask for and where: a route can only be hidden by those that ask for some of the same and
 * nothing else, at a host of its own or at all of them. What is left to look at differs in methods alone.
 */
class SamePattern {
  readonly #routes = new Map<string, Map<string, Route>>();

  add(route: Route): void {
    const { hosts, methods } = route.match;
    const keys = route.conditions.map(({ key }) => key);
    // Of those that differ in nothing but the priority the highest hides whatever another one does.
    const kind = JSON.stringify([hosts.toSorted(), methods.toSorted(), route.paths.trailingSlash]);
    for (const host of hosts.length === 0 ? [''] : hosts) {
      const place = placeOf(host, keys);
      let alike = this.#routes.get(place);
      if (alike === undefined) this.#routes.set(place, (alike = new Map()));
      const known = alike.get(kind);
      if (known === undefined || known.priority < route.priority) alike.set(kind, route);
    }
  }

  hiding(route: Route): Route | undefined {
    const [host = ''] = route.match.hosts;
    for (const keys of subsetsOf(route.conditions.map(({ key }) => key))) {
      for (const place of new Set([placeOf('', keys), placeOf(host, keys)])) {
        const alike = [...(this.#routes.get(place)?.values() ?? [])];
        const found = alike.find((one) => one.priority > route.priority && takesAllOf(one, route));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

function placeOf(host: string, keys: readonly string[]): string {
  return JSON.stringify([host, keys.toSorted()]);
}

function subsetsOf(keys: readonly string[]): readonly (readonly string[])[] {
  if (keys.length > MOST_CONDITIONS) return [[], ...keys.map((key) => [key]), keys];
  let all: (readonly string[])[] = [[]];
  for (const key of keys) all = all.flatMap((some) => [some, [...some, key]]);
  return all;
}

function takesAllOf({ match, pattern, paths }: Route, route: Route): boolean {
  const { hosts, methods } = route.match;
  const isEveryHost =
    match.hosts.length === 0 || (hosts.length > 0 && hosts.every((one) => match.hosts.includes(one)));
  const isEveryMethod =
    match.methods.length === 0 ||
    (methods.length > 0 && methods.every((method) => methodMatches({ match }, method)));
  const isEverySlash =
    pattern.wildcard || paths.trailingSlash === 'ignore' || route.paths.trailingSlash !== 'ignore';
  return isEveryHost && isEveryMethod && isEverySlash;
}
