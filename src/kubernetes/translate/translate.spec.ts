import { describe, expect, it } from '@jest/globals';
import { EDGE, serviceText, settingsOf, viewOf } from './scene.fixture.ts';
import type { Settings } from './settings.ts';
import { translate, type Translation } from './translate.ts';

const route = (name: string, spec: string): string => `
---
kind: HTTPRoute
metadata: { name: ${name} }
spec: { parentRefs: [{ name: edge }], ${spec} }
`;
const rule = (service: string): string => `rules: [{ backendRefs: [{ name: ${service}, port: 80 }] }]`;

function translated(
  text: string,
  more: Partial<Settings> = {},
  broken: readonly [string, string][] = [],
): Translation {
  return translate(viewOf(text), settingsOf(more), { check: () => [], broken: new Map(broken) });
}

describe('translate', () => {
  it('makes routes, upstreams and statuses, and the same of the same', () => {
    const text = EDGE + serviceText('a') + route('one', rule('a'));
    const { routes, upstreams, statuses } = translated(text);
    expect(routes.map(({ config }) => config)).toMatchObject([
      {
        id: 'httproute.default.one.0.0.0',
        match: { path: '/*' },
        upstream: 'k8s_default_a_80',
        policies: { authentication: 'public' },
      },
    ]);
    expect([...upstreams.keys()]).toEqual(['k8s_default_a_80']);
    expect(statuses.map(({ kind }) => kind)).toEqual(['HTTPRoute', 'GatewayClass', 'Gateway']);
    expect(translated(text)).toEqual(translated(text));
  });

  it('serves the older of two that say the same', () => {
    const { routes } = translated(
      EDGE + serviceText('a') + serviceText('b') + route('old', rule('a')) + route('new', rule('b')),
    );
    expect(routes.map(({ owner }) => owner.name)).toEqual(['old']);
  });

  it('makes no more routes than it may, and follows nobody for those that it refuses', () => {
    const text =
      EDGE +
      serviceText('a') +
      serviceText('b') +
      route('old', `hostnames: [a.test], ${rule('a')}`) +
      route('new', rule('b'));
    const { routes, upstreams, statuses } = translated(text, { maxRoutes: 1 });
    expect(routes.map(({ owner }) => owner.name)).toEqual(['old']);
    expect([...upstreams.keys()]).toEqual(['k8s_default_a_80']);
    expect(JSON.stringify(statuses[1]?.status)).toContain(
      'there are more than 1 routes (kubernetes.maxRoutes)',
    );
    const gateway = statuses.find(({ kind }) => kind === 'Gateway');
    expect(gateway?.status).toMatchObject({ listeners: [{ attachedRoutes: 1 }] });
  });

  it('keeps the upstreams of shares and of mirrors', () => {
    const shares =
      'rules: [{ backendRefs: [{ name: a, port: 80 }, { name: b, port: 80 }], filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: c, port: 80 } } }] }]';
    const calls =
      '\n---\nkind: GRPCRoute\nmetadata: { name: g }\nspec: { parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name: a, port: 80 }, { name: b, port: 80 }] }] }\n';
    const { upstreams } = translated(
      EDGE + ['a', 'b', 'c'].map((name) => serviceText(name)).join('') + route('one', shares) + calls,
    );
    expect([...upstreams.keys()].toSorted()).toEqual([
      'k8s_default_a_80',
      'k8s_default_a_80_grpc',
      'k8s_default_b_80',
      'k8s_default_b_80_grpc',
      'k8s_default_c_80',
    ]);
  });

  it('takes back what was said of a route that names none of our Gateways any more', () => {
    const status = (controllerName: string): string =>
      `\nstatus: { parents: [{ parentRef: { name: edge }, controllerName: ${controllerName}, conditions: [] }] }\n`;
    const moved = route('one', rule('a')).replace('name: edge', 'name: mesh');
    expect(translated(EDGE + moved + status('gatehouse.dev/gateway')).statuses[0]).toMatchObject({
      kind: 'HTTPRoute',
      status: { parents: [] },
    });
    expect(translated(EDGE + moved + status('mesh.example/c')).statuses[0]?.kind).toBe('GatewayClass');
  });

  it('leaves out what was found broken, and says why', () => {
    const { routes, statuses } = translated(EDGE + serviceText('a') + route('one', rule('a')), {}, [
      ['HTTPRoute default/one', 'match: bad'],
    ]);
    expect(routes).toEqual([]);
    expect(JSON.stringify(statuses[0]?.status)).toContain('match: bad');
  });

  it('opens ports that Gateways ask for, where the file has listeners', () => {
    expect(translated(EDGE, { ports: { 80: 8081 } }).listeners).toEqual([{ port: 8081, http2: true }]);
    expect(translated(EDGE).listeners).toEqual([]);
    expect(translated(EDGE, { filePorts: undefined }).listeners).toEqual([]);
  });

  it('refuses parameters of a class', () => {
    const { statuses } = translated(
      EDGE.replace('spec: { controllerName', 'spec: { parametersRef: {}, controllerName'),
    );
    expect(JSON.stringify(statuses.find(({ kind }) => kind === 'GatewayClass')?.status)).toContain(
      'InvalidParameters',
    );
  });
});
