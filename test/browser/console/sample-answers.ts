import type { PictureAnswer, PictureNode, RouteRow } from '../../../src/console/page/data/traffic.ts';
import {
  SAMPLE_CHANGES,
  SAMPLE_DIFF,
  SAMPLE_FAULTS,
  SAMPLE_HISTORY,
  SAMPLE_ROLLOUTS,
} from './sample-config.ts';
import { SAMPLE_WATERFALL, sampleKept, sampleOperations } from './sample-kept.ts';
import { flowOf, sampleRoutes, sampleSeries, sampleTargets, sampleUpstreams } from './sample-routes.ts';

/** What the sample listener is asked. */
export interface Asked {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly routes: number;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Answers of a listener with sample numbers, by the first segments of the address. */
export const SAMPLE_ANSWERS: Readonly<Record<string, (asked: Asked) => unknown>> = {
  whoami: () => ({ name: 'ann', role: 'admin', needsToken: false, by: 'loopback' }),
  traffic: (asked) => overviewOf(asked),
  'traffic/routes': (asked) => (asked.path[2] === undefined ? listed(asked) : routeOf(asked)),
  'traffic/upstreams': (asked) =>
    asked.path[2] === undefined ? all(sampleUpstreams(asked.at)) : upstreamOf(asked),
  'traffic/picture': (asked) => pictureOf(asked),
  'traffic/operations': ({ path, at }) => {
    const rows = sampleOperations(at);
    const row = rows.find(({ name }) => name === path[2]);
    const runs = sampleKept(at).slice(0, 5);
    if (path[2] === undefined) return all(rows);
    return row && { row, series: sampleSeries(3, at), waterfall: SAMPLE_WATERFALL, run: runs[2], runs };
  },
  'traffic/views': ({ path, at }) => {
    const sections = ['user', 'orders', 'feed'].map((name, i) => ({ name, ...flowOf(i + 61, at) }));
    if (path[2] === undefined)
      return all([{ name: 'homepage', sections: 3, rps: 12, p95: 140, errorRate: 0.01 }]);
    return { name: path[2], sections, waterfall: SAMPLE_WATERFALL, run: null, runs: [] };
  },
  'traffic/clients': ({ at }) => ({
    ...all(clients(at)),
    since: new Date(at * 1000 - 500_000).toISOString(),
    errorBound: 4,
  }),
  exchanges: ({ path, query, at }) => {
    const kept = sampleKept(at);
    if (path[1] !== undefined) return kept.find(({ id }) => id === path[1]);
    const outcome = query.get('outcome');
    const rows = kept.filter((one) => !outcome || one.outcome === outcome);
    const counts = { refused: 47, failed: 47, slow: 46, since: kept.at(-1)?.at ?? null, skipped: 12 };
    return { total: rows.length, rows: rows.slice(0, Number(query.get('limit') ?? 100)), kept: counts };
  },
  canaries: () => SAMPLE_ROLLOUTS,
  config: () => ({
    file: 'gateway.yaml',
    loadedAt: SAMPLE_HISTORY[1]?.at,
    held: 1,
    generation: 4,
    lastReload: { trigger: 'file', at: SAMPLE_HISTORY[0]?.at, outcome: 'refused', faults: SAMPLE_FAULTS },
  }),
  'config/history': ({ path }) => {
    if (path[2] === undefined) return all(SAMPLE_HISTORY);
    const row = SAMPLE_HISTORY.find(({ generation }) => String(generation) === path[2]);
    return row && { ...row, text: 'version: 1\nroutes:\n  - id: users\n' };
  },
  'config/diff': () => ({ from: 3, to: 4, ...SAMPLE_DIFF }),
  changes: () => ({ rows: SAMPLE_CHANGES }),
  keys: () => ({
    store: 'redis',
    configured: [],
    keys: [
      { id: '3f7a9c0be1d24a55', clientId: 'shop-web', status: 'active', lastUsedAt: SAMPLE_HISTORY[0]?.at },
    ],
  }),
  revocations: () => ({ state: 'fresh', ageMs: 800, count: 12 }),
  quotas: () => ({
    quotas: [
      {
        name: 'monthly',
        key: 'principal',
        window: 'month',
        timeZone: 'UTC',
        limit: 100_000,
        mode: 'exact',
        routes: ['users'],
      },
    ],
  }),
  'quotas/subjects': () => ({
    in: '2026-11',
    resetsAt: '2026-12-01T00:00:00.000Z',
    subjects: [{ subject: 'ann', used: 81_200, carriedOver: 0, remaining: 18_800 }],
    complete: true,
  }),
  'log-level': () => ({ level: 'info', configured: 'info' }),
  workers: () => ({
    wanted: 1,
    workers: [{ worker: 1, pid: 4711, state: 'serving', startedAt: SAMPLE_HISTORY[4]?.at }],
  }),
  upstreams: ({ at }) =>
    sampleUpstreams(at).map(({ upstream }) => ({
      upstream,
      targets: sampleTargets(upstream, at).map((one, i) => ({
        ...one,
        labels: i === 1 ? { track: 'canary' } : {},
        probes: { verdict: one.available ? 'well' : 'ill', since: SAMPLE_HISTORY[0]?.at },
        breaker: {
          state: one.available ? 'closed' : 'open',
          cause: one.available ? undefined : 'manual',
          ...(!one.available && { openForMs: 540_000 }),
          history: [],
        },
        ...(!one.available && {
          breakerOrder: { ...ORDER, until: new Date((at + 540) * 1000).toISOString() },
        }),
        ...(i === 2 && { weightOrder: { ...ORDER, configured: 1, reason: undefined } }),
      })),
    })),
  routes: ({ path }) =>
    path[1] && {
      id: path[1],
      origin: 'gateway.yaml:42:5',
      policies: [
        { policy: 'authentication', says: 'jwt, apiKey', enforced: true },
        { policy: 'rateLimit', says: 'principal 5/1s burst 5', enforced: true },
        { policy: 'cache', says: '30s, by principal', enforced: true },
      ],
    },
};

const ORDER = { since: '2026-11-28T07:00:00.000Z', by: 'ann', reason: 'its disk is full' };

const all = <Row>(rows: readonly Row[]) => ({ total: rows.length, rows });

function overviewOf({ routes, at }: Asked): object {
  const rows = sampleRoutes(routes, at);
  const worst = (key: 'p95' | 'errorRate' | 'refusedRate'): RouteRow[] =>
    rows
      .filter((row) => (row[key] ?? 0) > 0.001)
      .toSorted((a, b) => (b[key] ?? 0) - (a[key] ?? 0))
      .slice(0, 10);
  const since = new Date((at - 140) * 1000).toISOString();
  return {
    at: new Date(at * 1000).toISOString(),
    startedAt: SAMPLE_HISTORY[4]?.at,
    generation: 4,
    windowMs: 60_000,
    process: { loopDelayMs: 2.1, cpu: 0.43, rssBytes: 184e6, heapUsedBytes: 71e6, inFlight: 38 },
    totals: { ...flowOf(2, at), rps: 1240, errorRate: 0.004, refusedRate: 0.021, p95: 86 },
    series: sampleSeries(1, at),
    routes,
    upstreams: 10,
    worst: { slow: worst('p95'), failing: worst('errorRate'), refused: worst('refusedRate') },
    trouble: [
      {
        kind: 'target',
        text: '10.0.5.10:8080 of payments: the probe has failed, connection refused',
        since,
        upstream: 'payments',
        href: 'upstreams/payments?target=10.0.5.10%3A8080',
      },
      { kind: 'reload', text: 'The last reload was refused: 1 fault', since, href: 'config' },
      { kind: 'certificate', text: 'tls/api.pem expires in 9 days', since, href: 'process' },
    ],
    troubles: 3,
    kept: { refused: 47, failed: 47, slow: 46, since, skipped: 12 },
  };
}

function listed({ query, routes, at }: Asked): object {
  const q = query.get('q') ?? '';
  const sort = query.get('sort') ?? '-rps';
  const key = sort.replace('-', '') as keyof RouteRow;
  const sign = sort.startsWith('-') ? -1 : 1;
  const found = sampleRoutes(routes, at).filter(({ id, path }) => id.includes(q) || path.includes(q));
  found.sort((a, b) => sign * ((a[key] ?? -1) < (b[key] ?? -1) ? -1 : 1));
  const [from, limit] = [Number(query.get('from') ?? 0), Number(query.get('limit') ?? 100)];
  return { total: found.length, rows: found.slice(from, from + limit) };
}

function routeOf({ path, routes, at }: Asked): object | undefined {
  const row = sampleRoutes(routes, at).find(({ id }) => id === path[2]);
  return (
    row && {
      row,
      origin: 'gateway.yaml:42:5',
      series: sampleSeries(row.id.length, at),
      split: { queue: 1.2, stages: 0.4, upstream: 38, body: 3.1, watched: 812 },
      refusals: [
        { code: 'rate-limited', stage: 'rateLimit', count: 214 },
        { code: 'credentials-invalid', stage: 'authentication', count: 31 },
      ],
      refusalsSince: SAMPLE_HISTORY[1]?.at,
      clients: [{ client: 'user:jwt::ann1', requests: 812, refused: 214 }],
      cache: { hit: 9120, shared: 310, stale: 12, collapsed: 84, miss: 1204, validated: 41, bypass: 6 },
      slowest: sampleKept(at)
        .filter(({ outcome }) => outcome === 'slow')
        .slice(0, 6),
    }
  );
}

function upstreamOf({ path, at }: Asked): object | undefined {
  const row = sampleUpstreams(at).find(({ upstream }) => upstream === path[2]);
  const routes = sampleRoutes(30, at).filter(({ upstream }) => upstream === path[2]);
  return row && { row, series: sampleSeries(7, at), targets: sampleTargets(row.upstream, at), routes };
}

function pictureOf({ routes, at }: Asked): PictureAnswer {
  const rows = sampleRoutes(Math.min(routes, 14), at);
  const node = (
    id: string,
    label: string,
    flow: Pick<PictureNode, 'rps' | 'errorRate' | 'p95' | 'state'>,
  ): PictureNode => {
    const { rps, errorRate, p95, state } = flow;
    return { id, label, rps, errorRate, p95, state };
  };
  const upstreams = sampleUpstreams(at);
  const targets = upstreams.flatMap(({ upstream }) =>
    sampleTargets(upstream, at).map((one) => ({ upstream, ...one })),
  );
  return {
    of: routes <= 40 ? 'routes' : routes <= 1000 ? 'groups' : 'search',
    routes: rows.map((row) => node(`r:${row.id}`, row.id, row)),
    upstreams: upstreams.map((row) => node(`u:${row.upstream}`, row.upstream, row)),
    targets: targets.map((row) =>
      node(`t:${row.upstream}/${row.target}`, row.target, row.available ? row : { ...row, state: 'failing' }),
    ),
    edges: [
      ...rows.map((row) => [`r:${row.id}`, `u:${row.upstream}`, row.rps, row.state] as const),
      ...targets.map(
        (row) =>
          [
            `u:${row.upstream}`,
            `t:${row.upstream}/${row.target}`,
            row.rps,
            row.available ? row.state : 'failing',
          ] as const,
      ),
    ],
  };
}

function clients(at: number): object[] {
  return Array.from({ length: 24 }, (_, i) => ({
    client: i % 3 === 0 ? `203.0.113.${i + 1}` : `user:jwt::ann${i}`,
    kind: i % 3 === 0 ? 'address' : 'principal',
    requests: Math.round(4000 / (i + 1)),
    refused: i % 4 === 1 ? Math.round(900 / (i + 1)) : 0,
    routes: [
      {
        route: 'users',
        requests: 300,
        refused: 12,
        left: {
          remaining: i % 4 === 1 ? 0 : 31,
          limit: 50,
          resetMs: 900,
          at: new Date(at * 1000).toISOString(),
        },
      },
      { route: 'login', requests: 4, refused: 0 },
    ],
    ...(i % 4 === 1 && { limitedBy: 'principal 5/1s burst 5', limitedAt: new Date(at * 1000).toISOString() }),
  }));
}
