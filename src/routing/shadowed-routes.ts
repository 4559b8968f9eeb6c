import { HigherRoutes } from './higher-routes.ts';
import { segmentKey } from './path-pattern.ts';
import { PatternIndex } from './pattern-index.ts';
import { methodMatches } from './segment-tree.ts';
import type { Route } from './route.ts';

/** A route and where it stands among all. */
interface Ranked {
  readonly rank: number;
  readonly route: Route;
}

/**
 * Finds routes that no request can reach, in time that grows with the number of routes, not with that of pairs.
 *
 * @returns for each of them the first route of the table that takes all its requests.
 */
export function shadowedRoutes(routes: readonly Route[]): ReadonlyMap<Route, Route> {
  const handlers = new PatternIndex<Ranked>();
  routes.forEach((route, rank) => {
    if (route.door === 'handler') handlers.add(route.pattern, { rank, route });
  });
  const earlier = new Map<string, Alike>();
  const earlierHandlers = new Map<string, Alike>();
  const shadows = new Map<Route, Route>();
  const higher = new HigherRoutes(routes);
  routes.forEach((route, rank) => {
    if (route.door === 'handler') {
      const other = hiddenEverywhere(route, earlierHandlers, rank)?.route;
      if (other !== undefined && other.id !== route.id) shadows.set(route, other);
      return;
    }
    const before = hiddenEverywhere(route, earlier, rank);
    // Fastify gives a controller every path of its pattern, also where a YAML route would be more specific.
    const handler = handlers.covering(route.pattern).find((one) => hides(one.route, route));
    const shadow = firstOf(before, handler)?.route ?? higher.hiding(route);
    if (shadow !== undefined) shadows.set(route, shadow);
  });
  return shadows;
}

// A route stands at several places if it names several hosts; it is hidden if it is at each of them.
function hiddenEverywhere(route: Route, earlier: Map<string, Alike>, rank: number): Ranked | undefined {
  const all = shapesOf(route).map((shape) => {
    let alike = earlier.get(shape);
    if (alike === undefined) earlier.set(shape, (alike = new Alike()));
    const before = alike.hiding(route);
    // What is hidden itself hides nothing that the one in front of it leaves.
    if (before === undefined) alike.add({ rank, route });
    return before;
  });
  const before = all.filter((one) => one !== undefined);
  return before.length < all.length ? undefined : before.reduce<Ranked | undefined>(firstOf, undefined);
}

// A controller that asks for more than a path leaves the others to the file.
function hides({ match, conditions, ...other }: Route, route: Route): boolean {
  return match.hosts.length === 0 && conditions.length === 0 && takesAllMethodsOf({ ...other, match }, route);
}

/** Routes of one door with the same path, hosts and header fields, none of which hides another: few, whatever the table. */
class Alike {
  /** The one that takes all methods. */
  #ofAll: Ranked | undefined = undefined;
  readonly #byMethod = new Map<string, Ranked[]>();

  add(one: Ranked): void {
    const { methods } = one.route.match;
    if (methods.length === 0) this.#ofAll = one;
    for (const method of new Set(methods)) {
      const others = this.#byMethod.get(method);
      if (others === undefined) this.#byMethod.set(method, [one]);
      else others.push(one);
    }
  }

  // A route that names its methods is asked before one that takes all, wherever it stands.
  hiding(route: Route): Ranked | undefined {
    const [method] = route.match.methods;
    if (method === undefined) return this.#ofAll;
    const named = this.#first(method, route);
    return method === 'HEAD' ? firstOf(named, this.#first('GET', route)) : named;
  }

  #first(method: string, route: Route): Ranked | undefined {
    return this.#byMethod.get(method)?.find((one) => takesAllMethodsOf(one.route, route));
  }
}

function firstOf(one: Ranked | undefined, other: Ranked | undefined): Ranked | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.rank < other.rank ? one : other;
}

/** Whether a route takes every method that another one takes. */
export function takesAllMethodsOf(other: Pick<Route, 'match'>, route: Route): boolean {
  if (other.match.methods.length === 0) return true;
  return (
    route.match.methods.length > 0 && route.match.methods.every((method) => methodMatches(other, method))
  );
}

/** What routes have in common that take the same requests, but for their methods: one for each host, and form of the path. */
export function shapesOf(route: Route): readonly string[] {
  const { pattern, match, paths, conditions, priority } = route;
  const hosts = match.hosts.length === 0 ? [''] : [...new Set(match.hosts)];
  const isBoth = !pattern.wildcard && paths.trailingSlash === 'ignore';
  const ends = isBoth ? [false, true] : [pattern.slash === true];
  const keys = conditions.map(({ key }) => key).sort();
  const same = [pattern.segments.map(segmentKey), pattern.wildcard, pattern.verb, keys, priority];
  return hosts.flatMap((host) => ends.map((end) => JSON.stringify([host, end, same])));
}
