import type { LoadRequest } from './load.ts';
import { BUSY_ROUTE } from './many-routes.ts';

/** A server by others that answers the same query. */
export interface Peer {
  readonly title: string;
  /** File in `bench/twins/`. */
  readonly file: string;
  /** Requests per second of the gateway, divided by the peer's, that we want to reach. */
  readonly target: number;
}

/** What a gateway is given to do, and what has to come of it. */
export interface Work {
  /** For `--only` and `--profile`. */
  readonly name: string;
  readonly title: string;
  /** File in `bench/`. */
  readonly config: string;
  readonly request: LoadRequest;
  /** What the requests come over; default plain HTTP/1.1. `https` is HTTP/1.1 over TLS, `h2` HTTP/2 over TLS. */
  readonly over?: 'https' | 'h2';
  /** How many different callers take turns; 0 sends no token. */
  readonly principals: number;
  /** The id of the first of them; default 1. */
  readonly firstPrincipal?: number;
  readonly logLevel: 'info' | 'warn';
  readonly needsRedis?: true;
  /** Whether it has a collector to send its spans to. */
  readonly traced?: boolean;
  /** Id of the route whose metrics must show every request; also the `route` of the access lines. */
  readonly routeId: string;
  /** The limiter has to have decided on every request. */
  readonly limited?: true;
  /** The metric of whatever else has to have decided on every request. */
  readonly decidedBy?: string;
  /** Calls to the services that answer one request; the case fails when it takes more or fewer. */
  readonly upstreamCalls: number;
  /** The same of its twin, where that is another number. */
  readonly twinCalls?: number;
}

/** One comparison: the gateway with one configuration, and the least code that does the same work. */
export interface BenchCase extends Work {
  /** Has the routes of the configuration replaced by so many; see `many-routes.ts`. */
  readonly routes?: number;
  /** What the gateway itself is compared with, instead of a twin: the same with fewer routes, or another configuration. */
  readonly baseline?: { readonly title: string } & Partial<
    Pick<BenchCase, 'config' | 'routes' | 'traced' | 'logLevel'>
  >;
  /** File in `bench/twins/`. */
  readonly twin: string;
  /** Other servers that are measured in the same rounds. */
  readonly peers?: readonly Peer[];
  /** CPU per request of the twin, divided by ours, that we want to reach. */
  readonly target: number | undefined;
}

const QUOTAS = 'gatehouse_quota_decisions_total';

const PIPE = {
  twin: 'bare-pipe.ts',
  request: { method: 'GET', path: '/users/1', headers: { accept: 'application/json' } },
  routeId: 'users',
  upstreamCalls: 1,
} as const;

const HOMEPAGE_QUERY = `query Homepage {
  homepage {
    user { id name email roles tier segment }
    feed { items { id title authorId } }
    notifications { unread latest { id text createdAt } }
  }
}`;

const AUTHORS_QUERY = `query Authors {
  feed(first: 20) { id title author { id name } }
}`;

/** All cases, in the order of the table. */
export const CASES: readonly BenchCase[] = [
  {
    ...PIPE,
    name: 'door-1-bare',
    title: 'door 1, no policies',
    config: 'door-1-bare.yaml',
    principals: 0,
    logLevel: 'warn',
    target: 0.8,
  },
  {
    ...PIPE,
    name: 'door-1-policies',
    title: 'door 1, JWT + role + limit + breaker + log + metrics',
    config: 'door-1-policies.yaml',
    principals: 64,
    logLevel: 'info',
    limited: true,
    target: 0.65,
  },
  {
    ...PIPE,
    name: 'door-1-redis',
    title: 'the same, limit in Redis',
    config: 'door-1-policies.yaml',
    principals: 64,
    logLevel: 'info',
    limited: true,
    needsRedis: true,
    target: 0.55,
  },
  {
    ...PIPE,
    name: 'door-1-redis-alone',
    title: 'door 1, only a limit in Redis',
    config: 'door-1-limit.yaml',
    principals: 0,
    logLevel: 'warn',
    limited: true,
    needsRedis: true,
    target: 0.85,
  },
  {
    ...PIPE,
    name: 'door-1-quota',
    title: 'door 1, only a quota with a cost by CEL, in the process',
    config: 'door-1-quota.yaml',
    principals: 0,
    logLevel: 'warn',
    decidedBy: QUOTAS,
    target: undefined,
  },
  {
    ...PIPE,
    name: 'door-1-quota-redis',
    title: 'the same, in Redis',
    config: 'door-1-quota.yaml',
    principals: 0,
    logLevel: 'warn',
    decidedBy: QUOTAS,
    needsRedis: true,
    target: undefined,
  },
  {
    ...PIPE,
    name: 'door-1-cached',
    title: 'door 1, a stored answer',
    config: 'door-1-cached.yaml',
    principals: 0,
    logLevel: 'warn',
    upstreamCalls: 0,
    twinCalls: 1,
    target: 1,
  },
  {
    ...PIPE,
    name: 'door-1-tls',
    title: 'door 1, HTTP/1.1 over TLS',
    config: 'door-1-tls.yaml',
    twin: 'bare-tls.ts',
    over: 'https',
    principals: 0,
    logLevel: 'warn',
    target: undefined,
  },
  {
    ...PIPE,
    name: 'door-1-http2',
    title: 'door 1, HTTP/2 over TLS',
    config: 'door-1-tls.yaml',
    twin: 'bare-tls.ts',
    over: 'h2',
    principals: 0,
    logLevel: 'warn',
    target: undefined,
  },
  {
    ...PIPE,
    name: 'routes-10000',
    title: 'door 1, one of 10 000 routes',
    config: 'door-1-bare.yaml',
    routes: 10_000,
    baseline: { title: 'the same, one of 10 routes', routes: 10 },
    request: { ...PIPE.request, path: `/${BUSY_ROUTE}/users/1` },
    routeId: BUSY_ROUTE,
    principals: 0,
    logLevel: 'warn',
    target: 0.98,
  },
  {
    ...PIPE,
    name: 'door-1-healing',
    title: 'door 1, leastRequests + breaker + health + retry',
    config: 'door-1-healing.yaml',
    baseline: { title: 'the same, with none of them', config: 'door-1-two-targets.yaml' },
    principals: 0,
    logLevel: 'warn',
    target: 0.95,
  },
  {
    ...PIPE,
    name: 'door-1-log',
    title: 'door 1, access log on',
    config: 'door-1-bare.yaml',
    baseline: { title: 'the same, access log off', logLevel: 'warn' },
    principals: 0,
    logLevel: 'info',
    target: 0.9,
  },
  {
    ...PIPE,
    name: 'door-1-traces-1',
    title: 'door 1, spans of 1% and of all faults',
    config: 'door-1-traces-1.yaml',
    traced: true,
    baseline: { title: 'the same, tracing off', config: 'door-1-bare.yaml', traced: false },
    principals: 0,
    logLevel: 'warn',
    target: 0.95,
  },
  {
    ...PIPE,
    name: 'door-1-traces-100',
    title: 'door 1, spans of everything',
    config: 'door-1-bare.yaml',
    traced: true,
    baseline: { title: 'the same, tracing off', traced: false },
    principals: 0,
    logLevel: 'warn',
    target: undefined,
  },
  {
    name: 'door-2-grpc',
    title: 'door 2, REST to gRPC',
    config: 'door-2.yaml',
    twin: 'bare-grpc.ts',
    request: { method: 'GET', path: '/api/v1/orders/ord-1001', headers: { accept: 'application/json' } },
    // The module allows each caller 600 a minute, so many callers it is.
    principals: 1024,
    logLevel: 'warn',
    routeId: 'orders.get',
    limited: true,
    upstreamCalls: 1,
    target: 0.7,
  },
  {
    name: 'graphql-homepage',
    title: 'GraphQL homepage, 2 REST + 1 gRPC',
    config: 'door-2.yaml',
    twin: 'bare-homepage.ts',
    request: graphqlRequest(HOMEPAGE_QUERY),
    principals: 1,
    logLevel: 'warn',
    routeId: 'graphql',
    upstreamCalls: 3,
    peers: [
      { title: 'Apollo Server 5', file: 'apollo-homepage.ts', target: 1.8 },
      { title: 'GraphQL Yoga 5', file: 'yoga-homepage.ts', target: 2.5 },
    ],
    target: 0.9,
  },
  {
    name: 'graphql-authors',
    title: 'GraphQL list of 20 items with authors',
    config: 'door-2.yaml',
    twin: 'bare-authors.ts',
    request: graphqlRequest(AUTHORS_QUERY),
    principals: 1,
    // Somebody who wrote nothing: a feed leaves out what its reader wrote.
    firstPrincipal: 3,
    logLevel: 'warn',
    routeId: 'graphql',
    upstreamCalls: 2,
    // What it has to show is the number of calls, which fails the case when it is another one.
    target: undefined,
  },
];

/** The tokens of the callers of a case, out of those of everybody. */
export function tokensOf(
  { principals, firstPrincipal = 1 }: Work,
  tokens: readonly string[],
): readonly string[] {
  return tokens.slice(firstPrincipal - 1, firstPrincipal - 1 + principals);
}

/** How many callers there have to be for a case. */
export function lastPrincipalOf({ principals, firstPrincipal = 1 }: Work): number {
  return firstPrincipal - 1 + principals;
}

function graphqlRequest(query: string): LoadRequest {
  return {
    method: 'POST',
    path: '/graphql',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  };
}
