import { afterEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import type { FollowedCluster, ObjectVerdict } from '../snapshot/followed-cluster.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { describeCluster, serveCluster } from './cluster-pages.ts';

const verdict = (kind: string, name: string, state: ObjectVerdict['state']): ObjectVerdict => ({
  kind,
  namespace: name === 'far' ? 'other' : 'shop',
  name,
  generation: 1,
  state,
});

const FOLLOWED: FollowedCluster = {
  controller: 'gatehouse.dev/gateway',
  isLeader: false,
  routes: 2,
  maxRoutes: 10,
  watches: [{ kind: 'Gateway', title: 'gateways', state: 'failing', objects: 1, ageMs: 12.4, why: '503' }],
  objects: [
    verdict('Gateway', 'edge', 'served'),
    verdict('HTTPRoute', 'a', 'served'),
    verdict('HTTPRoute', 'far', 'refused'),
  ],
};

describe('describeCluster', () => {
  it('counts objects by kind and by what became of them', () => {
    const { objects: _objects, ...rest } = FOLLOWED;
    expect(describeCluster(FOLLOWED)).toEqual({
      ...rest,
      isFollowed: true,
      watches: [{ ...FOLLOWED.watches[0], ageMs: 12 }],
      kinds: [
        { kind: 'Gateway', served: 1 },
        { kind: 'HTTPRoute', served: 1, refused: 1 },
      ],
    });
    expect(describeCluster(undefined)).toEqual({ isFollowed: false });
  });
});

describe('serveCluster', () => {
  let server: FastifyInstance;
  const ask = async (
    url: string,
    followed?: FollowedCluster,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    server = fastify();
    serveCluster(server, { additions: { source: followed && { followed } } } as unknown as Reloads);
    const answer = await server.inject(url);
    return { status: answer.statusCode, body: answer.json() };
  };

  afterEach(() => server.close());

  it.each([
    ['', ['edge', 'a', 'far']],
    ['?kind=HTTPRoute', ['a', 'far']],
    ['?kind=HTTPRoute&namespace=other', ['far']],
    ['?state=served&name=a', ['a']],
    ['?limit=1&from=1', ['a']],
    ['?from=99', []],
  ])('gives the objects that are asked for: %s', async (query, names) => {
    const { body } = await ask(`/kubernetes/objects${query}`, FOLLOWED);
    expect((body['rows'] as { name: string }[]).map(({ name }) => name)).toEqual(names);
  });

  it('refuses what it does not know, and has none where no cluster is followed', async () => {
    expect(await ask('/kubernetes/objects?limit=5000', FOLLOWED)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/limit/) },
    });
    expect(await ask('/kubernetes/objects?kid=x', FOLLOWED)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/kid/) },
    });
    expect(await ask('/kubernetes/objects')).toEqual({ status: 200, body: { total: 0, rows: [] } });
  });
});
