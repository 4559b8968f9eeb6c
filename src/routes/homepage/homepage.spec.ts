import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../../examples/services/start.ts';
import { startBff, type BffApp } from '../../bff/bff-app.fixture.ts';
import { describeView } from '../../bff/describe-view.ts';
import { viewDiagram } from '../../bff/view-diagram.ts';
import { HomepageModule } from './homepage.module.ts';
import { Homepage } from './homepage.view.ts';

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

interface GraphqlAnswer {
  readonly data: { readonly homepage: Page | null } | null;
  readonly errors?: readonly { readonly path: unknown; readonly extensions: unknown }[];
  readonly extensions?: unknown;
}

let services: SampleServices;
let bff: BffApp;

beforeAll(async () => {
  services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
  bff = await startBff({
    modules: [HomepageModule],
    upstreams: JSON.stringify({
      users: { targets: [services['users-1'].url], circuitBreaker: 'off', retry: { attempts: 1 } },
      feed: { targets: [services.feed.url], circuitBreaker: 'off', retry: { attempts: 1 } },
      notifications: {
        protocol: 'grpc',
        targets: [services.notifications.url],
        circuitBreaker: 'off',
        retry: { attempts: 1 },
      },
    }),
  });
});
afterAll(async () => {
  await bff.stop();
  await services.stop();
});
afterEach(async () => {
  await Promise.all(
    [services['users-1'], services.feed, services.notifications].map((one) => one.fault('none')),
  );
  // A gRPC channel takes about a second to notice that its target is back.
  while (((await (await rest()).json()) as Page).degraded !== undefined) await sleep(50);
});

async function rest(path = '/api/homepage', user: string | undefined = '2'): Promise<Response> {
  return fetch(bff.url + path, { headers: user === undefined ? {} : { 'x-test-user': user } });
}

async function graphql(query = QUERY, user: string | undefined = '2'): Promise<GraphqlAnswer> {
  const response = await fetch(`${bff.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(user === undefined ? {} : { 'x-test-user': user }) },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as GraphqlAnswer;
}

const counts = (): Record<string, number> => ({
  users: services['users-1'].requests.total,
  feed: services.feed.requests.total,
  notifications: services.notifications.requests.total,
});

/** How many calls each service got meanwhile. */
async function callsOf(run: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = counts();
  await run();
  return Object.fromEntries(
    Object.entries(counts()).map(([name, count]) => [name, count - (before[name] ?? 0)]),
  );
}

describe('the homepage', () => {
  it('shows the caller, the feed and the notifications, from three services in two protocols', async () => {
    const response = await rest();
    const page = (await response.json()) as Page;
    expect(page.user).toEqual({
      id: '2',
      name: 'Bob User',
      email: 'bob@example.com',
      roles: ['user'],
      tier: 'pro',
      segment: 'early-adopter',
    });
    expect(page.feed?.items).toHaveLength(10);
    expect(page.notifications).toMatchObject({
      unread: 7,
      latest: expect.arrayContaining([
        { id: 'ntf-2-7', text: 'Your order was shipped', createdAt: '2026-11-01T11:00:00.000Z' },
      ]),
    });
    expect(Object.keys(page)).toEqual(['user', 'feed', 'notifications']);
    expect(response.headers.get('server-timing')).toMatch(
      /^user;dur=\d+, feed;dur=\d+, notifications;dur=\d+$/,
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('is the same over REST and GraphQL, interpreted and compiled', async () => {
    const page = await (await rest()).json();
    for (let run = 0; run < 6; run += 1) expect(await graphql()).toEqual({ data: { homepage: page } });
  });

  it('is drawn in docs/views.md as it runs', async () => {
    await rest();
    const docs = await readFile(new URL('../../../docs/views.md', import.meta.url), 'utf8');
    expect(docs).toContain(
      `<!-- homepage: begin -->\n\n\`\`\`mermaid\n${viewDiagram(describeView(Homepage))}\`\`\`\n\n<!-- homepage: end -->`,
    );
  });

  it('calls only the services whose sections are selected', async () => {
    const all = { users: 1, feed: 1, notifications: 1 };
    expect(await callsOf(() => rest())).toEqual(all);
    expect(await callsOf(() => graphql())).toEqual(all);
    expect(await callsOf(() => rest('/api/homepage?fields=feed'))).toEqual({
      users: 0,
      feed: 1,
      notifications: 0,
    });
    expect(await callsOf(() => graphql('{ homepage { user { name } again: user { id } } }'))).toEqual({
      users: 1,
      feed: 0,
      notifications: 0,
    });
    expect(await callsOf(() => graphql('{ homepage { __typename } }'))).toEqual({
      users: 0,
      feed: 0,
      notifications: 0,
    });
  });

  it('is everybody’s own, and nobody’s without credentials', async () => {
    expect(((await (await rest('/api/homepage', '3')).json()) as Page).user?.name).toBe('Eve Guest');
    const response = await fetch(`${bff.url}/api/homepage`);
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'credentials-missing' }]);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${bff.url}/graphql`, { ...init, body: JSON.stringify({ query: QUERY }) });
    expect(await answer.json()).toMatchObject({
      data: { homepage: null },
      errors: [{ path: ['homepage'], extensions: { code: 'credentials-missing' } }],
    });
  });

  it('refuses a section that it does not have, with the nearest name', async () => {
    const response = await rest('/api/homepage?fields=user,feeds');
    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        code: 'request-invalid',
        errors: [{ parameter: 'fields', detail: expect.stringContaining('"feed"') }],
      },
    ]);
  });
});

describe('a service that is dead', () => {
  const optional = [
    ['feed', { items: [] }],
    ['notifications', { unread: 0, latest: [] }],
  ] as const;

  it.each(optional)('costs the page nothing but its section: %s', async (name, standIn) => {
    const whole = (await (await rest()).json()) as Page;
    await services[name].fault('dead');
    const degradation = { section: name, code: 'upstream-unreachable', via: 'fallback' };

    const response = await rest();
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await response.json()).toEqual({ ...whole, [name]: standIn, degraded: [degradation] });

    for (let run = 0; run < 5; run += 1) {
      expect(await graphql()).toEqual({
        data: { homepage: { ...whole, [name]: standIn } },
        extensions: { degraded: [{ ...degradation, path: ['homepage', name] }] },
      });
    }
  });

  it.each(['fail', 'unavailable', 'garbage'] as const)(
    'or answers %s, degrades its section with the reason',
    async (mode) => {
      await services.feed.fault(mode);
      const page = (await (await rest()).json()) as Page;
      const code = mode === 'garbage' ? 'upstream-response-invalid' : 'upstream-rejected';
      expect(page.degraded).toEqual([{ section: 'feed', code, via: 'fallback' }]);
      expect(page.user?.name).toBe('Bob User');
    },
  );

  it('or slower than its budget, degrades its section and is let go', async () => {
    await services.notifications.fault({ slow: 60_000 });
    const page = (await (await rest()).json()) as Page;
    expect(page.degraded).toEqual([{ section: 'notifications', code: 'upstream-timeout', via: 'fallback' }]);
  });

  it('is the answer when the page is worth nothing without it', async () => {
    await services['users-1'].fault('dead');
    const response = await rest();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      502,
      'application/problem+json',
    ]);
    expect(await response.json()).toMatchObject({ code: 'upstream-unreachable', section: 'user' });

    for (let run = 0; run < 5; run += 1) {
      expect(await graphql()).toMatchObject({
        data: { homepage: null },
        errors: [
          { path: ['homepage', 'user'], extensions: { code: 'upstream-unreachable', section: 'user' } },
        ],
      });
    }
  });

  it('is not noticed by who does not select it', async () => {
    await services['users-1'].fault('dead');
    expect((await rest('/api/homepage?fields=feed')).status).toBe(200);
    const answer = await graphql('{ homepage { feed { items { id } } } }');
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.homepage?.feed?.items).toHaveLength(10);
  });
});
