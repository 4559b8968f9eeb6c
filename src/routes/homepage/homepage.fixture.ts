import { startTestGateway, type RunningGateway } from '../../testing/index.ts';
import { homepage } from './homepage.module.ts';

const NAMES: Readonly<Record<string, string>> = { 1: 'Ann Admin', 2: 'Bob User', 3: 'Eve Guest' };

/** A user, as the service answers one: with what it keeps to itself. */
export const person = (id: string): Readonly<Record<string, unknown>> => ({
  id,
  name: NAMES[id] ?? `User ${id}`,
  email: `${id}@example.com`,
  roles: ['user'],
  tier: 'pro',
  segment: 'early-adopter',
  internal: { riskScore: 7 },
});

const item = (_: unknown, index: number): Readonly<Record<string, unknown>> => ({
  id: `item-${index}`,
  title: `Title ${index}`,
  authorId: String((index % 3) + 1),
  publishedAt: '2026-11-01T10:00:00Z',
});

/** Starts a gateway with the homepage and nothing else. */
export function startHomepage(): Promise<RunningGateway> {
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  return startTestGateway({
    modules: [homepage],
    config: {
      version: 1,
      modules: ['homepage'],
      identity: { issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }] },
      defaults: { policies: { authentication: { schemes: ['jwt'] } } },
      graphql: { policies: { authentication: { schemes: ['jwt'], optional: true } } },
      upstreams: {
        users: { targets: ['http://users.internal'], ...calm },
        feed: { targets: ['http://feed.internal'], ...calm },
        notifications: {
          protocol: 'grpc',
          descriptorSet: 'config/descriptors/shop.binpb',
          targets: ['grpc://notifications.internal'],
          ...calm,
        },
      },
    },
  });
} // prettier-ignore

/** Has all services be well, as before each test. */
export async function allWell(gateway: RunningGateway): Promise<void> {
  await gateway.resetUpstreams();
  gateway
    .http('users')
    .on('GET /users/{id}', ({ params }) => ({ body: person(params['id'] ?? '') }))
    .on('GET /users', ({ query }) => ({ body: { items: (query.get('ids') ?? '').split(',').map(person) } }));
  gateway.http('feed').on('GET /feed', ({ query }) => ({
    body: { items: Array.from({ length: Number(query.get('first') ?? 10) }, item) },
  }));
  const latest = { id: 'ntf-1', text: 'Your order was shipped', createdAt: '2026-11-01T11:00:00Z' };
  gateway.grpc('notifications').on('GetUnread', { message: { unread: 7, latest: [latest] } });
}
