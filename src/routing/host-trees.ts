import { covers } from './path-pattern.ts';
import type { Route } from './route.ts';
import { searchFor, SegmentTree, type Search } from './segment-tree.ts';

/**
 * A {@link SegmentTree} for each host that routes name, for each pattern of hosts, and for those that name none; asked in
 * this order, longer patterns first. Where no route names a host, it is one tree and nothing else.
 */
export class HostTrees {
  readonly #open: SegmentTree;
  readonly #byHost: ReadonlyMap<string, SegmentTree> | undefined;
  /** Lengths of the patterns of hosts without their `*`, longest first: not by the dots of what a client sends. */
  readonly #suffixes: readonly number[] = [];
  /** The controllers, where others name hosts: a path of theirs is theirs at each host. */
  readonly #handlers: SegmentTree | undefined;
  readonly #isRanked: boolean;

  /** @param isFolded as in {@link SegmentTree}. */
  constructor(routes: readonly Route[], isFolded = false) {
    const byHost = new Map<string, Route[]>();
    for (const route of routes) {
      for (const host of new Set(route.match.hosts)) {
        const key = host.replace(/^\*/, '');
        const others = byHost.get(key);
        if (others === undefined) byHost.set(key, [route]);
        else others.push(route);
      }
    }
    const open = byHost.size === 0 ? routes : routes.filter(({ match }) => match.hosts.length === 0);
    this.#open = new SegmentTree(open, isFolded);
    this.#isRanked = byHost.size > 0 && routes.some(({ priority }) => priority !== 0);
    if (byHost.size === 0) return;
    this.#byHost = new Map([...byHost].map(([host, some]) => [host, new SegmentTree(some, isFolded)]));
    const suffixes = [...byHost.keys()].filter((host) => host.startsWith('.'));
    this.#suffixes = [...new Set(suffixes.map(({ length }) => length))].sort((a, b) => b - a);
    const handlers = open.filter(({ door }) => door === 'handler');
    if (handlers.length > 0) this.#handlers = new SegmentTree(handlers, isFolded);
  }

  /** The route that takes what is searched for. */
  find(search: Search): Route | undefined {
    if (this.#byHost === undefined) return this.#open.find(search);
    const handler = this.#handlers === undefined ? undefined : searchFor(search.asked, search.path);
    const own = handler && this.#handlers?.find(handler);
    const found = this.#findByHost(search, this.#byHost);
    const blocker = own ?? handler?.owner;
    // Fastify gives a controller every path of its pattern; only a more specific pattern is another's.
    if (handler === undefined || blocker === undefined) return found;
    if (found !== undefined && isMoreSpecific(found, blocker)) return found;
    search.params.splice(0, search.params.length, ...handler.params);
    for (const method of handler.allow) search.allow.add(method);
    search.owner = blocker;
    return own;
  }

  #findByHost(search: Search, byHost: ReadonlyMap<string, SegmentTree>): Route | undefined {
    const { host } = search.asked;
    // A host that begins with a dot is none that could be named.
    let best = host.startsWith('.') ? undefined : this.#better(byHost.get(host), search, undefined);
    for (const length of this.#suffixes) {
      if (this.#isDone(best, search)) return best;
      if (length < host.length) best = this.#better(byHost.get(host.slice(-length)), search, best);
    }
    return this.#isDone(best, search) ? best : this.#better(this.#open, search, best);
  }

  #isDone(best: Route | undefined, { owner }: Search): boolean {
    return owner !== undefined || (best !== undefined && !this.#isRanked);
  }

  // A ranked tree finds what has a higher priority than what was found before, and leaves `best` of the search otherwise.
  #better(tree: SegmentTree | undefined, search: Search, best: Route | undefined): Route | undefined {
    if (tree === undefined) return best;
    if (!this.#isRanked) return tree.find(search);
    const own = searchFor(search.asked, search.path);
    const found = tree.find(own);
    for (const method of own.allow) search.allow.add(method);
    search.owner ??= own.owner;
    if (found === undefined || (best !== undefined && best.priority >= found.priority)) return best;
    search.params.splice(0, search.params.length, ...own.params);
    return found;
  }
}

/** Whether a host is one of those, or fits a pattern of them. */
export function hostMatches(hosts: readonly string[], host: string): boolean {
  return hosts.some((one) =>
    one.startsWith('*.') ? host.endsWith(one.slice(1)) && host.length >= one.length : one === host,
  );
}

function isMoreSpecific({ pattern }: Route, { pattern: other }: Route): boolean {
  return covers(other, pattern) && !covers(pattern, other);
}
