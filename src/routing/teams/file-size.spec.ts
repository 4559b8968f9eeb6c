import { describe, expect, it } from '@jest/globals';
import { upstreamSchema } from '../../upstreams/upstream.schema.ts';
import { sizeStrays } from './file-size.ts';
import { rightsSchema } from './include.schema.ts';
import type { TeamFile } from './team-file.schema.ts';

const upstream = (targets: number, interval = '5s'): TeamFile['upstreams'][string] =>
  upstreamSchema.parse({
    targets: Array.from({ length: targets }, (_, at) => `http://10.0.0.1:${at + 1}`),
    health: { active: { path: '/', interval } },
  }) as TeamFile['upstreams'][string];

const file = (routes: number, ...upstreams: TeamFile['upstreams'][string][]): TeamFile => ({
  routes: Array.from({ length: routes }, (_, at) => ({ id: `r${at}` })),
  upstreams: Object.fromEntries(upstreams.map((one, at) => [`u${at}`, one])),
});

const places = (one: TeamFile, rights: object = {}): string[] =>
  sizeStrays(one, rightsSchema.parse(rights)).map(({ path }) => path.join('.'));

describe('sizeStrays', () => {
  it('finds nothing in a file of a usual size', () => {
    expect(places(file(1000, upstream(999), upstream(1)))).toEqual([]);
  });

  it('finds what is more than a team may have', () => {
    expect(places(file(3, upstream(2), upstream(2, '10ms')), { maxRoutes: 2, maxTargets: 3 })).toEqual([
      'routes.2',
      'upstreams',
      'upstreams.u1.health.active.interval',
    ]);
    expect(places(file(1, upstream(1, '10ms')), { timeouts: 'any' })).toEqual([]);
  });
});
