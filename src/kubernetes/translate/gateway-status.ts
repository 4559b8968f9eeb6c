import { listOf, titleOf, type Json } from '../resource.ts';
import { fails, holds } from './conditions.ts';
import { GROUP, type BoundGateway } from './gateways.ts';

/** The status of a Gateway. */
export function gatewayStatus({ gateway, listeners }: BoundGateway, addresses: readonly Json[]): Json {
  const bad = listeners.filter(({ local }) => local === undefined);
  const message = bad.map(({ name }) => name).join(', ');
  const isWhole = bad.length === 0;
  const asked = listOf(gateway.spec['addresses']).length > 0;
  const accepted = asked
    ? fails(
        'Accepted',
        'UnsupportedAddress',
        'addresses: cannot be chosen; the gateway has those of its Service',
      )
    : isWhole
      ? holds('Accepted')
      : bad.length < listeners.length
        ? holds(
            'Accepted',
            'ListenersNotValid',
            `of ${titleOf(gateway)} these listeners are not served: ${message}`,
          )
        : fails('Accepted', 'ListenersNotValid', `none of the listeners can be served: ${message}`);
  const programmed =
    bad.length < listeners.length
      ? holds('Programmed')
      : fails('Programmed', 'Invalid', `none of the listeners can be served: ${message}`);
  return {
    addresses,
    conditions: [accepted, programmed],
    listeners: listeners.map(({ name, kinds, attached, conditions }) => ({
      name,
      supportedKinds: kinds.map((kind) => ({ group: GROUP, kind })),
      attachedRoutes: attached.size,
      conditions,
    })),
  };
}
