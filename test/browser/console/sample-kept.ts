import type { Kept, OperationRow, WaterfallBar } from '../../../src/console/page/data/traffic.ts';
import { flowOf } from './sample-routes.ts';

/** A run of a view, section by section. */
export const SAMPLE_WATERFALL: readonly WaterfallBar[] = [
  {
    name: 'query Homepage',
    sort: 'operation',
    parent: null,
    startMs: 0,
    durationMs: 184,
    outcome: 'ok',
    failed: false,
  },
  {
    name: 'authentication',
    sort: 'stage',
    parent: 0,
    startMs: 0.4,
    durationMs: 3,
    outcome: 'passed',
    failed: false,
  },
  { name: 'user', sort: 'section', parent: 0, startMs: 4, durationMs: 42, outcome: 'ok', failed: false },
  { name: 'users.get', sort: 'call', parent: 2, startMs: 4.5, durationMs: 41, outcome: '200', failed: false },
  {
    name: 'orders',
    sort: 'section',
    parent: 0,
    startMs: 46,
    durationMs: 136,
    outcome: 'partial',
    failed: true,
  },
  {
    name: 'shop.v1.Orders/List',
    sort: 'rpc',
    parent: 4,
    startMs: 46.5,
    durationMs: 60,
    outcome: 'unavailable',
    failed: true,
  },
  {
    name: 'shop.v1.Orders/List',
    sort: 'attempt',
    parent: 4,
    startMs: 121,
    durationMs: 60,
    outcome: 'ok',
    failed: false,
  },
  {
    name: 'feed',
    sort: 'section',
    parent: 0,
    startMs: 46,
    durationMs: 22,
    outcome: 'from the cache',
    failed: false,
  },
];

const LINE = {
  level: 30,
  msg: 'exchange',
  method: 'GET',
  route: 'users',
  status: 429,
  ms: 0.6,
  code: 'rate-limited',
};

/** Requests that are kept, newest first. */
export function sampleKept(at: number): Kept[] {
  return Array.from({ length: 140 }, (_, i): Kept => {
    const outcome = (['refused', 'failed', 'slow'] as const)[i % 3] ?? 'refused';
    const isRefused = outcome === 'refused';
    return {
      id: `0198f0c2-7a41-7d10-b1c7-${String(4_000_000_000 + i)}`,
      traceId: `4bf92f3577b34da6a3ce929d0e0e${String(4000 + i)}`,
      at: new Date((at - i * 7) * 1000).toISOString(),
      outcome,
      method: i % 4 === 0 ? 'POST' : 'GET',
      path: `/api/v1/users/${i}?fields`,
      host: 'api.example.com',
      route: 'users',
      status: isRefused ? 429 : outcome === 'failed' ? 502 : 200,
      ms: isRefused ? 0.6 : outcome === 'slow' ? 2400 - i * 9 : 31,
      client: `203.0.113.${(i % 40) + 1}`,
      ...(i % 2 === 0 && { principal: `user:jwt::ann${i % 9}` }),
      ...(isRefused && {
        code: 'rate-limited',
        stage: 'rateLimit',
        by: 'principal 5/1s burst 5',
        rule: 'gateway.yaml:42:7',
      }),
      ...(outcome === 'failed' && { code: 'upstream-unreachable', stage: 'forward' }),
      reason: isRefused
        ? 'It has asked for more than 5 a second: the limit by principal has nothing left for 0.4 s.'
        : outcome === 'failed'
          ? 'The target 10.0.5.10:8080 closed the connection before it had answered.'
          : 'The upstream took 2.3 s until the first byte.',
      explain: `GET /api/v1/users/${i}`,
      line: JSON.stringify({ ...LINE, time: new Date((at - i * 7) * 1000).toISOString() }),
      ...(outcome === 'slow' && { waterfall: SAMPLE_WATERFALL }),
    };
  });
}

/** GraphQL operations. */
export function sampleOperations(at: number): OperationRow[] {
  const names = ['Homepage', 'OrderList', 'Search', 'AddNote', 'NotificationAdded', 'other'];
  return names.map((name, i) => ({
    name,
    type: i === 3 ? 'mutation' : i === 4 ? 'subscription' : 'query',
    cost: 12 + i * 31,
    costMax: 40 + i * 90,
    errors: i === 1 ? [{ code: 'upstream-timeout', count: 14 }] : [],
    ...flowOf(i + 51, at),
  }));
}
