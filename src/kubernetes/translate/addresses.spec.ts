import { describe, expect, it } from '@jest/globals';
import { addressesOf } from './addresses.ts';
import { settingsOf, viewOf } from './scene.fixture.ts';

describe('addressesOf', () => {
  it('are those that are given, and those of the Service', () => {
    const view = viewOf(`
kind: Service
metadata: { name: gw, namespace: edge }
status: { loadBalancer: { ingress: [{ ip: '2001:db8::1' }, { hostname: lb.example }, {}] } }
`);
    expect(
      addressesOf({ view, settings: settingsOf({ addresses: ['192.0.2.1'], service: 'edge/gw' }) }),
    ).toEqual([
      { type: 'IPAddress', value: '192.0.2.1' },
      { type: 'IPAddress', value: '2001:db8::1' },
      { type: 'Hostname', value: 'lb.example' },
    ]);
  });

  it('are at most sixteen, as the specification has it, and none of a Service that is not there', () => {
    const addresses = Array.from({ length: 15 }, (_, index) => `h${index}.example`);
    const view = viewOf(`
kind: Service
metadata: { name: gw, namespace: edge }
status: { loadBalancer: { ingress: [{ ip: 192.0.2.1 }, { ip: 192.0.2.2 }] } }
`);
    expect(addressesOf({ view, settings: settingsOf({ addresses, service: 'edge/gw' }) })).toHaveLength(16);
    expect(addressesOf({ view, settings: settingsOf({ service: 'edge/none' }) })).toEqual([]);
  });
});
