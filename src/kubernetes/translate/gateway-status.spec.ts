import { describe, expect, it } from '@jest/globals';
import type { Condition } from '../resource.ts';
import { gatewayStatus } from './gateway-status.ts';
import { bindGateways, type BoundGateway } from './gateways.ts';
import { EDGE, settingsOf, viewOf } from './scene.fixture.ts';

const [GOOD, BAD] = ['{ name: good, port: 80, protocol: HTTP }', '{ name: bad, port: 81, protocol: HTTP }'];

function conditionsOf(listeners: string, more = ''): readonly string[] {
  const text = EDGE.replace(/listeners: \[.*\]/, `${more} listeners: [${listeners}]`);
  const [gateway] = bindGateways({ view: viewOf(text), settings: settingsOf() });
  const { conditions } = gatewayStatus(gateway as BoundGateway, []) as unknown as { conditions: Condition[] };
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

describe('gatewayStatus', () => {
  it.each([
    [GOOD, '', ['Accepted True Accepted', 'Programmed True Programmed']],
    [`${GOOD}, ${BAD}`, '', ['Accepted True ListenersNotValid', 'Programmed True Programmed']],
    [BAD, '', ['Accepted False ListenersNotValid', 'Programmed False Invalid']],
    [
      GOOD,
      'addresses: [{ value: 192.0.2.1 }],',
      ['Accepted False UnsupportedAddress', 'Programmed True Programmed'],
    ],
  ])('of %s %s', (listeners, more, conditions) => expect(conditionsOf(listeners, more)).toEqual(conditions));
});
