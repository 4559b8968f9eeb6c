import type { IncomingMessage } from 'node:http';
import { AskedValues } from './asked-values.ts';
import { isAbsence, type Condition } from './conditions.ts';
import type { Route } from './route.ts';
import { methodMatches, type MatchSubject, type Search } from './segment-tree.ts';

/** Fields that pages, their browsers and what these remember send without having named them in a preflight. */
const UNNAMED = new Set(
  `accept accept-charset accept-encoding accept-language authorization cache-control connection content-language
  content-length content-type cookie date device-memory dnt downlink dpr early-data ect expect host if-match
  if-modified-since if-none-match if-range if-unmodified-since keep-alive last-event-id origin pragma priority purpose
  range referer rtt save-data te trailer transfer-encoding upgrade upgrade-insecure-requests user-agent via
  viewport-width width`.split(/\s+/),
);
const UNNAMED_PREFIX = /^(?:sec|proxy)-/;

/**
 * Collects the routes that the request could reach which a preflight asks leave for. A preflight shows host, path, query
 * and method of that request, but neither values of header fields nor cookies: what asks for some may or may not take it.
 *
 * Fails closed: browsers remember the names that they were granted one by one, and send any of them together or none
 * later, without asking again. So a route is out only if it wants fields that have to be named, and none of them is.
 */
export class PreflightCandidates {
  readonly #asked: Pick<IncomingMessage, 'headers'>;
  readonly #named: ReadonlySet<string>;
  readonly #possible = new Set<Route>();

  /** @param request the preflight. */
  constructor(request: Pick<IncomingMessage, 'headers'>) {
    this.#asked = request;
    const names = String(request.headers['access-control-request-headers'] ?? '').toLowerCase();
    this.#named = new Set(names.split(',').map((name) => name.trim()));
  }

  /** Whether a route takes the request for sure; one that may take it is kept in mind. */
  takes(route: Route, search: Pick<Search, 'asked' | 'values' | 'best'>): boolean {
    const values = (search.values ??= new AskedValues(search.asked));
    if (!route.conditions.every((one) => !isShown(one) || one.holds(values))) return false;
    if (route.conditions.every(isShown)) return true;
    const isBeaten = search.best !== undefined && search.best.route.priority >= route.priority;
    if (!isBeaten && methodMatches(route, search.asked.method) && this.#isReachable(route))
      this.#possible.add(route);
    return false;
  }

  /** Whether a field may be part of the request. */
  mayCarry(name: string): boolean {
    if (UNNAMED.has(name) || UNNAMED_PREFIX.test(name)) return true;
    // What a proxy on the way here has added, it will add again.
    return this.#named.has(name) || this.#asked.headers[name] !== undefined;
  }

  /** All of them, in the order in which they are asked; the last one is `certain` to take what the others leave. */
  with(certain: Route | undefined): Route[] {
    if (certain === undefined) return [...this.#possible];
    return [...this.#possible].filter(({ priority }) => priority >= certain.priority).concat(certain);
  }

  #isReachable({ conditions }: Route): boolean {
    const wanted = conditions.filter((one) => one.place === 'header' && !isAbsence(one));
    return wanted.length === 0 || wanted.some(({ name }) => this.mayCarry(name));
  }
}

/** What a preflight asks leave for, to be searched for. */
export function askedBy(
  { path, host, request, query }: MatchSubject,
  method: string,
): MatchSubject & Preflighted {
  return { path, host, request, query, method, preflight: new PreflightCandidates(request) };
}

interface Preflighted {
  readonly preflight: PreflightCandidates;
}

/** Whether a preflight shows of a request what a condition is about. */
function isShown({ place }: Condition): boolean {
  return place === 'query' || place === 'port' || place === 'path';
}
