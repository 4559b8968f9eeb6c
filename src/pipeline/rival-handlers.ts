import type { FastifyInstance, RouteOptions } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { hostOf } from '../exchange/absolute-form.ts';
import { HostTrees } from '../routing/host-trees.ts';
import { segmentKey } from '../routing/path-pattern.ts';
import { splitTarget } from '../routing/request-path.ts';
import type { Route } from '../routing/route.ts';
import { searchFor } from '../routing/segment-tree.ts';

const CONSTRAINT = 'gatehouse';

/**
 * Handlers of one method and path, which differ in what else they ask for. Fastify tells them apart by a constraint, whose
 * value for a request is the route that takes it. It looks for that only where there are such handlers.
 */
export class RivalHandlers {
  readonly #rivals: ReadonlySet<Route>;
  /** How many routes of Fastify there are so far for a method and URL: Nest adds them in the order of the table. */
  readonly #added = new Map<string, number>();

  /** @param routes of both doors, in the order of the table. */
  constructor(fastify: FastifyInstance, routes: readonly Route[]) {
    this.#rivals = rivalsAmong(routes.filter(({ door }) => door === 'handler'));
    if (this.#rivals.size === 0) return;
    // Among themselves they are asked as routes of the file are: none owns the path.
    const tree = new HostTrees([...this.#rivals].map((route) => ({ ...route, door: 'proxy' as const })));
    fastify.addConstraintStrategy({
      name: CONSTRAINT,
      storage: () => new RoutesById(),
      // Fails closed: what fits none of them is none of theirs, and goes on to the routes of the file.
      deriveConstraint: (request) => tree.find(searchOf(request as IncomingMessage))?.id ?? '',
    });
  }

  /**
   * The route that Fastify adds a route for.
   *
   * @param candidates the routes that are declared with its path, in the order of the table.
   */
  routeFor(options: RouteOptions, candidates: readonly Route[]): Route | undefined {
    const methods = [options.method].flat();
    const own = candidates.filter((route) => takesJust(route, methods));
    const key = `${methods.join()} ${options.url}`;
    const count = this.#added.get(key) ?? 0;
    this.#added.set(key, count + 1);
    const route = own[count] ?? own[0];
    if (route !== undefined && this.#rivals.has(route))
      options.constraints = { ...options.constraints, [CONSTRAINT]: route.id };
    return route;
  }
}

/** Fastify keeps the routes of one place by the values of their constraints. */
class RoutesById {
  readonly #routes = new Map<unknown, unknown>();

  get(id: unknown): never {
    return (this.#routes.get(id) ?? null) as never;
  }

  set(id: unknown, route: unknown): void {
    this.#routes.set(id, route);
  }
}

function searchOf(request: IncomingMessage): ReturnType<typeof searchFor> {
  const { path, query } = splitTarget(request.url ?? '/');
  const { method = 'GET', headers } = request;
  return searchFor({ path, query, method, host: hostOf(headers.host), request }, path);
}

function takesJust({ match }: Route, methods: readonly string[]): boolean {
  const [first] = match.methods;
  if (first === undefined || methods.length !== 1) return first === undefined && methods.length > 1;
  // Fastify adds a HEAD after each GET.
  return methods[0] === first || (methods[0] === 'HEAD' && first === 'GET');
}

function rivalsAmong(handlers: readonly Route[]): ReadonlySet<Route> {
  const places = new Map<string, Route[]>();
  for (const route of handlers) {
    const { segments, wildcard } = route.pattern;
    const key = JSON.stringify([segments.map(segmentKey), wildcard]);
    places.set(key, [...(places.get(key) ?? []), route]);
  }
  return new Set(
    [...places.values()].flatMap((some) => some.filter((one) => some.some((other) => meets(one, other)))),
  );
}

function meets(one: Route, other: Route): boolean {
  if (one === other || one.id === other.id) return false;
  const [first] = one.match.methods;
  const [second] = other.match.methods;
  return first === undefined || second === undefined || first === second;
}
