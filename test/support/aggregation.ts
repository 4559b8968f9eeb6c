import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { call, type Answer } from './client.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { startTcpUpstream, startUpstream, type TcpUpstream, type TestUpstream } from './upstream.ts';

/** What the users upstream answers unless a test says otherwise. */
export const USER = { name: 'Ada', email: 'ada@example.com', tier: 'pro', internal: { riskScore: 7 } };
/** What the feed upstream answers unless a test says otherwise. */
export const FEED = {
  items: [
    { id: 'a', title: 'One', authorId: '7', internal: 1 },
    { id: 'b', title: 'Two', authorId: '8' },
  ],
};

/** Answers a document, or a text as it is. */
export const json =
  (body: unknown, headers: Record<string, string> = {}, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const one = (id: string, aggregate: string, more = ''): string => `
  - id: ${id}
    match: { path: '/${id}/{id}' }
    ${more}
    aggregate: ${aggregate}`;

const ROUTES = (): string =>
  [
    one(
      'profile',
      `
      calls:
        user: { upstream: users, path: '/users/{id}', required: true }
        feed: { upstream: feed, path: '/feed?user={id}&first=5', fallback: { items: [] } }
        author: { upstream: users, path: '/users/{feed.items.0.authorId}' }
      response:
        id: '{id}'
        name: user.name
        profile: { pick: [email, tier, phone], from: user, rename: { email: mail } }
        items: { each: feed.items, as: { id: item.id, label: '{item.title} by {item.authorId}' } }
        author: author
        all: { merge: [user, author] }
        rest: { from: feed.items, omit: [internal, authorId] }
        version: 2`,
    ),
    one('plain', `{ calls: { a: { upstream: users, path: /a }, b: { upstream: feed, path: /b } } }`),
    one(
      'inject',
      `
      calls:
        byPath: { upstream: users, path: '/users/{query.v}/orders' }
        byQuery: { upstream: feed, path: '/feed?user={query.v}&role=user' }`,
    ),
    one('header', `{ calls: { a: { upstream: users, path: '/a?l={header.Accept-Language}' } } }`),
    one('principal', `{ calls: { a: { upstream: users, path: '/a/{principal.id}', required: true } } }`),
    one(
      'numbers',
      `{ calls: { a: { upstream: users, path: /a }, b: { upstream: feed, path: '/b/{a.id}' } } }`,
    ),
    // Only the one that is too slow is asked for a moment; elsewhere a busy machine decides nothing.
    ...Object.entries({ dead: '4s', broken: '4s', tripped: '4s', feed: '4s', slow: '150ms' }).flatMap(
      ([upstream, budget]) => [
        one(
          `alone-${upstream}`,
          `
      calls:
        user: { upstream: users, path: /users/1 }
        part: { upstream: ${upstream}, path: /part, budget: ${budget} }
        after: { upstream: users, path: '/after/{part.id}' }
        instead: { upstream: ${upstream}, path: /instead, budget: ${budget}, fallback: { items: [] } }`,
        ),
        one(
          `required-${upstream}`,
          `
      calls:
        user: { upstream: users, path: /users/1 }
        part: { upstream: ${upstream}, path: /part, budget: ${budget}, required: true }`,
        ),
      ],
    ),
    one(
      'masked',
      `{ calls: { user: { upstream: users, path: '/users/{id}' }, feed: { upstream: feed, path: /feed } } }`,
      `policies: { transform: { response: { maskFields: [internal, user.email] } } }`,
    ),
    one(
      'cached',
      `{ calls: { user: { upstream: users, path: '/users/{id}' }, feed: { upstream: feed, path: '/feed?l={header.accept-language}' } } }`,
      `policies: { cache: { ttl: 60s, staleIfError: 60s }, transform: { response: { maskFields: [internal] } } }`,
    ),
    one(
      'stale',
      `{ calls: { user: { upstream: users, path: '/users/{id}', required: true } } }`,
      `policies: { cache: { ttl: 0s, staleIfError: 60s } }`,
    ),
    one('hasty', `{ calls: { user: { upstream: users, path: /users/1 } } }`, 'policies: { deadline: 150ms }'),
    one(
      'merged',
      `
      calls:
        user: { upstream: users, path: /users/1 }
        extra: { upstream: feed, path: /extra }
      response: { merge: [user, { from: extra, omit: [secret] }, { source: '{id}' }] }`,
    ),
  ].join('');

/** Upstreams that a test can script, and a gateway with aggregated routes in front of them. */
export interface Aggregation {
  readonly users: TestUpstream;
  readonly feed: TestUpstream;
  /** Hangs up in the middle of each answer. */
  readonly broken: TcpUpstream;
  readonly gateway: TestGateway;
}

/** A configuration with these routes, as text. */
export function aggregationConfig(
  { users, feed, broken }: Pick<Aggregation, 'users' | 'feed' | 'broken'>,
  routes: string,
): string {
  return `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
upstreams:
  users: { targets: ['${users.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  feed: { targets: ['${feed.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  slow: { targets: ['${feed.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  guarded: { targets: ['http://127.0.0.1:1'], policies: { authorization: { anyRole: [admin] } } }
  fenced: { targets: ['http://127.0.0.1:1'], policies: { ipAccess: { allow: [10.0.0.0/8] } } }
  asking: { targets: ['http://127.0.0.1:1'], policies: { externalAuthorization: { upstream: users, opa: { path: / } } } }
  dead: { targets: ['http://127.0.0.1:1'], circuitBreaker: off, retry: { attempts: 1 } }
  broken: { targets: ['${broken.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  tripped:
    targets: ['http://127.0.0.1:1']
    retry: { attempts: 1 }
    circuitBreaker: { consecutiveFailures: 1, openFor: 60s }
  shop: { protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }
routes:
${routes}`;
}

/** Starts all of it before the tests of a file and stops it after them. The holder is filled by then. */
export function useAggregation(): Aggregation {
  const holder: { -readonly [Key in keyof Aggregation]?: Aggregation[Key] } = {};
  const behind = holder as Aggregation;
  beforeAll(async () => {
    [holder.users, holder.feed] = await Promise.all([startUpstream(), startUpstream()]);
    holder.broken = await startTcpUpstream((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"cut'),
    );
    holder.gateway = await startGateway({ config: aggregationConfig(behind, ROUTES()) });
  });
  beforeEach(() => {
    behind.users.listener = json(USER);
    behind.feed.listener = json(FEED);
  });
  afterEach(() => {
    behind.users.requests.length = 0;
    behind.feed.requests.length = 0;
  });
  afterAll(async () => {
    await holder.gateway?.stop();
    await Promise.all([holder.users?.stop(), holder.feed?.stop(), holder.broken?.stop()]);
  });
  return behind;
}

/** Asks the gateway. */
export function get(
  { gateway }: Aggregation,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return call(gateway.url + path, { headers });
}

/** What an upstream was asked for, in order. */
export const urls = (upstream: TestUpstream): (string | undefined)[] =>
  upstream.requests.map(({ url }) => url);

/** Answers nothing until all of the upstreams have been asked: calls in sequence would never be answered. */
export function meet(...upstreams: TestUpstream[]): void {
  let missing = upstreams.length;
  const waiting: (() => void)[] = [];
  for (const upstream of upstreams) {
    const then = upstream.listener;
    upstream.listener = (request, response) => {
      waiting.push(() => then(request, response));
      missing -= 1;
      if (missing === 0) waiting.forEach((answer) => answer());
    };
  }
}
