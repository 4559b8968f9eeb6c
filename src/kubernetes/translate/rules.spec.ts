import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../resource.ts';
import { Backends } from './backends.ts';
import { readGrpcRule, readRule, type ReadRule } from './rules.ts';
import { serviceText, settingsOf, viewOf } from './scene.fixture.ts';

const view = viewOf(`
kind: HTTPRoute
metadata: { name: r }
${serviceText('a')}${serviceText('b')}
`);
const route = view.all('HTTPRoute')[0] as Resource;
const read = (rule: object): ReadRule =>
  readRule(
    route,
    rule as Record<string, unknown>,
    'rules[0]',
    new Backends({ view, settings: settingsOf() }),
  );
const readCalls = (rule: object): ReadRule =>
  readGrpcRule(
    route,
    rule as Record<string, unknown>,
    'rules[0]',
    new Backends({ view, settings: settingsOf() }),
  );
const ref = (name: string, weight?: number): object => ({
  name,
  port: 80,
  ...(weight !== undefined && { weight }),
});

describe('readRule', () => {
  it('matches everything where it says nothing', () => {
    expect(read({ backendRefs: [ref('a')] })).toMatchObject({
      matches: [{ path: '/*' }],
      route: { upstream: 'k8s_default_a_80' },
      faults: [],
    });
  });

  it('shares by weight; the first that has one is the upstream of the route', () => {
    expect(read({ backendRefs: [ref('a', 0), ref('b', 2), ref('none', 3)] })).toMatchObject({
      route: { upstream: 'k8s_default_b_80', split: { weight: 2, others: [{ refuse: true, weight: 3 }] } },
      faults: [{ reason: 'BackendNotFound' }],
    });
  });

  it('answers 500 where nobody is there', () => {
    for (const backendRefs of [[], [ref('none')], [ref('a', 0)]])
      expect(read({ backendRefs }).route).toEqual({ respond: { status: 500 } });
  });

  it('has no WebSocket and no tries where it redirects', () => {
    const filters = [{ type: 'RequestRedirect', requestRedirect: { hostname: 'x' } }];
    expect(read({ filters, retry: { attempts: 3 } }).route).toEqual({ redirect: { host: 'x', status: 302 } });
    expect(() => read({ filters, backendRefs: [ref('a')] })).toThrow(/expected none beside RequestRedirect/);
  });

  it.each([
    [{ sessionPersistence: {} }, /rules\[0\]\.sessionPersistence/],
    [{ backendRefs: [{ ...ref('a'), filters: [{ type: 'CORS' }] }] }, /backendRefs\[0\]\.filters/],
    [
      {
        matches: [{ path: { type: 'Exact', value: '/a' } }],
        filters: [
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
          },
        ],
        backendRefs: [ref('a')],
      },
      /needs matches of type PathPrefix/,
    ],
    [
      {
        filters: [{ type: 'RequestMirror', requestMirror: { backendRef: ref('a') } }],
        backendRefs: [ref('a')],
      },
      /expected another Service/,
    ],
  ])('refuses %j', (rule, why) => expect(() => read(rule)).toThrow(why));

  it('serves requests whose copies nobody would get, and says so', () => {
    const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: ref('none') } }];
    const { route: made, faults } = read({ filters, backendRefs: [ref('a')] });
    expect([made['upstream'], made['mirror'], faults.map(({ reason }) => reason)]).toEqual([
      'k8s_default_a_80',
      undefined,
      ['BackendNotFound'],
    ]);
  });
});

describe('readGrpcRule', () => {
  it('passes calls on, to several by weight', () => {
    expect(readCalls({ backendRefs: [ref('a')] }).route).toEqual({
      upstream: 'k8s_default_a_80_grpc',
      passGrpc: true,
    });
    expect(readCalls({ backendRefs: [ref('a', 1), ref('b', 3), ref('none')] }).route).toEqual({
      upstream: 'k8s_default_a_80_grpc',
      passGrpc: {
        split: {
          weight: 1,
          others: [
            { upstream: 'k8s_default_b_80_grpc', weight: 3 },
            { refuse: true, weight: 1 },
          ],
        },
      },
    });
  });

  it('answers UNAVAILABLE where nobody is there', () => {
    expect(readCalls({ backendRefs: [ref('none')] }).route).toEqual({ respond: { status: 503 } });
  });

  it('refuses a mirror', () => {
    const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: ref('b') } }];
    expect(() => readCalls({ filters, backendRefs: [ref('a')] })).toThrow(/RequestMirror of a GRPCRoute/);
  });
});
