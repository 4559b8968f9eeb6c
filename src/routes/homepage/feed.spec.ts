import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../../examples/services/start.ts';
import { startBff, type BffApp } from '../../bff/bff-app.fixture.ts';
import { HomepageModule } from './homepage.module.ts';

/** More runs than an operation is interpreted for. */
const RUNS = 6;

interface Item {
  readonly id: string;
  readonly authorId: string;
  readonly author: { readonly id: string; readonly name: string } | null;
}
interface Answer {
  readonly data: { readonly feed?: readonly Item[] | null; readonly homepage?: unknown } | null;
  readonly errors?: readonly { readonly path: unknown; readonly extensions: unknown }[];
}

let services: SampleServices;
let bff: BffApp;

beforeAll(async () => {
  services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  bff = await startBff({
    modules: [HomepageModule],
    upstreams: JSON.stringify({
      users: { targets: [services['users-1'].url], ...calm },
      feed: { targets: [services.feed.url], ...calm },
      notifications: { protocol: 'grpc', targets: [services.notifications.url], ...calm },
    }),
  });
});
afterAll(async () => {
  await bff.stop();
  await services.stop();
});
afterEach(async () => {
  await Promise.all([services['users-1'], services.feed].map((one) => one.fault('none')));
});

async function graphql(query: string, user: string | undefined = '3'): Promise<Answer> {
  const response = await fetch(`${bff.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(user === '' ? {} : { 'x-test-user': user }) },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

/** Which operations the services were asked for meanwhile. */
async function callsOf(run: () => Promise<unknown>): Promise<Record<string, number>> {
  for (const { requests } of [services['users-1'], services.feed]) requests.reset();
  await run();
  return { ...services['users-1'].requests.by, ...services.feed.requests.by };
}

describe('the feed', () => {
  it('shows as many items as are asked for, ten by default, each with its author', async () => {
    const { data } = await graphql('{ feed(first: 20) { id authorId author { id name } } }');
    expect(data?.feed).toHaveLength(20);
    expect(data?.feed?.[1]).toEqual({
      id: 'item-23',
      authorId: '2',
      author: { id: '2', name: 'Bob User' },
    });
    for (const { authorId, author } of data?.feed ?? []) expect(author?.id).toBe(authorId);
    expect((await graphql('{ feed { id } }')).data?.feed).toHaveLength(10);
  });

  it('makes two calls for 20 items with authors, not 21, interpreted and compiled', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const query = '{ feed(first: 20) { title author { name } } }';
      expect(await callsOf(() => graphql(query))).toEqual({ 'GET /feed': 1, 'GET /users': 1 });
    }
  });

  it('asks nobody for authors that are not selected', async () => {
    expect(await callsOf(() => graphql('{ feed { authorId } }'))).toEqual({ 'GET /feed': 1 });
  });

  it('has authors on the homepage as well', async () => {
    const query = '{ homepage { feed { items { author { name } } } } }';
    expect(await callsOf(() => graphql(query))).toEqual({ 'GET /feed': 1, 'GET /users': 1 });
  });

  it.each([0, -1, 51])('refuses a length of %d before anything is called', async (first) => {
    const query = `{ feed(first: ${first}) { id } }`;
    expect(await callsOf(() => graphql(query))).toEqual({});
    expect(await graphql(query)).toEqual({
      data: { feed: null },
      errors: [
        expect.objectContaining({
          path: ['feed'],
          message: 'first: expected 1 to 50',
          extensions: expect.objectContaining({ code: 'request-invalid' }),
        }),
      ],
    });
  });

  it('is nobody’s without credentials', async () => {
    expect(await graphql('{ feed { id } }', '')).toMatchObject({
      data: { feed: null },
      errors: [{ path: ['feed'], extensions: { code: 'credentials-missing' } }],
    });
  });

  it('shows the items without authors while the service of users is dead', async () => {
    await services['users-1'].fault('dead');
    for (let run = 0; run < RUNS; run += 1) {
      const { data, errors } = await graphql('{ feed(first: 2) { id author { name } } }');
      expect(data?.feed).toEqual([
        { id: 'item-24', author: null },
        { id: 'item-23', author: null },
      ]);
      expect(errors).toMatchObject([
        { path: ['feed', 0, 'author'], extensions: { code: 'upstream-unreachable' } },
        { path: ['feed', 1, 'author'], extensions: { code: 'upstream-unreachable' } },
      ]);
    }
  });
});
