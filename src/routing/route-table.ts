import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { HostTrees } from './host-trees.ts';
import { cutVerb, OtherSpellings, refuseEncodedSlash } from './other-spellings.ts';
import { PreflightRoutes } from './preflight-routes.ts';
import { hasEncodedSlash, withoutParameters } from './request-path.ts';
import type { Route } from './route.ts';
import { RouteIndex } from './route-index.ts';
import { searchFor, type MatchSubject } from './segment-tree.ts';

/** One that no route names. */
const NO_METHOD = '';

/**
 * Finds the route of a request, in {@link HostTrees}. Holds the routes of both doors, because 404 and 405 are
 * decided over both together.
 */
export class RouteTable {
  #routes: readonly Route[] = [];
  #tree = new HostTrees([]);
  #spellings = new OtherSpellings([]);
  #index = new RouteIndex([]);
  #preflights = new PreflightRoutes({ tree: this.#tree, spellings: this.#spellings, index: this.#index });

  constructor(routes: readonly Route[]) {
    this.replace(routes);
  }

  /** All routes, of both doors. */
  get routes(): readonly Route[] {
    return this.#routes;
  }

  /** Swaps all routes at once: exchanges that were matched keep theirs, those that come see only the new ones. */
  replace(routes: readonly Route[]): void {
    this.#tree = new HostTrees(routes);
    this.#spellings = new OtherSpellings(routes);
    this.#routes = routes;
    this.#index = new RouteIndex(routes);
    this.#preflights = new PreflightRoutes({
      tree: this.#tree,
      spellings: this.#spellings,
      index: this.#index,
    });
  }

  /**
   * Writes `route` and `params` on the exchange.
   *
   * @throws {Problem} `route-not-found`, `method-not-allowed` with `Allow`, or `request-malformed` for a path
   *   that leads elsewhere in the eyes of a server that drops path parameters (RFC 3986 section 3.3), or with an encoded
   *   slash that the route does not take.
   */
  match(exchange: Exchange): Route {
    const { path } = exchange;
    const search = searchFor(exchange, path);
    const route = this.#tree.find(search);
    if (hasEncodedSlash(path)) refuseEncodedSlash(route);
    // Fail closed: `/admin;x/keys` must not take the route of `/*` to an upstream that reads `/admin/keys`.
    if (path.includes(';') && this.#withoutParameters(exchange) !== route) {
      throw new Problem('request-malformed', {
        detail: 'Servers read the semicolons of this path differently.',
      });
    }
    if (route === undefined) {
      if (search.allow.size === 0) throw new Problem('route-not-found');
      throw new Problem('method-not-allowed', { headers: { allow: [...search.allow].sort().join(', ') } });
    }
    const chosen = this.#chosen(route, exchange);
    if (chosen === undefined) throw new Problem('route-not-found');
    if (search.params.length > 0) this.#spellings.refuse(exchange, chosen, this.#chosen);
    if (route.chooser?.vary !== undefined) exchange.responseHeaders.push('vary', route.chooser.vary);
    exchange.route = chosen;
    if (search.params.length === 0) return chosen;
    if (route.pattern.verb !== undefined) cutVerb(search.params, route.pattern.verb);
    exchange.params = search.params;
    return chosen;
  }

  /** The route that a request would take; nothing is written, and nothing refused. */
  peek(asked: MatchSubject): Route | undefined {
    const route = this.#tree.find(searchFor(asked, asked.path));
    return route === undefined ? undefined : this.#chosen(route, asked);
  }

  /**
   * The routes that could take the request which a page asks leave for, see {@link PreflightRoutes}; mostly one.
   *
   * @param method that its preflight names.
   */
  preflightRoutes(asked: MatchSubject, method: string): readonly Route[] {
    return this.#preflights.find(asked, method);
  }

  /** The methods that are taken at the place of a request; undefined for whatever there is. */
  methodsAt({ path, host, request, query }: MatchSubject): ReadonlySet<string> | undefined {
    const search = searchFor({ path, host, request, query, method: NO_METHOD }, path);
    return this.#tree.find(search) === undefined ? search.allow : undefined;
  }

  /** The route of that id, for the code-first door, which is matched by Fastify. */
  byId(id: string): Route | undefined {
    return this.#index.byId(id);
  }

  /** The code-first routes that were declared with a path. */
  handlersAt(path: string): readonly Route[] {
    return this.#index.handlersAt(path);
  }

  readonly #chosen = (route: Route, { request }: Pick<MatchSubject, 'request'>): Route | undefined =>
    route.chooser === undefined ? route : this.#index.byId(route.chooser.idFor(request));

  #withoutParameters(exchange: Exchange): Route | undefined {
    return this.#tree.find(searchFor(exchange, withoutParameters(exchange.path)));
  }
}
