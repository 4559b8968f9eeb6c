import type {
  FlowNumbers,
  FlowState,
  RouteRow,
  Series,
  TargetRow,
  UpstreamRow,
} from '../../../src/console/page/data/traffic.ts';

const NAMES = ['users', 'orders', 'catalog', 'search', 'payments', 'feed', 'cart', 'media', 'login', 'stock'];

/** The same numbers for the same seed, so that pictures of the page can be compared. */
export function wave(seed: number, at = 0): number {
  const x = Math.sin(seed * 12.9898 + at * 0.37) * 43_758.5453;
  return x - Math.floor(x);
}

/** What a route, an upstream or a target does. */
export function flowOf(seed: number, at: number): FlowNumbers {
  const rps = seed % 11 === 7 ? 0 : Number((wave(seed) ** 3 * 180 * (0.9 + 0.2 * wave(seed, at))).toFixed(2));
  const isSlow = seed % 17 === 3;
  const isFailing = seed % 19 === 5;
  const p50 = (4 + wave(seed + 1) * 30) * (isSlow ? 14 : 1) * (0.95 + 0.1 * wave(seed + 1, at));
  const state: FlowState =
    rps === 0 ? 'idle' : isFailing ? 'failing' : isSlow ? 'slow' : seed % 13 === 4 ? 'refusing' : 'well';
  return {
    rps,
    errorRate: rps === 0 ? 0 : isFailing ? 0.08 + 0.03 * wave(seed, at) : seed % 5 === 0 ? 0.002 : 0,
    refusedRate: state === 'refusing' ? 0.31 : seed % 7 === 0 ? 0.004 : 0,
    p50: rps === 0 ? null : p50,
    p95: rps === 0 ? null : p50 * 3.1,
    p99: rps === 0 ? null : p50 * 6.4,
    lastSeen: rps === 0 ? null : new Date(at * 1000).toISOString(),
    state,
  };
}

/** As many routes as wanted, over as many upstreams as make sense. */
export function sampleRoutes(many: number, at: number): RouteRow[] {
  return Array.from({ length: many }, (_, i) => {
    const name = NAMES[i % NAMES.length] ?? 'users';
    const version = Math.floor(i / NAMES.length) + 1;
    return {
      id: version === 1 ? name : `${name}-v${version}`,
      path: `/api/v${version}/${name}/*`,
      methods: i % 3 === 0 ? 'GET' : i % 3 === 1 ? 'GET,POST' : '*',
      upstream: name,
      group: `/api/v${version}`,
      ...flowOf(i + 1, at),
    };
  });
}

/** The upstreams of {@link sampleRoutes}. */
export function sampleUpstreams(at: number): UpstreamRow[] {
  return NAMES.map((upstream, i) => {
    const targets = sampleTargets(upstream, at);
    const available = targets.filter((one) => one.available).length;
    return { upstream, targets: targets.length, available, inFlight: i * 2, ...flowOf(i + 31, at) };
  });
}

/** The targets of an upstream; the first one of `payments` is down. */
export function sampleTargets(upstream: string, at: number): TargetRow[] {
  const place = NAMES.indexOf(upstream) + 1;
  return Array.from({ length: 1 + (place % 3) }, (_, i) => {
    const isDown = upstream === 'payments' && i === 0;
    return {
      target: `10.0.${place}.${i + 10}:8080`,
      inFlight: isDown ? 0 : Math.round(wave(place * 7 + i, at) * 9),
      weight: 1 + i,
      available: !isDown,
      why: isDown ? 'the probe has failed: connection refused' : null,
      ...flowOf(isDown ? 7 : place * 10 + i, at),
    };
  });
}

/** Ten minutes of numbers. */
export function sampleSeries(seed: number, at: number): Series {
  const points = Array.from({ length: 60 }, (_, i) => Math.floor(at / 10) * 10 - (59 - i) * 10);
  const bump = (i: number): number => (i > 38 && i < 48 ? 2.6 : 1);
  const p50 = points.map((time, i) => (12 + 6 * wave(seed + 2, time)) * bump(i));
  const requests = points.map((time) => Math.round(400 + 160 * wave(seed, time)));
  return {
    stepMs: 10_000,
    fromMs: (points[0] ?? 0) * 1000,
    requests,
    errors: requests.map((one, i) => (i > 40 && i < 46 ? Math.round(one * 0.11) : Math.round(one * 0.002))),
    refused: requests.map((one, i) => Math.round(one * 0.03 * wave(seed + 4, i))),
    p50,
    p95: p50.map((one, i) => one * (2.6 + 0.5 * wave(seed + 5, i))),
    p99: p50.map((one, i) => one * (5.2 + 2 * wave(seed + 6, i))),
  };
}
