import type { Exchange } from '../exchange/exchange.ts';
import { AskedValues } from './asked-values.ts';
import { Candidates } from './candidates.ts';
import { compileLinear, type LinearPattern } from '../config/linear-pattern.ts';
import {
  sampleSegment,
  type ParameterSegment,
  type PathPattern,
  type PatternSegment,
} from './path-pattern.ts';
import type { PreflightCandidates } from './preflight-candidates.ts';
import { foldPath } from './request-path.ts';
import type { Route } from './route.ts';

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

/** What most places of a tree do not have. */
interface More {
  /** Below parameters with an expression, in the order in which they were declared. */
  readonly constrained: Branch[];
  /** Routes that take a path with a slash at its end. */
  slashed: Candidates | undefined;
}

/** What lies below a parameter with an expression. */
interface Branch {
  readonly key: string;
  /** What stands for it in samples. */
  readonly sample: string;
  readonly node: Node;
  fits(segment: string): boolean;
}

/** One place in the tree of path segments. What most places do not have takes no memory, which requests would walk through. */
class Node {
  literals: ReadonlyMap<string, Node> = NONE;
  parameter: Node | undefined = undefined;
  /** Routes whose pattern ends here. */
  exact: Candidates | undefined = undefined;
  /** Routes whose pattern ends here with `/*`. */
  rest: Candidates | undefined = undefined;
  more: More | undefined = undefined;
  #own: Map<string, Node> | undefined = undefined;

  /** Adds the place below a literal segment. */
  add(text: string): Node {
    this.literals = this.#own ??= new Map();
    const next = new Node();
    this.#own.set(text, next);
    return next;
  }

  /** Makes room for what most places do not have. */
  withMore(): More {
    return (this.more ??= { constrained: [], slashed: undefined });
  }
}

/** What a route is looked for by. */
export type MatchSubject = Pick<Exchange, 'path' | 'host' | 'method' | 'request' | 'query'> & {
  /** The keys of conditions that count as fulfilled; only for requests that nobody has sent. */
  readonly assumed?: ReadonlySet<string>;
  /** Collects who may take a request that only its preflight is known of. */
  readonly preflight?: PreflightCandidates;
};

/** What a search has found out so far. */
export interface Search {
  readonly asked: MatchSubject;
  readonly path: string;
  /** Values of the parameters, in the order of the pattern that was found. */
  readonly params: string[];
  /** Methods that would have been taken. */
  readonly allow: Set<string>;
  /** Who owns the path and does not take it: no less specific pattern may. */
  owner: Route | undefined;
  /** Made for the first route that asks for values. */
  values: AskedValues | undefined;
  /** The best so far, where not the first one that is found is it. */
  best: { readonly route: Route; readonly params: readonly string[] } | undefined;
}

/** Begins a search for what is asked. */
export function searchFor(asked: MatchSubject, path: string): Search {
  const [owner, values, best] = [undefined, undefined, undefined];
  return { asked, path, params: [], allow: new Set(), owner, values, best };
}

/**
 * Routes by the segments of their paths: literal before `{param:regex}` before `{param}` before `*`, going back when the
 * conditions of a more specific pattern (method, header fields and so on) do not hold; so the cost of a search grows with
 * the length of the path, not with the number of routes, not even of those that differ only in a value.
 */
export class SegmentTree {
  readonly #root = new Node();
  readonly #isFolded: boolean;
  readonly #filled = new Set<Candidates>();
  /** Whether a less specific route may have a higher priority. */
  #isRanked = false;

  /** @param isFolded reads patterns in their folded form; the path of a search has to be folded, too. */
  constructor(routes: readonly Route[], isFolded = false) {
    this.#isFolded = isFolded;
    for (const route of routes) this.#insert(route);
    const lists = new Map<string, readonly string[]>();
    for (const candidates of this.#filled) candidates.seal(lists);
    this.#filled.clear();
  }

  /** The route that takes what is searched for. */
  find(search: Search): Route | undefined {
    const found = this.#descend(this.#root, 1, search);
    return this.#isRanked ? bestOf(search) : found;
  }

  #insert(route: Route): void {
    const { pattern, paths, priority } = route;
    this.#isRanked ||= priority !== 0;
    let node = this.#root;
    for (const segment of pattern.segments) node = this.#below(node, segment, pattern);
    if (pattern.wildcard) return this.#fill((node.rest ??= new Candidates()), route);
    const isBoth = paths.trailingSlash === 'ignore' && node !== this.#root;
    if (!pattern.slash || isBoth) this.#fill((node.exact ??= new Candidates()), route);
    if (pattern.slash || isBoth) this.#fill((node.withMore().slashed ??= new Candidates()), route);
  }

  #fill(candidates: Candidates, route: Route): void {
    candidates.add(route);
    this.#filled.add(candidates);
  }

  #below(node: Node, segment: PatternSegment, pattern: PathPattern): Node {
    if (segment.kind === 'literal') {
      const text = this.#isFolded ? foldPath(segment.text) : segment.text;
      return node.literals.get(text) ?? node.add(text);
    }
    if (segment.pattern === undefined) return (node.parameter ??= new Node());
    const { constrained } = node.withMore();
    const verb = segment === pattern.segments.at(-1) && !pattern.wildcard ? pattern.verb : undefined;
    const key = `${segment.pattern.source}\n${verb ?? ''}`;
    let branch = constrained.find((one) => one.key === key);
    if (branch === undefined)
      constrained.push((branch = this.#branch(segment, segment.pattern, { key, verb })));
    return branch.node;
  }

  #branch(
    segment: ParameterSegment,
    { source, matches }: LinearPattern,
    { key, verb }: { readonly key: string; readonly verb: string | undefined },
  ): Branch {
    const test = this.#isFolded ? compileLinear(`(?i)(?:${source})`).matches : matches;
    const end = verb === undefined ? undefined : this.#isFolded ? foldPath(verb) : verb;
    return {
      key,
      sample: sampleSegment(segment) + (verb ?? ''),
      node: new Node(),
      fits: end === undefined ? test : (text) => text.endsWith(end) && test(text.slice(0, -end.length)),
    };
  }

  #descend(node: Node, start: number, search: Search): Route | undefined {
    const { path } = search;
    if (start >= path.length) return this.#end(node, start, search);
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const next = this.#into(node, path.slice(start, end), end + 1, search);
    return next ?? (search.owner !== undefined ? undefined : this.#takeRest(node, start, search));
  }

  // A path that ends in a slash has an empty last segment, which only `*` matches, and who says so.
  #end(node: Node, start: number, search: Search): Route | undefined {
    const { path, owner } = search;
    const isSlashed = start === path.length && start > 1;
    if (!isSlashed && node.more === undefined)
      return this.#choose(node.exact, search) ?? this.#takeRest(node, start, search);
    const bare = isSlashed ? path.slice(0, -1) : path;
    const { best } = search;
    const found = this.#choose(isSlashed ? node.more?.slashed : node.exact, search, bare);
    const taken = found ?? this.#takeRest(node, start, search);
    // Fails closed: many servers read `/admin/keys/` as `/admin/keys`, so it is not for the `/*` further up.
    if (taken === undefined && owner === undefined && search.best === best)
      search.owner = this.#ownerOf(isSlashed ? node.exact : node.more?.slashed, search, bare);
    return taken;
  }

  #into(node: Node, segment: string, start: number, search: Search): Route | undefined {
    const literal = node.literals.get(segment);
    const found = literal === undefined ? undefined : this.#descend(literal, start, search);
    if (found !== undefined || search.owner !== undefined) return found;
    if (node.more !== undefined) {
      for (const branch of node.more.constrained) {
        const isSample = search.asked.assumed !== undefined && segment === branch.sample;
        if (!isSample && !branch.fits(segment)) continue;
        const constrained = this.#intoParameter(branch.node, segment, start, search);
        if (constrained !== undefined || search.owner !== undefined) return constrained;
      }
    }
    return node.parameter === undefined
      ? undefined
      : this.#intoParameter(node.parameter, segment, start, search);
  }

  #intoParameter(node: Node, segment: string, start: number, search: Search): Route | undefined {
    search.params.push(segment);
    const found = this.#descend(node, start, search);
    if (found === undefined) search.params.pop();
    return found;
  }

  #takeRest(node: Node, start: number, search: Search): Route | undefined {
    if (node.rest === undefined || search.owner !== undefined) return undefined;
    if (this.#isRanked) {
      search.params.push(search.path.slice(start));
      this.#choose(node.rest, search);
      search.params.pop();
      return undefined;
    }
    const route = this.#choose(node.rest, search);
    if (route !== undefined) search.params.push(search.path.slice(start));
    return route;
  }

  #choose(candidates: Candidates | undefined, search: Search, path = search.path): Route | undefined {
    if (candidates === undefined) return undefined;
    const { only, methods } = candidates;
    if (only !== undefined && isAmong(methods, search.asked.method))
      return this.#isRanked ? this.#rank(only, search) : only;
    for (const route of candidates.of(search)) {
      if (!this.#fits(route, path, search)) continue;
      if (methodMatches(route, search.asked.method))
        return this.#isRanked ? this.#rank(route, search) : route;
      for (const method of route.match.methods) search.allow.add(method);
      if (route.match.methods.includes('GET')) search.allow.add('HEAD');
      // A code-first route owns its path.
      if (route.door === 'handler') search.owner = route;
    }
    return undefined;
  }

  // The first one of a place is its best; of equal ones of several places it is the most specific, which comes first.
  #rank(route: Route, search: Search): undefined {
    if (search.best === undefined || route.priority > search.best.route.priority)
      search.best = { route, params: [...search.params] };
    // What Fastify gives to a controller has no other taker, whatever priority says.
    if (route.door === 'handler') search.owner = route;
    return undefined;
  }

  /** The first of some routes that would take the path with or without the slash at its end, with whatever method. */
  #ownerOf(candidates: Candidates | undefined, search: Search, bare: string): Route | undefined {
    return candidates
      ?.of(search)
      .find((route) => route.paths.trailingSlash === 'refuse' && this.#fits(route, bare, search));
  }

  #fits(route: Route, path: string, search: Search): boolean {
    return this.#verbMatches(route, path) && conditionsHold(route, search);
  }

  /** Whether the last segment ends in the verb of the pattern and is more than that. */
  #verbMatches({ pattern: { verb } }: Route, path: string): boolean {
    if (verb === undefined) return true;
    const text = this.#isFolded ? foldPath(verb) : verb;
    return path.endsWith(text) && path.at(-text.length - 1) !== '/';
  }
}

function bestOf(search: Search): Route | undefined {
  if (search.best === undefined) return undefined;
  search.params.splice(0, search.params.length, ...search.best.params);
  return search.best.route;
}

/** Whether a route takes a method; `GET` takes `HEAD` too (RFC 9110 section 9.3.2). */
export function methodMatches({ match }: Pick<Route, 'match'>, method: string): boolean {
  return isAmong(match.methods, method);
}

function isAmong(methods: readonly string[], method: string): boolean {
  return methods.length === 0 || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

/** Whether the values of a request are what a route asks for. */
export function conditionsHold(route: Route, search: Pick<Search, 'asked' | 'values' | 'best'>): boolean {
  const { conditions } = route;
  if (conditions.length === 0) return true;
  const { assumed, preflight } = search.asked;
  if (preflight !== undefined) return preflight.takes(route, search);
  const values = (search.values ??= new AskedValues(search.asked));
  return conditions.every((one) => one.holds(values) || assumed?.has(one.key) === true);
}
