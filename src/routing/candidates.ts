import { AskedValues } from './asked-values.ts';
import type { Condition } from './conditions.ts';
import type { Route } from './route.ts';
import type { Search } from './segment-tree.ts';

/** So many are looked at one by one; of more, those are found that a request can mean. */
const FEW = 8;
const NO_METHODS: readonly string[] = Object.freeze([]);

/**
 * The routes of one pattern, in the order in which they are asked: of a higher priority, with a verb, with methods, with
 * more conditions on header fields, then on the query, then on cookies, and of equal ones the one that was declared first.
 * Where many of them differ in one value, as with a gateway of 10 000 tenants, only those are looked at that name the one
 * of the request.
 */
export class Candidates {
  #routes: readonly Route[] = [];
  #added: Route[] = [];
  #index: CandidateIndex | undefined = undefined;
  /**
   * The only route, where nothing but its method has to be looked at, as with most patterns. In a table of thousands each
   * object that a search walks through is far away.
   */
  only: Route | undefined = undefined;
  /** The methods of that one, empty for all; the same list for routes of the same methods, so that it is near. */
  methods: readonly string[] = NO_METHODS;

  /** Adds a route; it counts once they are sealed. */
  add(route: Route): void {
    this.#added.push(route);
  }

  /**
   * Brings what was added into its order.
   *
   * @param lists of methods of the same table.
   */
  seal(lists = new Map<string, readonly string[]>()): void {
    this.#single(lists);
    const ranks = new Map(this.#added.map((route) => [route, rankOf(route)]));
    this.#routes = this.#added.sort((a, b) => compareRanks(ranks.get(a) ?? [], ranks.get(b) ?? []));
    const axis = this.#routes.length > FEW ? commonAxis(this.#routes) : undefined;
    if (axis !== undefined) this.#index = new CandidateIndex(this.#routes, axis);
  }

  #single(lists: Map<string, readonly string[]>): void {
    const [first, ...others] = this.#added;
    if (first === undefined || others.length > 0) return;
    if (first.conditions.length > 0 || first.pattern.verb !== undefined) return;
    const { methods } = first.match;
    const key = methods.join();
    const known = lists.get(key);
    if (known === undefined) lists.set(key, methods);
    this.only = first;
    this.methods = known ?? methods;
  }

  /** The candidates for a request, in their order; not all of their conditions need hold. */
  of(search: Pick<Search, 'asked' | 'values'>): readonly Route[] {
    if (this.#index === undefined) return this.#routes;
    // The value that a preflight would lead to is not known.
    if (search.asked.preflight !== undefined) return this.#routes;
    return this.#index.of((search.values ??= new AskedValues(search.asked)));
  }
}

/** What the routes of one pattern are ordered by; what comes first counts most, and more of it goes first. */
export function rankOf({ priority, pattern, match, conditions }: Route): readonly number[] {
  const count = (place: Condition['place']): number => conditions.filter((one) => one.place === place).length;
  const [verb, methods] = [Number(pattern.verb !== undefined), Number(match.methods.length > 0)];
  return [priority, verb, methods, count('header'), count('query'), count('cookie')];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? 0 : (b[at] as number) - (a[at] as number);
}

/** A value that most routes of a list ask for. */
type Axis = Pick<Condition, 'place' | 'name'>;

function commonAxis(routes: readonly Route[]): Axis | undefined {
  const counts = new Map<string, { readonly axis: Axis; count: number }>();
  for (const { conditions } of routes) {
    for (const { place, name, exact } of conditions) {
      if (exact === undefined) continue;
      const known = counts.get(`${place} ${name}`);
      if (known === undefined) counts.set(`${place} ${name}`, { axis: { place, name }, count: 1 });
      else known.count += 1;
    }
  }
  const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
  return most === undefined || most.count <= FEW ? undefined : most.axis;
}

/** Finds routes by the value that they want; keeps their places in the list of all, which is their order. */
class CandidateIndex {
  readonly #axis: Axis;
  /** Those that a value leads to: few of them, where few are open to all. */
  readonly #known = new Map<string, readonly Route[]>();
  readonly #wanted = new Map<string, readonly Placed[]>();
  readonly #open: readonly Placed[];
  readonly #others: readonly Route[];

  constructor(routes: readonly Route[], axis: Axis) {
    this.#axis = axis;
    const wanted = new Map<string, Placed[]>();
    const open: Placed[] = [];
    routes.forEach((route, place) => {
      const value = wantedBy(route, axis);
      const others = value === undefined ? open : wanted.get(value);
      if (others === undefined) wanted.set(value as string, [{ route, place }]);
      else others.push({ route, place });
    });
    this.#open = open;
    this.#others = open.map(({ route }) => route);
    // Many that are open, repeated for each of many others, would be too much memory.
    for (const [value, some] of wanted) {
      if (open.length <= FEW) this.#known.set(value, this.#withOpen(some));
      else this.#wanted.set(value, some);
    }
  }

  of(values: AskedValues): readonly Route[] {
    const value = values.only(this.#axis.place, this.#axis.name);
    if (value === undefined) return this.#others;
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const some = this.#wanted.get(value);
    return some === undefined ? this.#others : this.#withOpen(some);
  }

  #withOpen(some: readonly Placed[]): readonly Route[] {
    return [...some, ...this.#open].sort((a, b) => a.place - b.place).map(({ route }) => route);
  }
}

interface Placed {
  readonly place: number;
  readonly route: Route;
}

function wantedBy({ conditions }: Route, axis: Axis): string | undefined {
  return conditions.find(({ place, name }) => place === axis.place && name === axis.name)?.exact;
}
