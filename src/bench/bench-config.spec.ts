import { describe, expect, it } from '@jest/globals';
import type { Route } from '../routing/route.ts';
import { benchConfig, uncopied, variantsOf } from './bench-config.ts';

const route = (levels: Readonly<Record<string, string>>): Route =>
  ({
    levels,
    policies: Object.fromEntries(Object.keys(levels).map((name) => [name, {}])),
  }) as unknown as Route;

describe('variantsOf', () => {
  it('leaves out each policy that somebody says, and who may with who calls', () => {
    const levels = {
      authentication: 'defaults',
      authorization: 'route',
      rateLimit: 'route',
      bodyIdle: 'gateway',
    };
    expect(variantsOf(route(levels), { match: { path: '/a' } }).map(({ without }) => without)).toEqual([
      [],
      ['authentication', 'authorization'],
      ['authorization'],
      ['rateLimit'],
    ]);
  });

  it('has none of what cannot be copied', () => {
    expect(variantsOf(route({ deadline: 'route' }), undefined)).toEqual([]);
    expect(variantsOf(route({ deadline: 'route' }), { grpc: { service: 'a.B' } })).toEqual([]);
  });

  it('says why there are none', () => {
    expect(uncopied({ match: { path: '/a' } })).toBeUndefined();
    expect(uncopied(undefined)).toMatch(/of code or of a gRPC service$/);
    expect(uncopied({ match: { path: '/a' }, versions: {} })).toMatch(/it has versions$/);
    expect(uncopied({ grpc: { service: 'a.B' } })).toMatch(/no `match` of its own$/);
  });
});

describe('benchConfig', () => {
  const given = {
    version: 1,
    listeners: [{ port: 1 }],
    floodLimit: { key: 'ip', rate: 1, per: '1s' },
    tiers: { free: { rate: 5, per: '1m', burst: 2 } },
    upstreams: {
      a: { discovery: { dns: {} }, tls: {}, health: { active: { path: '/' }, passive: { failures: 2 } } },
      b: { targets: [{ url: 'http://b', weight: 3 }] },
    },
    routes: [{ id: 'r', match: { path: '/r', headers: { x: '1' } }, policies: { quota: { limit: 3, window: 'day' }, deadline: '1s' } }],
  };

  it('copies the route, raises limits, and stands in for targets', () => {
    const variants = [{ without: ['deadline'], name: 'without-deadline' }];
    const targets = { a: ['http://127.0.0.1:1'], b: ['http://127.0.0.1:2'] };
    const plenty = { limit: 1_000_000_000, window: 'day' };
    expect(benchConfig(given, { index: 0, variants, targets })).toEqual({
      version: 1,
      tiers: { free: { rate: 1_000_000, per: '1s' } },
      upstreams: {
        a: { targets: ['http://127.0.0.1:1'], health: { passive: { failures: 2 } } },
        b: { targets: [{ url: 'http://127.0.0.1:2', weight: 3 }] },
      },
      routes: [
        { id: 'r', match: given.routes[0]?.match, policies: { quota: plenty, deadline: '1s' } },
        {
          id: 'r--without-deadline',
          match: { path: '/r', headers: { x: '1', 'x-gatehouse-bench': 'without-deadline' } },
          policies: { quota: plenty, deadline: 'off' },
        },
      ],
    });
  });

  it('leaves upstreams as they are when they are asked themselves', () => {
    expect(benchConfig(given, { index: undefined, variants: [], targets: undefined })['upstreams']).toEqual(given.upstreams);
  });
}); // prettier-ignore
