import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/client.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

const calm = (url: string, more: object = {}) => ({
  targets: [url],
  circuitBreaker: 'off',
  retry: { attempts: 1 },
  ...more,
});
const holder = useShop({
  upstreams: (services) => ({
    users: calm(services['users-1'].url),
    feed: calm(services.feed.url),
    notifications: calm(services.notifications.url, { protocol: 'grpc' }),
  }),
  more: { graphql: { policies: { rateLimit: { key: 'principal', rate: 1000, per: '1m' } } } },
});
beforeAll(() => holder.shop.warm());

const QUERY = `query Whole { homepage {
  user { id name email roles tier segment }
  feed { items { id title authorId publishedAt } }
  notifications { unread latest { id text createdAt } }
} }`;

const graphql = (query: string, more: ShopCall = { as: 'user' }, operationName?: string): Promise<Answer> =>
  holder.shop.call('/graphql', {
    method: 'POST',
    body: JSON.stringify({ query, operationName }),
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
  });

/** A page with nothing missing; a gRPC channel takes a moment to find its target (again). */
async function wholePage(): Promise<Answer> {
  for (;;) {
    const answer = await holder.shop.call('/api/homepage', { as: 'user' });
    if (!answer.text.includes('"degraded"')) return answer;
  }
}

afterEach(async () => {
  for (const name of ['users-1', 'feed', 'notifications'] as const)
    await holder.shop.services[name].fault('none');
});

describe('the homepage', () => {
  it('is one view with two faces: REST and GraphQL answer the same', async () => {
    const rest = await wholePage();
    expect(rest.json()).toMatchObject({ user: { name: 'Bob User' }, feed: { items: expect.any(Array) } });
    expect(rest.text).not.toContain('riskScore');
    const answer = await graphql(QUERY);
    expect(answer.json()).toEqual({ data: { homepage: rest.json() } });
    for (const one of [rest, answer])
      expect(await holder.shop.lineOf(one)).toMatchObject({ status: 200, principal: '2' });
  });

  it('calls only the sections that a query selects', async () => {
    const { feed, notifications } = holder.shop.services;
    const before = [feed.requests.total, notifications.requests.total];
    expect((await graphql('{ homepage { user { name } } }')).json()).toEqual({
      data: { homepage: { user: { name: 'Bob User' } } },
    });
    expect([feed.requests.total, notifications.requests.total]).toEqual(before);
  });

  it.each(['feed', 'notifications'] as const)(
    'degrades the section of a dead service and nothing else: %s',
    async (name) => {
      const whole = (await holder.shop.call('/api/homepage', { as: 'user' })).json();
      await holder.shop.services[name].fault('dead');
      const rest = await holder.shop.call('/api/homepage', { as: 'user' });
      expect(rest.status).toBe(200);
      const page = rest.json<Record<string, unknown>>();
      expect(page['degraded']).toEqual([
        expect.objectContaining({ section: name, code: 'upstream-unreachable' }),
      ]);
      expect(page['user']).toEqual(whole['user']);
      const answer = (await graphql(QUERY)).json<{
        data: { homepage: object };
        extensions: { degraded: unknown[] };
      }>();
      expect(answer.data.homepage).toMatchObject({ user: whole['user'] });
      expect(answer.extensions.degraded).toEqual([expect.objectContaining({ section: name })]);
      expect(await holder.shop.metrics()).toMatch(
        new RegExp(`gatehouse_view_sections_total\\{.*section="${name}".*\\} \\d`),
      );
    },
  );

  it('is no page without its user: a problem over REST, an error with the same code over GraphQL', async () => {
    await holder.shop.services['users-1'].fault('dead');
    const rest = await holder.shop.call('/api/homepage', { as: 'user' });
    expect([rest.status, rest.json()['code']]).toEqual([502, 'upstream-unreachable']);
    const answer = (await graphql(QUERY)).json<{ errors: { extensions: { code: string } }[] }>();
    expect(answer.errors[0]?.extensions.code).toBe('upstream-unreachable');
  });
});

describe('GraphQL', () => {
  it('meets the same stages: 401 with a challenge, 429 fields, one access line', async () => {
    const denied = await graphql(QUERY, {});
    expect(denied.status).toBe(401);
    expect(denied.headers['www-authenticate']).toContain('Bearer');
    expect(await holder.shop.lineOf(denied)).toMatchObject({ route: 'graphql', status: 401 });
    const allowed = await graphql('{ __typename }');
    expect(allowed.headers).toHaveProperty('ratelimit');
    expect(allowed.headers).toHaveProperty('x-request-id');
  });

  it('runs the operation that is named, of a document that is cached', async () => {
    const document = 'query A { homepage { user { id } } } query B { homepage { user { name } } }';
    for (let i = 0; i < 4; i += 1) {
      expect((await graphql(document, { as: 'user' }, 'A')).json()).toEqual({
        data: { homepage: { user: { id: '2' } } },
      });
      expect((await graphql(document, { as: 'user' }, 'B')).json()).toEqual({
        data: { homepage: { user: { name: 'Bob User' } } },
      });
    }
  });

  it.each(['{', '{ nothing }', '', '{ homepage { user { password } } }'])(
    'refuses the document %p without running it',
    async (query) => {
      const before = holder.shop.services['users-1'].requests.total;
      const answer = await graphql(query);
      expect(answer.status).toBeLessThan(500);
      expect(answer.json<{ errors: unknown[] }>().errors.length).toBeGreaterThan(0);
      expect(holder.shop.services['users-1'].requests.total).toBe(before);
    },
  );

  it.each([
    ['no JSON', '{"query":', 'application/json', [400]],
    ['another media type', 'a=b', 'application/x-www-form-urlencoded', [403, 415]],
    ['a batch', '[{"query":"{__typename}"}]', 'application/json', [400]],
  ] as const)('refuses %s', async (_what, body, type, statuses) => {
    const answer = await holder.shop.call('/graphql', {
      method: 'POST',
      as: 'user',
      body,
      headers: { 'content-type': type },
    });
    expect(statuses).toContain(answer.status);
  });
});
