import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GraphqlResult, RunningGateway } from '../../testing/index.ts';
import { allWell, startHomepage } from './homepage.fixture.ts';

/** More runs than an operation is interpreted for. */
const RUNS = 6;

interface Item {
  readonly id: string;
  readonly authorId: string;
  readonly author: { readonly id: string; readonly name: string } | null;
}
interface Data {
  readonly feed?: readonly Item[] | null;
}

describe('the feed', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startHomepage();
  });
  beforeEach(() => allWell(gateway));
  afterAll(() => gateway.stop());

  const graphql = (query: string, fields = gateway.as({ id: '3' })): Promise<GraphqlResult<Data>> =>
    gateway.client(fields).graphql<Data>(query);
  /** How often each service was asked meanwhile. */
  const callsOf = async (run: () => Promise<unknown>): Promise<readonly number[]> => {
    const counts = (): number[] => [gateway.http('feed').calls('GET /feed'), gateway.http('users').calls('GET /users')];
    const before = counts();
    await run();
    return counts().map((count, at) => count - (before[at] ?? 0));
  }; // prettier-ignore

  it('shows as many items as are asked for, ten by default, each with its author', async () => {
    const { data } = await graphql('{ feed(first: 20) { id authorId author { id name } } }');
    expect(data?.feed).toHaveLength(20);
    expect(data?.feed?.[1]).toEqual({ id: 'item-1', authorId: '2', author: { id: '2', name: 'Bob User' } });
    for (const { authorId, author } of data?.feed ?? []) expect(author?.id).toBe(authorId);
    expect((await graphql('{ feed { id } }')).data?.feed).toHaveLength(10);
  });

  it('makes two calls for 20 items with authors, not 21, interpreted and compiled', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const query = '{ feed(first: 20) { title author { name } } }';
      expect(await callsOf(() => graphql(query))).toEqual([1, 1]);
    }
    expect(gateway.http('users').calls()).toBe(RUNS);
  });

  it('asks nobody for authors that are not selected', async () => {
    expect(await callsOf(() => graphql('{ feed { authorId } }'))).toEqual([1, 0]);
  });

  it('has authors on the homepage as well', async () => {
    const query = '{ homepage { feed { items { author { name } } } } }';
    expect(await callsOf(() => graphql(query))).toEqual([1, 1]);
  });

  it.each([0, -1, 51])('refuses a length of %d before anything is called', async (first) => {
    expect(await graphql(`{ feed(first: ${first}) { id } }`)).toEqual({
      data: { feed: null },
      errors: [
        expect.objectContaining({
          path: ['feed'],
          message: 'first: expected 1 to 50',
          extensions: expect.objectContaining({ code: 'request-invalid' }),
        }),
      ],
    });
    gateway.expectNoUpstreamCalls();
  });

  it('is nobody’s without credentials', async () => {
    expect(await graphql('{ feed { id } }', {})).toMatchObject({
      data: { feed: null },
      errors: [{ path: ['feed'], extensions: { code: 'credentials-missing' } }],
    });
    gateway.expectNoUpstreamCalls();
  });

  it('shows the items without authors while the service of users is dead', async () => {
    await gateway.http('users').refuse();
    for (let run = 0; run < RUNS; run += 1) {
      const { data, errors } = await graphql('{ feed(first: 2) { id author { name } } }');
      expect(data?.feed).toEqual([
        { id: 'item-0', author: null },
        { id: 'item-1', author: null },
      ]);
      expect(errors).toMatchObject([
        { path: ['feed', 0, 'author'], extensions: { code: 'upstream-unreachable' } },
        { path: ['feed', 1, 'author'], extensions: { code: 'upstream-unreachable' } },
      ]);
    }
  });
});
