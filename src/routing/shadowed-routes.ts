import { PatternIndex } from './pattern-index.ts';
import { methodMatches } from './segment-tree.ts';
import type { Route } from './route.ts';

/** A route and where it stands among all. */
interface Ranked {
  readonly rank: number;
  readonly route: Route;
}

/**
 * Finds proxied routes that no request can reach, in time that grows with the number of routes, not with that of pairs.
 *
 * @returns for each of them the first route of the table that takes all its requests.
 */
export function shadowedRoutes(routes: readonly Route[]): ReadonlyMap<Route, Route> {
  const handlers = new PatternIndex<Ranked>();
  routes.forEach((route, rank) => {
    if (route.door === 'handler') handlers.add(route.pattern, { rank, route });
  });
  const earlier = new Map<string, Alike>();
  const shadows = new Map<Route, Route>();
  routes.forEach((route, rank) => {
    if (route.door !== 'proxy') return;
    const shape = shapeOf(route);
    let alike = earlier.get(shape);
    if (alike === undefined) earlier.set(shape, (alike = new Alike()));
    const before = alike.hiding(route);
    // What is hidden itself hides nothing that the one in front of it leaves.
    if (before === undefined) alike.add({ rank, route });
    // Fastify gives a controller every path of its pattern, also where a YAML route would be more specific.
    const handler = handlers.covering(route.pattern).find((one) => takesAllMethodsOf(one.route, route));
    const shadow = firstOf(before, handler);
    if (shadow !== undefined) shadows.set(route, shadow.route);
  });
  return shadows;
}

/** Proxied routes with the same path, hosts and header fields, none of which hides another: few, whatever the table. */
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

function takesAllMethodsOf(other: Route, route: Route): boolean {
  if (other.match.methods.length === 0) return true;
  return (
    route.match.methods.length > 0 && route.match.methods.every((method) => methodMatches(other, method))
  );
}

/** What two routes have in common that take the same requests, but for their methods. */
function shapeOf({ pattern, match }: Route): string {
  return JSON.stringify([
    pattern.segments.map((segment) => (segment.kind === 'literal' ? segment.text : { parameter: true })),
    pattern.wildcard,
    pattern.verb,
    [...match.hosts].sort(),
    Object.entries(match.headers).sort(),
  ]);
}
