import type { ConfigFault } from '../config/config-fault.ts';
import { rankOf } from './candidates.ts';
import { withoutChosen } from './chosen-routes.ts';
import { excludeEachOther } from './conditions.ts';
import { FaultPlaces, type RouteRemark } from './fault-places.ts';
import { segmentKey } from './path-pattern.ts';
import type { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { methodMatches } from './segment-tree.ts';
import type { GatewaySource } from './table-builder.ts';

/** So many earlier routes are looked at for each route: a table is checked in time that grows with it. */
const MOST = 20;

/**
 * Warns of two routes of the file of which a request can fulfill both, while nothing but their order says which one takes
 * it. That may be meant; one that takes no request at all is a fault, and told as such.
 */
export function ambiguities(table: RouteTable, source: GatewaySource): ConfigFault[] {
  const places = new FaultPlaces(source);
  const groups = new Map<string, Route[]>();
  const remarks: RouteRemark[] = [];
  for (const route of withoutChosen(table.routes)) {
    if (route.door === 'handler' || route.action.isPending) continue;
    const own = groupsOf(groups, route);
    const rival = own.flatMap((group) => group.slice(-MOST)).find((other) => canTakeTheSame(other, route));
    if (rival !== undefined) remarks.push(remarkOn(route, rival));
    for (const group of own) group.push(route);
  }
  return remarks.map((remark) => places.place(remark));
}

// Only those of one place and one rank have nothing but their order.
function groupsOf(groups: Map<string, Route[]>, route: Route): Route[][] {
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
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    return group;
  });
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
