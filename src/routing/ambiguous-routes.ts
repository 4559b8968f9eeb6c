import type { ConfigFault } from '../config/config-fault.ts';
import { rankOf } from './candidates.ts';
import { withoutChosen } from './chosen-routes.ts';
import { excludeEachOther, type Condition } from './conditions.ts';
import { FaultPlaces, type RouteRemark } from './fault-places.ts';
import { segmentKey } from './path-pattern.ts';
import type { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { methodMatches } from './segment-tree.ts';
import type { GatewaySource } from './table-builder.ts';

/**
 * So many pairs of routes are compared in all, of those that have one host, path and rank and do not want other values of the
 * same name: enough for all pairs of 1400 routes of one path. Two conditions can exclude each other in any of many names, for
 * which there is no order to search by; so beyond that a route is compared with so many before it, and the report says so.
 */
const ENOUGH = 1_000_000;
const MOST = 200;

/**
 * Warns of two routes of the file of which a request can fulfill both, while nothing but their order says which one takes
 * it. That may be meant; one that takes no request at all is a fault, and told as such.
 *
 * @param enough how many pairs are compared before fewer are. Default 1 000 000.
 */
export function ambiguities(table: RouteTable, source: GatewaySource, enough = ENOUGH): ConfigFault[] {
  const places = new FaultPlaces(source);
  const groups = new Map<string, Group>();
  const remarks: RouteRemark[] = [];
  const budget: Budget = { left: enough, cut: [] };
  for (const route of withoutChosen(table.routes)) {
    if (route.door === 'handler' || route.action.isPending) continue;
    const own = groupsOf(groups, route);
    const rival = firstOf(own, (group) => group.rivalOf(route, budget));
    if (rival !== undefined) remarks.push(remarkOn(route, rival));
    for (const group of own) group.add(route);
  }
  const [cut] = budget.cut;
  if (cut !== undefined) remarks.push(remarkOnCut(cut, budget.cut.length));
  return remarks.map((remark) => places.place(remark));
}

// Only those of one place and one rank have nothing but their order.
function groupsOf(groups: Map<string, Group>, route: Route): Group[] {
  const { pattern, match } = route;
  const shape = [
    pattern.segments.map(segmentKey),
    pattern.wildcard,
    pattern.slash,
    pattern.verb,
    rankOf(route),
  ];
  return [...new Set(match.hosts.length === 0 ? [''] : match.hosts)].map((host) => {
    const key = JSON.stringify([host, shape]);
    const group = groups.get(key) ?? new Group();
    groups.set(key, group);
    return group;
  });
}

interface Ordered {
  readonly order: number;
  readonly route: Route;
}

/** Routes of one host, path and rank; by the value that each wants in its first exact condition. */
class Group {
  /** By the place and name of a value: the routes by the value that they want. */
  readonly #byValue = new Map<string, Map<string, Ordered[]>>();
  readonly #open: Ordered[] = [];
  #size = 0;

  add(route: Route): void {
    const ordered = { order: (this.#size += 1), route };
    const [name, value] = wantedBy(route);
    if (name === undefined || value === undefined) return void this.#open.push(ordered);
    const values = this.#byValue.get(name) ?? new Map<string, Ordered[]>();
    this.#byValue.set(name, values);
    const others = values.get(value);
    if (others === undefined) values.set(value, [ordered]);
    else others.push(ordered);
  }

  /** The first of them that a request can be meant for as well. */
  rivalOf(route: Route, budget: Budget): Route | undefined {
    const most = Math.max(MOST, budget.left);
    const search: RivalSearch = { route, left: most, first: undefined };
    this.#look(search);
    budget.left -= most - search.left;
    if (search.left < 0 && search.first === undefined) budget.cut.push(route);
    return search.first?.route;
  }

  #look(search: RivalSearch): void {
    const { route } = search;
    lookAmong(this.#open, search);
    for (const [name, values] of this.#byValue) {
      const exact = route.conditions.find((one) => nameOf(one) === name)?.exact;
      // Who wants another value can never be meant together with it.
      const lists = exact === undefined ? values.values() : [values.get(exact) ?? []];
      for (const list of lists) if (!lookAmong(list, search)) break;
      // Names stand in the order of their first routes: what follows comes later than what was found.
      if (search.left < 0 || isLater(values.values().next().value, search)) break;
    }
  }
}

/** What a whole table may cost. */
interface Budget {
  /** How many pairs may still be compared. */
  left: number;
  /** Routes that were not compared with all before them, and for which none was found. */
  readonly cut: Route[];
}

interface RivalSearch {
  readonly route: Route;
  /** How many may still be looked at. */
  left: number;
  first: Ordered | undefined;
}

/** @returns whether lists whose routes come later may still have an earlier one. */
function lookAmong(list: readonly Ordered[], search: RivalSearch): boolean {
  for (const other of list) {
    if (isLater([other], search) || (search.left -= 1) < 0) return false;
    if (!canTakeTheSame(other.route, search.route)) continue;
    search.first = other;
    return true;
  }
  return true;
}

function isLater(list: readonly Ordered[] | undefined, { first }: RivalSearch): boolean {
  const order = list?.[0]?.order;
  return first !== undefined && order !== undefined && order >= first.order;
}

function wantedBy({ conditions }: Route): readonly [name?: string, value?: string] {
  const first = conditions.find(({ exact }) => exact !== undefined);
  return first === undefined ? [] : [nameOf(first), first.exact as string];
}

function nameOf({ place, name }: Pick<Condition, 'place' | 'name'>): string {
  return `${place} ${name}`;
}

function firstOf<Value, Result>(
  values: readonly Value[],
  find: (value: Value) => Result | undefined,
): Result | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function canTakeTheSame(one: Route, other: Route): boolean {
  if (!shareMethods(one, other)) return false;
  return !one.conditions.some((a) => other.conditions.some((b) => excludeEachOther(a, b)));
}

function shareMethods(one: Route, other: Route): boolean {
  const { methods } = one.match;
  // Of one rank both name methods, or neither does.
  return methods.length === 0 || methods.some((method) => methodMatches(other, method));
}

function remarkOn(route: Route, rival: Route): RouteRemark {
  const message =
    `a request can be meant for this route and for the route "${rival.id}" (${rival.pattern.source}, ${rival.origin}), ` +
    'which takes it because it stands first; say which one with `priority`, or make their conditions exclude each other';
  return { definition: route, key: ['match'], message };
}

function remarkOnCut(route: Route, count: number): RouteRemark {
  const message =
    `too many routes have this host and path to compare all of them: from here on ${count} were compared with ${MOST} before them ` +
    'and no more; a request can be meant for two of them without a word about it';
  return { definition: route, key: ['match'], message };
}
