import { describe, expect, it } from '@jest/globals';
import type { RouteRow } from './traffic.ts';
import { withNumbers } from './use-live-routes.ts';

const row = (id: string): RouteRow => ({
  id,
  path: `/${id}`,
  methods: 'GET',
  upstream: 'u',
  group: '/',
  rps: 1,
  errorRate: 0,
  refusedRate: 0,
  p50: 1,
  p95: 2,
  p99: 3,
  lastSeen: null,
  state: 'well',
});

describe('rows that numbers come for', () => {
  it('take those of their id, wherever they stand', () => {
    const dict = [row('b'), row('a')];
    const rows = withNumbers([row('a'), row('b')], dict, [[1, 9, 500, 10, null, 7, 8, 'failing']]);
    expect(rows[0]).toMatchObject({
      id: 'a',
      rps: 9,
      errorRate: 0.5,
      refusedRate: 0.01,
      p50: null,
      state: 'failing',
    });
    expect(rows[1]).toEqual(row('b'));
  });
});
