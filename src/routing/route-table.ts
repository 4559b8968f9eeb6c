import { Problem } from '../problems/problem.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Route } from './route.ts';

/** One place in the tree of path segments. */
class Node {
  readonly literals = new Map<string, Node>();
  parameter: Node | undefined = undefined;
  /** Routes whose pattern ends here, most conditions first. */
  exact: Route[] = [];
  /** Routes whose pattern ends here with `/*`, most conditions first. */
  rest: Route[] = [];
}

/** What a route is looked for by. */
export type Asked = Pick<Exchange, 'path' | 'host' | 'method' | 'request'>;

/** What a search has found out so far. */
interface Search {
  readonly exchange: Asked;
  readonly path: string;
  readonly params: string[];
  readonly allow: Set<string>;
  /** A code-first route owns the path: no less specific pattern may take it with another method. */
  owned: boolean;
}

/**
 * Finds the route of a request. A tree over path segments: literal before parameter before `*`, going back
 * when the conditions of a more specific pattern (method, host, headers) do not hold; so the cost grows with
 * the length of the path, not with the number of routes. Holds the routes of both doors, because 404 and 405
 * are decided over both together.
 */
export class RouteTable {
  #routes: readonly Route[] = [];
  #root = new Node();

  constructor(routes: readonly Route[]) {
    this.replace(routes);
  }

  /** All routes, of both doors. */
  get routes(): readonly Route[] {
    return this.#routes;
  }

  /** Swaps all routes at once: exchanges that were matched keep theirs, those that come see only the new ones. */
  replace(routes: readonly Route[]): void {
    const root = new Node();
    for (const route of routes) insert(root, route);
    this.#routes = routes;
    this.#root = root;
  }

  /**
   * Writes `route` and `params` on the exchange.
   *
   * @throws {Problem} `route-not-found`, `method-not-allowed` with `Allow`, or `request-malformed` for a path
   *   that leads elsewhere in the eyes of a server that drops path parameters (RFC 3986 section 3.3).
   */
  match(exchange: Exchange): Route {
    const { path } = exchange;
    const search: Search = { exchange, path, params: [], allow: new Set(), owned: false };
    const route = this.#descend(this.#root, 1, search);
    // Fail closed: `/admin;x/keys` must not take the route of `/*` to an upstream that reads `/admin/keys`.
    if (path.includes(';') && this.#withoutParameters(exchange) !== route) {
      throw new Problem('request-malformed', {
        detail: 'Servers read the semicolons of this path differently.',
      });
    }
    if (route !== undefined) {
      exchange.route = route;
      if (route.pattern.verb !== undefined) cutVerb(search.params, route.pattern.verb);
      if (search.params.length > 0) exchange.params = search.params;
      return route;
    }
    if (search.allow.size === 0) throw new Problem('route-not-found');
    throw new Problem('method-not-allowed', { headers: { allow: [...search.allow].sort().join(', ') } });
  }

  /** The route that a request would take; nothing is written, and nothing refused. */
  peek(asked: Asked): Route | undefined {
    const { path } = asked;
    return this.#descend(this.#root, 1, {
      exchange: asked,
      path,
      params: [],
      allow: new Set(),
      owned: false,
    });
  }

  /** The route of that id, for the code-first door, which is matched by Fastify. */
  byId(id: string): Route | undefined {
    return this.routes.find((route) => route.id === id);
  }

  #withoutParameters(exchange: Exchange): Route | undefined {
    const path = exchange.path.replace(/;[^/]*/g, '');
    return this.#descend(this.#root, 1, { exchange, path, params: [], allow: new Set(), owned: false });
  }

  #descend(node: Node, start: number, search: Search): Route | undefined {
    const { path } = search;
    if (start >= path.length) {
      // A path that ends in a slash has an empty last segment, which only `*` matches.
      const exact = start === path.length && start > 1 ? undefined : choose(node.exact, search);
      return exact ?? this.#takeRest(node, start, search);
    }
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const next = this.#into(node, path.slice(start, end), end + 1, search);
    return next ?? (search.owned ? undefined : this.#takeRest(node, start, search));
  }

  #into(node: Node, segment: string, start: number, search: Search): Route | undefined {
    const literal = node.literals.get(segment);
    const found = literal === undefined ? undefined : this.#descend(literal, start, search);
    if (found !== undefined || search.owned || node.parameter === undefined) return found;
    search.params.push(segment);
    const parametric = this.#descend(node.parameter, start, search);
    if (parametric === undefined) search.params.pop();
    return parametric;
  }

  #takeRest(node: Node, start: number, search: Search): Route | undefined {
    if (node.rest.length === 0 || search.owned) return undefined;
    const route = choose(node.rest, search);
    if (route !== undefined) search.params.push(search.path.slice(start));
    return route;
  }
}

function insert(root: Node, route: Route): void {
  let node = root;
  for (const segment of route.pattern.segments) {
    if (segment.kind === 'parameter') node = node.parameter ??= new Node();
    else {
      let next = node.literals.get(segment.text);
      if (next === undefined) node.literals.set(segment.text, (next = new Node()));
      node = next;
    }
  }
  const list = route.pattern.wildcard ? node.rest : node.exact;
  list.push(route);
  list.sort((a, b) => conditionCount(b) - conditionCount(a));
}

function conditionCount(route: Route): number {
  const exactHosts = route.match.hosts.some((host) => !host.startsWith('*.'));
  const hosts = route.match.hosts.length === 0 ? 0 : exactHosts ? 2000 : 1000;
  const verb = route.pattern.verb === undefined ? 0 : 10_000;
  return (
    verb + hosts + Object.keys(route.match.headers).length * 2 + (route.match.methods.length > 0 ? 1 : 0)
  );
}

function choose(candidates: readonly Route[], search: Search): Route | undefined {
  for (const route of candidates) {
    if (!verbMatches(route, search.path)) continue;
    if (!hostMatches(route, search.exchange.host) || !headersMatch(route, search.exchange)) continue;
    if (methodMatches(route, search.exchange.method)) return route;
    for (const method of route.match.methods) search.allow.add(method);
    if (route.match.methods.includes('GET')) search.allow.add('HEAD');
    if (route.door === 'handler') search.owned = true;
  }
  return undefined;
}

/** Whether a route takes a method; `GET` takes `HEAD` too (RFC 9110 section 9.3.2). */
export function methodMatches(route: Route, method: string): boolean {
  const { methods } = route.match;
  return methods.length === 0 || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

function hostMatches(route: Route, host: string): boolean {
  const { hosts } = route.match;
  if (hosts.length === 0) return true;
  return hosts.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : one === host));
}

function headersMatch(route: Route, exchange: Asked): boolean {
  const { headers } = route.match;
  for (const name in headers) if (exchange.request.headers[name] !== headers[name]) return false;
  return true;
}

/** Whether the last segment ends in the verb of the pattern and is more than that. */
function verbMatches({ pattern: { verb } }: Route, path: string): boolean {
  return verb === undefined || (path.endsWith(verb) && path.at(-verb.length - 1) !== '/');
}

function cutVerb(params: string[], verb: string): void {
  const last = params.length - 1;
  params[last] = (params[last] as string).slice(0, -verb.length);
}
