import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../resource.ts';
import { bindGateways } from './gateways.ts';
import { parentsOf, parentStatus, placesOf, type ParentVerdict } from './parents.ts';
import { settingsOf, viewOf } from './scene.fixture.ts';

const GATEWAY = `
kind: GatewayClass
metadata: { name: gatehouse }
spec: { controllerName: gatehouse.dev/gateway }
---
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: gatehouse
  listeners:
    - { name: a, port: 80, protocol: HTTP }
    - { name: b, port: 81, protocol: HTTP, hostname: '*.b.test' }
    - { name: c, port: 82, protocol: HTTP, allowedRoutes: { kinds: [{ kind: GRPCRoute }] } }
`;

function verdicts(spec: string): readonly ParentVerdict[] {
  const view = viewOf(`${GATEWAY}---\nkind: HTTPRoute\nmetadata: { name: r }\nspec: { ${spec} }\n`);
  const gateways = bindGateways({ view, settings: settingsOf({ ports: { 80: 80, 81: 81, 82: 82 } }) });
  return parentsOf(view.all('HTTPRoute')[0] as Resource, gateways);
}

describe('parentsOf', () => {
  it.each([
    ['parentRefs: [{ name: none }]', []],
    ['parentRefs: [{ name: edge, sectionName: z }]', ['NoMatchingParent']],
    ['parentRefs: [{ name: edge, port: 99 }]', ['NoMatchingParent']],
    ['parentRefs: [{ name: edge, sectionName: c }]', ['NotAllowedByListeners']],
    ['parentRefs: [{ name: edge, sectionName: b }], hostnames: [x.test]', ['NoMatchingListenerHostname']],
    ['parentRefs: [{ name: edge }]', ['Accepted']],
  ])('%s', (spec, reasons) => expect(verdicts(spec).map(({ accepted }) => accepted.reason)).toEqual(reasons));

  it('attaches to each listener the hosts that both have', () => {
    const [one] = verdicts('parentRefs: [{ name: edge }], hostnames: [X.b.test, y.test]');
    expect(one?.attachments.map(({ listener, hosts }) => [listener.name, hosts])).toEqual([
      ['a', ['x.b.test', 'y.test']],
      ['b', ['x.b.test']],
    ]);
  });
});

describe('placesOf', () => {
  it('puts together what differs in the port alone', () => {
    const all = verdicts('parentRefs: [{ name: edge }], hostnames: [x.b.test]');
    expect(placesOf(all, () => '').map(({ ports, hosts }) => [ports, hosts])).toEqual([
      [[80, 81], ['x.b.test']],
    ]);
    expect(placesOf(all, (_gateway, section) => section).map(({ ports }) => ports)).toEqual([[80], [81]]);
  });
});

describe('parentStatus', () => {
  it('says the reference as it was, without what it did not say', () => {
    const ref = { name: 'edge', namespace: '', port: 80, other: 'x' };
    expect(parentStatus(ref, 'c', [])).toEqual({
      parentRef: { name: 'edge', port: 80 },
      controllerName: 'c',
      conditions: [],
    });
  });
});
