import type { Exchange } from '../exchange/exchange.ts';
import type { Route } from './route.ts';

/** What candidates are chosen by. */
type CandidateSubject = Pick<Exchange, 'host' | 'request'>;

/** So many are looked at one by one; of more, those are found that a request can mean. */
const FEW = 8;

/**
 * The routes of one pattern, those with the most conditions first. Where many of them differ in their hosts or in the value
 * of a header field, as with a gateway of 10 000 tenants, only those are looked at that name the one of the request.
 */
export class Candidates {
  #routes: readonly Route[] = [];
  #added: Route[] = [];
  #index: CandidateIndex | undefined = undefined;

  /** Adds a route; it counts once they are sealed. */
  add(route: Route): void {
    this.#added.push(route);
  }

  /** Brings what was added into its order. */
  seal(): void {
    const counts = new Map(this.#added.map((route) => [route, conditionCount(route)]));
    const count = (route: Route): number => counts.get(route) as number;
    this.#routes = this.#added.sort((a, b) => count(b) - count(a));
    const axis = this.#routes.length > FEW ? commonAxis(this.#routes) : undefined;
    if (axis !== undefined) this.#index = new CandidateIndex(this.#routes, axis);
  }

  /** The candidates for a request, in their order; not all of their conditions need hold. */
  of(asked: CandidateSubject): readonly Route[] {
    return this.#index === undefined ? this.#routes : this.#index.of(asked);
  }
}

/** A condition that most routes of a list have. */
interface Axis {
  /** What a route wants; empty for one that takes everything. */
  wantedBy(route: Route): readonly string[];
  /** What a request offers to those; more than one where a pattern could be meant. */
  offeredBy(asked: CandidateSubject): readonly (string | undefined)[];
}

function commonAxis(routes: readonly Route[]): Axis | undefined {
  const counts = new Map<string, number>();
  const count = (name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { match } of routes) {
    if (match.hosts.length > 0) count('');
    for (const name of Object.keys(match.headers)) count(name);
  }
  const [[name, many] = ['', 0]] = [...counts].sort(([, a], [, b]) => b - a);
  if (many <= FEW) return undefined;
  return name === '' ? hostAxis(routes) : fieldAxis(name);
}

function fieldAxis(name: string): Axis {
  return {
    wantedBy: ({ match }) => (Object.hasOwn(match.headers, name) ? [match.headers[name] as string] : []),
    // A list of values is none of those that a route can want.
    offeredBy: ({ request }) => [request.headers[name] as string | undefined],
  };
}

function hostAxis(routes: readonly Route[]): Axis {
  const wanted = ({ match }: Route): readonly string[] => match.hosts.map((one) => one.replace(/^\*/, ''));
  // By the lengths that there are, not by the dots of what a client sends.
  const suffixes = new Set(routes.flatMap(wanted).filter((one) => one.startsWith('.')));
  const lengths = [...new Set([...suffixes].map(({ length }) => length))];
  return {
    wantedBy: wanted,
    offeredBy: ({ host }) => [
      host,
      ...lengths.filter((one) => one < host.length).map((one) => host.slice(-one)),
    ],
  };
}

/** Finds routes by what they want; keeps their places in the list of all, which is their order. */
class CandidateIndex {
  readonly #routes: readonly Route[];
  readonly #axis: Axis;
  readonly #wanted = new Map<string | undefined, number[]>();
  readonly #open: readonly number[];
  /** For a request that offers one thing: the answer for each, where few routes are open to all. */
  readonly #known = new Map<string | undefined, readonly Route[]>();
  readonly #others: readonly Route[];

  constructor(routes: readonly Route[], axis: Axis) {
    this.#routes = routes;
    this.#axis = axis;
    const open: number[] = [];
    routes.forEach((route, place) => {
      const wanted = new Set(axis.wantedBy(route));
      if (wanted.size === 0) open.push(place);
      for (const one of wanted) {
        const others = this.#wanted.get(one);
        if (others === undefined) this.#wanted.set(one, [place]);
        else others.push(place);
      }
    });
    this.#open = open;
    this.#others = this.#routesAt([]);
    // Many that are open, repeated for each of many others, would be too much memory.
    if (open.length <= FEW)
      for (const [one, places] of this.#wanted) this.#known.set(one, this.#routesAt(places));
  }

  of(asked: CandidateSubject): readonly Route[] {
    const offered = this.#axis.offeredBy(asked).filter((one) => this.#wanted.has(one));
    if (offered.length === 0) return this.#others;
    const known = offered.length === 1 ? this.#known.get(offered[0]) : undefined;
    return known ?? this.#routesAt(offered.flatMap((one) => this.#wanted.get(one) ?? []));
  }

  #routesAt(places: readonly number[]): readonly Route[] {
    const all = [...new Set([...places, ...this.#open])].sort((a, b) => a - b);
    return all.map((place) => this.#routes[place] as Route);
  }
}

function conditionCount({ match: { hosts, headers, methods }, pattern }: Route): number {
  const exactHosts = hosts.some((host) => !host.startsWith('*.'));
  const byHost = hosts.length === 0 ? 0 : exactHosts ? 2000 : 1000;
  const byVerb = pattern.verb === undefined ? 0 : 10_000;
  return byVerb + byHost + Object.keys(headers).length * 2 + (methods.length > 0 ? 1 : 0);
}
