import type { LoadRequest } from './load.ts';

/** One comparison: the gateway with one configuration, and the least code that does the same work. */
export interface BenchCase {
  /** For `--only` and `--profile`. */
  readonly name: string;
  readonly title: string;
  /** File in `bench/`. */
  readonly config: string;
  /** File in `bench/twins/`. */
  readonly twin: string;
  readonly request: LoadRequest;
  /** How many different callers take turns; 0 sends no token. */
  readonly principals: number;
  readonly logLevel: 'info' | 'warn';
  readonly needsRedis?: true;
  /** Id of the route whose metrics must show every request; also the `route` of the access lines. */
  readonly routeId: string;
  /** The limiter has to have decided on every request. */
  readonly limited?: true;
  /** CPU per request of the twin, divided by ours, that we want to reach. */
  readonly target: number;
}

const PIPE = {
  twin: 'bare-pipe.ts',
  request: { method: 'GET', path: '/users/1', headers: { accept: 'application/json' } },
  routeId: 'users',
} as const;

const HOMEPAGE_QUERY = `query Homepage {
  homepage {
    user { id name email roles tier segment }
    feed { items { id title authorId } }
    notifications { unread latest { id text createdAt } }
  }
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
    target: 0.7,
  },
  {
    name: 'graphql-homepage',
    title: 'GraphQL homepage, 2 REST + 1 gRPC',
    config: 'door-2.yaml',
    twin: 'bare-homepage.ts',
    request: {
      method: 'POST',
      path: '/graphql',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ query: HOMEPAGE_QUERY }),
    },
    principals: 1,
    logLevel: 'warn',
    routeId: 'graphql',
    target: 0.85,
  },
];
