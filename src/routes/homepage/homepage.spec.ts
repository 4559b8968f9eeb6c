import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, GraphqlResult, RunningGateway } from '../../testing/index.ts';
import { allWell, startHomepage } from './homepage.fixture.ts';

/** More runs than an operation is interpreted for. */
const RUNS = 6;
const QUERY = `{
  homepage {
    user { id name email roles tier segment }
    feed { items { id title authorId publishedAt } }
    notifications { unread latest { id text createdAt } }
  }
}`;

interface Page {
  readonly user?: { readonly name: string };
  readonly feed?: { readonly items: readonly unknown[] };
  readonly notifications?: { readonly unread: number; readonly latest: readonly unknown[] };
  readonly degraded?: readonly unknown[];
}
interface Data {
  readonly homepage: Page | null;
}

let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startHomepage();
  await allWell(gateway);
  // Sections have budgets, and whoever asks first waits for code and connections.
  for (let turn = 0; turn < 50; turn += 1) if ((await rest()).json<Page>().degraded === undefined) break;
});
beforeEach(() => allWell(gateway));
afterAll(() => gateway.stop());

const rest = (path = '/api/homepage', id = '2'): Promise<Answer> =>
  gateway.client(gateway.as({ id })).get(path);
const graphql = (query = QUERY): Promise<GraphqlResult<Data>> =>
  gateway.client(gateway.as({ id: '2' })).graphql<Data>(query);
const counts = (): readonly number[] => [
  gateway.http('users').calls(),
  gateway.http('feed').calls(),
  gateway.grpc('notifications').calls(),
];

/** How many calls users, feed and notifications got meanwhile. */
async function callsOf(run: () => Promise<unknown>): Promise<readonly number[]> {
  const before = counts();
  await run();
  return counts().map((count, at) => count - (before[at] ?? 0));
}

describe('the homepage', () => {
  it('shows the caller, the feed and the notifications, from three services in two protocols', async () => {
    const answer = await rest();
    const page = answer.json<Page>();
    expect(page.user).toEqual({
      id: '2',
      name: 'Bob User',
      email: '2@example.com',
      roles: ['user'],
      tier: 'pro',
      segment: 'early-adopter',
    });
    expect(page.feed?.items).toHaveLength(10);
    expect(page.notifications).toEqual({
      unread: 7,
      latest: [{ id: 'ntf-1', text: 'Your order was shipped', createdAt: '2026-11-01T11:00:00.000Z' }],
    });
    expect(Object.keys(page)).toEqual(['user', 'feed', 'notifications']);
    expect(answer.headers['server-timing']).toMatch(
      /user;dur=[\d.]+, feed;dur=[\d.]+, notifications;dur=[\d.]+/,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('is the same over REST and GraphQL, interpreted and compiled', async () => {
    const page = (await rest()).json<Page>();
    for (let run = 0; run < RUNS; run += 1) expect(await graphql()).toEqual({ data: { homepage: page } });
  });

  it('calls only the services whose sections are selected', async () => {
    expect(await callsOf(() => rest())).toEqual([1, 1, 1]);
    expect(await callsOf(() => graphql())).toEqual([1, 1, 1]);
    expect(await callsOf(() => rest('/api/homepage?fields=feed'))).toEqual([0, 1, 0]);
    const twice = '{ homepage { user { name } again: user { id } } }';
    expect(await callsOf(() => graphql(twice))).toEqual([1, 0, 0]);
    expect(await callsOf(() => graphql('{ homepage { __typename } }'))).toEqual([0, 0, 0]);
  });

  it('is everybody’s own, and nobody’s without credentials', async () => {
    expect((await rest('/api/homepage', '3')).json<Page>().user?.name).toBe('Eve Guest');
    expect(gateway.grpc('notifications').requests).toMatchObject([{ message: { userId: '3' } }]);
    await gateway.resetUpstreams();
    const nobody = gateway.client();
    expect((await nobody.get('/api/homepage')).problem).toMatchObject({
      status: 401,
      code: 'credentials-missing',
    });
    expect(await nobody.graphql(QUERY)).toMatchObject({
      data: { homepage: null },
      errors: [{ path: ['homepage'], extensions: { code: 'credentials-missing' } }],
    });
    gateway.expectNoUpstreamCalls();
  });

  it('refuses a section that it does not have, with the nearest name', async () => {
    expect((await rest('/api/homepage?fields=user,feeds')).problem).toMatchObject({
      status: 400,
      code: 'request-invalid',
      errors: [{ parameter: 'fields', detail: expect.stringContaining('"feed"') }],
    });
  });
});

describe('a service that is dead', () => {
  it.each([
    ['feed', { items: [] }],
    ['notifications', { unread: 0, latest: [] }],
  ] as const)('costs the page nothing but its section: %s', async (name, standIn) => {
    const whole = (await rest()).json<Page>();
    await (name === 'feed' ? gateway.http(name) : gateway.grpc(name)).refuse();
    const degradation = { section: name, code: 'upstream-unreachable', via: 'fallback' };

    const answer = await rest();
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.json()).toEqual({ ...whole, [name]: standIn, degraded: [degradation] });
    for (let run = 0; run < RUNS; run += 1) {
      expect(await graphql()).toEqual({
        data: { homepage: { ...whole, [name]: standIn } },
        extensions: { degraded: [{ ...degradation, path: ['homepage', name] }] },
      });
    }
  });

  it.each([
    [{ status: 500 }, 'upstream-rejected'],
    [{ status: 503 }, 'upstream-rejected'],
    [{ body: 'no JSON' }, 'upstream-response-invalid'],
  ])('or answers %j, degrades its section with the reason', async (given, code) => {
    gateway.http('feed').on('GET /feed', given);
    const page = (await rest()).json<Page>();
    expect(page.degraded).toEqual([{ section: 'feed', code, via: 'fallback' }]);
    expect(page.user?.name).toBe('Bob User');
  });

  it('or slower than its budget, degrades its section and is let go', async () => {
    gateway.grpc('notifications').on('GetUnread', { fault: 'hang' });
    const { degraded } = (await rest()).json<Page>();
    expect(degraded).toEqual([{ section: 'notifications', code: 'upstream-timeout', via: 'fallback' }]);
  });

  it('is the answer when the page is worth nothing without it', async () => {
    await gateway.http('users').refuse();
    expect((await rest()).problem).toMatchObject({
      status: 502,
      code: 'upstream-unreachable',
      section: 'user',
    });
    for (let run = 0; run < RUNS; run += 1) {
      expect(await graphql()).toMatchObject({
        data: { homepage: null },
        errors: [
          { path: ['homepage', 'user'], extensions: { code: 'upstream-unreachable', section: 'user' } },
        ],
      });
    }
  });

  it('is not noticed by who does not select it', async () => {
    await gateway.http('users').refuse();
    expect((await rest('/api/homepage?fields=feed')).status).toBe(200);
    const answer = await graphql('{ homepage { feed { items { id } } } }');
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.homepage?.feed?.items).toHaveLength(10);
  });
});
