import type { Exchange } from '../exchange/exchange.ts';
import { Candidates } from './candidates.ts';
import { foldPath } from './request-path.ts';
import type { Route } from './route.ts';

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

/** One place in the tree of path segments. What most places do not have takes no memory, which requests would walk through. */
class Node {
  literals: ReadonlyMap<string, Node> = NONE;
  parameter: Node | undefined = undefined;
  /** Routes whose pattern ends here. */
  exact: Candidates | undefined = undefined;
  /** Routes whose pattern ends here with `/*`. */
  rest: Candidates | undefined = undefined;
  #own: Map<string, Node> | undefined = undefined;

  /** Adds the place below a literal segment. */
  add(text: string): Node {
    this.literals = this.#own ??= new Map();
    const next = new Node();
    this.#own.set(text, next);
    return next;
  }
}

/** What a route is looked for by. */
export type MatchSubject = Pick<Exchange, 'path' | 'host' | 'method' | 'request'>;

/** What a search has found out so far. */
export interface Search {
  readonly asked: MatchSubject;
  readonly path: string;
  /** Values of the parameters, in the order of the pattern that was found. */
  readonly params: string[];
  /** Methods that would have been taken. */
  readonly allow: Set<string>;
  /** Somebody owns the path who does not take it: no less specific pattern may. */
  owned: boolean;
}

/** Begins a search for what is asked. */
export function searchFor(asked: MatchSubject, path: string): Search {
  return { asked, path, params: [], allow: new Set(), owned: false };
}

/**
 * Routes by the segments of their paths: literal before parameter before `*`, going back when the conditions of a
 * more specific pattern (method, host, headers) do not hold; so the cost of a search grows with the length of the
 * path, not with the number of routes, not even of those that differ only in a host or in a header field.
 */
export class SegmentTree {
  readonly #root = new Node();
  readonly #isFolded: boolean;

  /** @param isFolded reads patterns in their folded form; the path of a search has to be folded, too. */
  constructor(routes: readonly Route[], isFolded = false) {
    this.#isFolded = isFolded;
    const filled = new Set<Candidates>();
    for (const route of routes) filled.add(this.#insert(route));
    for (const candidates of filled) candidates.seal();
  }

  /** The route that takes what is searched for. */
  find(search: Search): Route | undefined {
    return this.#descend(this.#root, 1, search);
  }

  #insert(route: Route): Candidates {
    let node = this.#root;
    for (const segment of route.pattern.segments) {
      if (segment.kind === 'parameter') node = node.parameter ??= new Node();
      else {
        const text = this.#isFolded ? foldPath(segment.text) : segment.text;
        node = node.literals.get(text) ?? node.add(text);
      }
    }
    const candidates = route.pattern.wildcard
      ? (node.rest ??= new Candidates())
      : (node.exact ??= new Candidates());
    candidates.add(route);
    return candidates;
  }

  #descend(node: Node, start: number, search: Search): Route | undefined {
    const { path } = search;
    if (start >= path.length) {
      // A path that ends in a slash has an empty last segment, which only `*` matches.
      const isSlashed = start === path.length && start > 1;
      const exact = isSlashed ? undefined : this.#choose(node.exact, search);
      const found = exact ?? this.#takeRest(node, start, search);
      // Fails closed: many servers read `/admin/keys/` as `/admin/keys`, so it is not for the `/*` further up.
      if (found === undefined && isSlashed) search.owned ||= this.#ownsBare(node.exact, search);
      return found;
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
    if (node.rest === undefined || search.owned) return undefined;
    const route = this.#choose(node.rest, search);
    if (route !== undefined) search.params.push(search.path.slice(start));
    return route;
  }

  #choose(candidates: Candidates | undefined, search: Search): Route | undefined {
    if (candidates === undefined) return undefined;
    for (const route of candidates.of(search.asked)) {
      if (!this.#fits(route, search.path, search.asked)) continue;
      if (methodMatches(route, search.asked.method)) return route;
      for (const method of route.match.methods) search.allow.add(method);
      if (route.match.methods.includes('GET')) search.allow.add('HEAD');
      // A code-first route owns its path.
      if (route.door === 'handler') search.owned = true;
    }
    return undefined;
  }

  /** Whether one of the routes would take the path without the slash at its end, with whatever method. */
  #ownsBare(exact: Candidates | undefined, { path, asked }: Search): boolean {
    return exact?.of(asked).some((route) => this.#fits(route, path.slice(0, -1), asked)) === true;
  }

  #fits(route: Route, path: string, asked: MatchSubject): boolean {
    return this.#verbMatches(route, path) && hostMatches(route, asked.host) && headersMatch(route, asked);
  }

  /** Whether the last segment ends in the verb of the pattern and is more than that. */
  #verbMatches({ pattern: { verb } }: Route, path: string): boolean {
    if (verb === undefined) return true;
    const text = this.#isFolded ? foldPath(verb) : verb;
    return path.endsWith(text) && path.at(-text.length - 1) !== '/';
  }
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

function headersMatch(route: Route, { request }: MatchSubject): boolean {
  const { headers } = route.match;
  for (const name in headers) if (request.headers[name] !== headers[name]) return false;
  return true;
}
