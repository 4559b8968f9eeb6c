import { CASES, type BenchCase, type Work } from '../cases.ts';
import { BROWSER_HEADERS } from './browser-headers.ts';
import type { ServerName } from './servers.ts';

/** Somebody that the gateway is measured against in one case. */
export interface Entrant {
  readonly server: ServerName;
  /** File in `bench/peers/config/`, for a server that has one. */
  readonly config?: string;
  /** CPU per request of theirs, divided by ours, that we want to reach. */
  readonly target?: number;
  /** Has none of the policies of the case: what they cost the gateway is what the row shows. */
  readonly unprotected?: true;
}

/** One comparison: the gateway, and others with the same work. */
export interface PeersCase extends Work {
  /** In the order of a turn; whoever matters most goes last, right beside the gateway. */
  readonly against: readonly Entrant[];
  /** Refuses who has no token or no role; checked with everybody before anything is measured. */
  readonly protected?: true;
  /** Its services count the calls they get, so that these are checked. */
  readonly counted?: true;
}

const PLAIN = {
  config: 'peers/config/gateway-plain.yaml',
  principals: 0,
  logLevel: 'warn',
  routeId: 'items',
  upstreamCalls: 1,
} as const;
const FULL = {
  ...PLAIN,
  config: 'peers/config/gateway-full.yaml',
  principals: 64,
  logLevel: 'info',
  limited: true,
  protected: true,
  request: { method: 'GET', path: '/items/1', headers: { accept: 'application/json' } },
} as const;

function plainPeers(targets: { readonly envoy: number; readonly caddy?: number }): readonly Entrant[] {
  const { envoy, caddy } = targets;
  return [
    { server: 'haproxy', config: 'haproxy.cfg' },
    { server: 'nginx', config: 'nginx.conf' },
    { server: 'caddy', config: 'Caddyfile', ...(caddy === undefined ? {} : { target: caddy }) },
    { server: 'envoy', config: 'envoy-plain.yaml', target: envoy },
  ];
}

const GRAPHQL_PEERS: readonly Entrant[] = [
  { server: 'hive', unprotected: true },
  { server: 'yoga', unprotected: true },
  { server: 'apollo', unprotected: true },
  { server: 'mercurius', unprotected: true },
];

/** All cases, in the order of the table. */
export const PEERS_CASES: readonly PeersCase[] = [
  {
    ...PLAIN,
    name: 'plain',
    title: 'plain, 227 bytes of JSON',
    request: FULL.request,
    against: plainPeers({ envoy: 1.2, caddy: 2.5 }),
  },
  {
    ...FULL,
    name: 'full',
    title: 'JWT + role + limit + breaker + JSON log',
    against: [
      { server: 'haproxy', config: 'haproxy-full.cfg' },
      { server: 'envoy', config: 'envoy-full.yaml', target: 1.3 },
    ],
  },
  {
    ...PLAIN,
    name: 'browser',
    title: 'plain, 20 fields as of a browser',
    request: { ...FULL.request, headers: BROWSER_HEADERS },
    against: plainPeers({ envoy: 1 }),
  },
  {
    ...PLAIN,
    name: 'chunked',
    title: 'plain, 16 KiB in chunks',
    request: { ...FULL.request, path: '/items/page' },
    against: plainPeers({ envoy: 1 }),
  },
  {
    ...FULL,
    name: 'redis',
    title: 'all policies, limit in Redis',
    needsRedis: true,
    against: [{ server: 'bare-pipe', target: 0.85, unprotected: true }],
  },
  graphql('graphql-homepage', 'homepage'),
  graphql('graphql-authors', 'authors'),
];

function graphql(name: BenchCase['name'], shortName: string): PeersCase {
  const one = CASES.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`there is no case ${name}`);
  return { ...one, name: shortName, against: GRAPHQL_PEERS, protected: true, counted: true };
}
