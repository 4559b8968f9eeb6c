import { describe, expect, it } from '@jest/globals';
import { bindGateways, parentKey, selects, type BoundListener } from './gateways.ts';
import { settingsOf, viewOf } from './scene.fixture.ts';
import type { Settings } from './settings.ts';

const CLASS =
  'kind: GatewayClass\nmetadata: { name: gatehouse }\nspec: { controllerName: gatehouse.dev/gateway }\n---\n';
const gateway = (listeners: string, name = 'edge'): string =>
  `kind: Gateway\nmetadata: { name: ${name} }\nspec: { gatewayClassName: gatehouse, listeners: [${listeners}] }\n`;

function bound(text: string, more: Partial<Settings> = {}): readonly BoundListener[] {
  return bindGateways({ view: viewOf(CLASS + text), settings: settingsOf(more) }).flatMap(
    ({ listeners }) => listeners,
  );
}
const faults = (listeners: readonly BoundListener[]): readonly string[][] =>
  listeners.map(({ conditions }) =>
    conditions
      .filter(({ status, type }) => (status === 'False') !== (type === 'Conflicted'))
      .map(({ type, reason }) => `${type} ${reason}`),
  );

describe('bindGateways', () => {
  it('takes the Gateways of its own classes', () => {
    const others = gateway('{ name: a, port: 80, protocol: HTTP }').replace(
      'gatewayClassName: gatehouse',
      'gatewayClassName: nginx',
    );
    expect(bound(others)).toEqual([]);
    expect(bound(gateway('{ name: a, port: 80, protocol: HTTP }'))).toMatchObject([{ name: 'a', local: 80 }]);
  });

  it('goes by the ports that lead somewhere', () => {
    expect(bound(gateway('{ name: a, port: 80, protocol: HTTP }'), { ports: { 80: 8000 } })).toMatchObject([
      { local: 8000 },
    ]);
    expect(faults(bound(gateway('{ name: a, port: 81, protocol: HTTP }')))).toEqual([
      ['Accepted PortUnavailable', 'Programmed Invalid'],
    ]);
    const unusable = new Map([[80, 'is taken']]);
    expect(
      bound(gateway('{ name: a, port: 80, protocol: HTTP }'), { unusable })[0]?.conditions[0]?.message,
    ).toMatch(/is taken/);
  });

  it('tells listeners of one Gateway that are in conflict', () => {
    const same = '{ name: a, port: 80, protocol: HTTP }, { name: b, port: 80, protocol: HTTP }';
    expect(faults(bound(gateway(same))).map((one) => one[0])).toEqual([
      'Accepted HostnameConflict',
      'Accepted HostnameConflict',
    ]);
    const other = '{ name: a, port: 80, protocol: HTTP }, { name: b, port: 80, protocol: HTTPS }';
    expect(faults(bound(gateway(other)))[0]).toContain('Conflicted ProtocolConflict');
  });

  it('gives a port to the older of two Gateways that speak different protocols there', () => {
    const ports = { 443: 8443 };
    const older = gateway('{ name: a, port: 443, protocol: HTTP }');
    const younger = gateway('{ name: a, port: 443, protocol: HTTPS }', 'late');
    expect(bound(`${older}---\n${younger}`, { ports }).map(({ local }) => local)).toEqual([8443, undefined]);
  });

  it.each([
    ['protocol: TCP', 'UnsupportedProtocol'],
    ['protocol: HTTPS, tls: { mode: Passthrough }', 'UnsupportedValue'],
    ['protocol: HTTPS, tls: { options: { a: b } }', 'UnsupportedValue'],
  ])('refuses %s', (rest, reason) => {
    expect(faults(bound(gateway(`{ name: a, port: 80, ${rest} }`)))[0]?.[0]).toBe(`Accepted ${reason}`);
  });

  it('lets routes of namespaces attach as it says, and of none that it does not know', () => {
    const namespaces =
      'kind: Namespace\nmetadata: { name: shop, namespace: default, labels: { team: a } }\n---\n';
    const allows = (from: string): readonly boolean[] => {
      const text = gateway(
        `{ name: a, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { ${from} } } }`,
      );
      return ['default', 'shop', 'unknown'].map((name) => bound(namespaces + text)[0]?.allows(name) === true);
    };
    expect(allows('from: All')).toEqual([true, true, true]);
    expect(allows('')).toEqual([true, false, false]);
    expect(allows('from: Selector, selector: { matchLabels: { team: a } }')).toEqual([false, true, false]);
    expect(allows('from: None')).toEqual([false, false, false]);
  });

  it('takes the kinds of routes that it says, and tells those that it does not know', () => {
    const kinds = (text: string): BoundListener | undefined =>
      bound(gateway(`{ name: a, port: 80, protocol: HTTP, allowedRoutes: { kinds: [${text}] } }`))[0];
    expect(kinds('{ kind: GRPCRoute }')?.kinds).toEqual(['GRPCRoute']);
    expect(faults([kinds('{ kind: TCPRoute }, { kind: HTTPRoute }') as BoundListener])[0]).toEqual([
      'ResolvedRefs InvalidRouteKinds',
    ]);
  });
});

describe('selects', () => {
  it.each([
    [{ key: 'a', operator: 'In', values: ['1', '2'] }, true],
    [{ key: 'a', operator: 'NotIn', values: ['1'] }, false],
    [{ key: 'b', operator: 'NotIn', values: ['1'] }, true],
    [{ key: 'a', operator: 'Exists' }, true],
    [{ key: 'b', operator: 'DoesNotExist' }, true],
    [{ key: 'a', operator: 'Odd' }, false],
  ])('%j', (expression, takes) =>
    expect(selects({ matchExpressions: [expression] }, { a: '1' })).toBe(takes),
  );
});

describe('parentKey', () => {
  it('is that of a Gateway, and of nothing else', () => {
    expect(parentKey({ name: 'a' }, 'shop')).toBe('shop/a');
    expect(
      parentKey(
        { name: 'a', namespace: 'edge', group: 'gateway.networking.k8s.io', kind: 'Gateway' },
        'shop',
      ),
    ).toBe('edge/a');
    expect(parentKey({ name: 'a', kind: 'Service' }, 'shop')).toBeUndefined();
    expect(parentKey({ name: 'a', group: 'mesh.example' }, 'shop')).toBeUndefined();
  });
});
