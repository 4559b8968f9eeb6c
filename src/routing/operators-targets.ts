import type { ConfigFault } from '../config/config-fault.ts';
import {
  isOperatorsPlace,
  OPERATORS_WARNING,
  type OperatorsPlace,
} from '../upstreams/transport/operators-places.ts';
import { FaultPlaces } from './fault-places.ts';
import type { GatewaySource } from './table-builder.ts';

/**
 * Warns of targets that are the operators' own listener: every connection to one ends, so that each request is refused with
 * `upstream-unreachable`. Those that are found while the gateway runs cannot be known.
 */
export function operatorsTargets(source: GatewaySource, place: OperatorsPlace): ConfigFault[] {
  const places = new FaultPlaces(source);
  return Object.entries(source.value.upstreams).flatMap(([name, { targets }]) =>
    targets.flatMap(({ url }, index) => {
      const { hostname, port, protocol } = new URL(url.replace(/^grpc/, 'http'));
      const host = hostname.replace(/^\[|\]$/g, '');
      if (!isOperatorsPlace(host, Number(port || (protocol === 'https:' ? 443 : 80)), place)) return [];
      const message = `${OPERATORS_WARNING}: name another target, or set ADMIN_PORT`;
      return places.placeSource({ path: ['upstreams', name, 'targets', index], message });
    }),
  );
}
