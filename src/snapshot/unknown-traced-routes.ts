import type { ConfigFault } from '../config/config-fault.ts';
import { nearestName } from '../config/nearest-name.ts';
import { FaultPlaces } from '../routing/fault-places.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** Warns of routes that `tracing.routes` names and that there are not: nothing is different for them. */
export function unknownTracedRoutes({ routes }: RouteTable, source: GatewaySource): ConfigFault[] {
  const { tracing } = source.value;
  if (tracing === undefined || tracing === 'off') return [];
  const known = new Set(routes.map(({ id }) => id));
  const places = new FaultPlaces(source);
  return Object.keys(tracing.routes)
    .filter((id) => !known.has(id))
    .map((id) => {
      const nearest = nearestName(id, [...known]);
      const meant = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
      const message = `there is no route "${id}", so that this holds for none${meant}`;
      return places.placeSource({ path: ['tracing', 'routes', id], message });
    });
}
