import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { isDotValue } from '../upstreams/http/path-value.ts';
import { admitsOthers, haveDifferentGuards } from './guard-comparison.ts';
import { HostTrees } from './host-trees.ts';
import { foldPath } from './request-path.ts';
import type { Route } from './route.ts';
import { searchFor } from './segment-tree.ts';

const FOLDABLE = /[A-Z%]/;

/**
 * Keeps a route that takes many paths from being the way to what another route guards. Fails closed: many servers read
 * paths without regard to case, and all decode them, so neither `/Admin/keys` nor `/admin%40x` may get there by the way of
 * `/*` when `/admin/keys` and `/admin@x` are not for everybody whom `/*` lets in. Handlers of ours read paths as they are,
 * and calls of gRPC have none.
 */
export class OtherSpellings {
  /** Routes by folded paths; only where routes differ in whom they let in. */
  readonly #folded: HostTrees | undefined;
  readonly #isFoldable: boolean;

  constructor(routes: readonly Route[]) {
    this.#folded = haveDifferentGuards(routes) ? new HostTrees(routes, true) : undefined;
    this.#isFoldable = routes.some((route) => FOLDABLE.test(literalsOf(route)));
  }

  /**
   * Lets nobody to one route by the way of another.
   *
   * @param route that was chosen for the exchange.
   * @param choose finds the one of several versions that a request means.
   * @throws {Problem} `route-not-found` for a path that is another route's when it is spelled otherwise.
   */
  refuse(
    exchange: Exchange,
    route: Route,
    choose: (found: Route, exchange: Exchange) => Route | undefined,
  ): void {
    const { path } = exchange;
    const folded = this.treeFor(route, path);
    const found = folded?.find(searchFor(exchange, foldPath(path)));
    if (folded === undefined || isNoWayTo(found && choose(found, exchange), route)) return;
    throw new Problem('route-not-found');
  }

  /** Finds whose a path is when it is folded; undefined where it does not matter how it is spelled. */
  treeFor({ action }: Route, path: string): HostTrees | undefined {
    if (this.#folded === undefined || (!this.#isFoldable && !FOLDABLE.test(path))) return undefined;
    return action.passesPath === true ? this.#folded : undefined;
  }
}

/** Whether a route may take a path that is another one's, or its own, when it is spelled otherwise. */
export function isNoWayTo(owner: Route | undefined, route: Route): boolean {
  return owner === route || (owner !== undefined && !admitsOthers(route, owner));
}

function literalsOf({ pattern }: Route): string {
  return pattern.segments.map((segment) => (segment.kind === 'literal' ? segment.text : '')).join('/');
}

/**
 * Lets a path with an encoded slash go on only to a route that takes it as a character of its segment.
 *
 * @throws {Problem} `request-malformed` otherwise: some servers would read another path (fails closed).
 */
export function refuseEncodedSlash(route: Route | undefined): void {
  if (route?.paths.encodedSlashes === 'pass') return;
  throw new Problem('request-malformed', {
    detail: 'The path is not in a form that every server reads alike.',
  });
}

/**
 * Takes the verb of a path such as `/{id}:go` off the last parameter.
 *
 * @throws {Problem} for `..:go`, a segment like others: what is left of it would lead out of the path that it is put into.
 */
export function cutVerb(params: string[], verb: string): void {
  const last = params.length - 1;
  const value = (params[last] as string).slice(0, -verb.length);
  if (isDotValue(value)) throw new Problem('request-malformed');
  params[last] = value;
}
