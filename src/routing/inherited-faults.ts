import type { ConfigFault } from '../config/config-fault.ts';
import type { FaultPlaces } from './fault-places.ts';
import type { RouteFault } from './route-fault.ts';

const MOST_NAMED = 3;

/**
 * Places what is wrong with routes. A policy of `defaults` that is at fault in the same way on several routes is told once,
 * where it stands, with how many routes it is; on a single one it is a matter of that route.
 */
export function placedOnce(faults: readonly RouteFault[], placed: FaultPlaces): ConfigFault[] {
  const alike = Map.groupBy(faults, (fault) =>
    fault.inherited === undefined ? fault : JSON.stringify([fault.inherited, fault.key, fault.message]),
  );
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (first?.inherited === undefined || same.length === 1) return same.map((fault) => placed.place(fault));
    const { key, inherited, message, suggestion } = first;
    // A stage says where in its policy the fault is, or nothing.
    const path = ['defaults', 'policies', inherited, ...key.slice(2)];
    return [placed.placeSource({ path, message: `${message} (${routesOf(same)})`, suggestion })];
  });
}

function routesOf(faults: readonly RouteFault[]): string {
  const ids = faults.map(({ definition }) => definition.id);
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return ids.length > MOST_NAMED ? `on ${ids.length} routes, such as ${named}` : `on routes ${named}`;
}
