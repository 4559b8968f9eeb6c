import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Args, Field, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { quotaCommand, runQuota } from '../../src/cli/quota.ts';
import { call } from '../support/client.ts';
import { checkGateway } from '../support/gateway.ts';
import { API_KEY, useShop, type RouteInput } from '../support/shop.ts';

@ObjectType()
class Piece {
  @Field(() => Int)
  id!: number;
}

@Resolver()
class PiecesResolver {
  @Query(() => [Piece])
  pieces(@Args('first', { type: () => Int }) first: number): Piece[] {
    return Array.from({ length: first }, (_, id) => ({ id }));
  }
}

@Module({ providers: [PiecesResolver] })
class PiecesModule {}

const rule = (limit: number, cost: unknown, more: object = {}) => ({
  key: 'global', limit, window: 'month', withoutRedis: 'memory', cost, ...more,
}); // prettier-ignore
const route = (id: string, quota: unknown, more: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { authentication: 'public', quota, ...more },
});
const reported = { answerHeader: 'x-cost' };

const holder = useShop({
  modules: [PiecesModule],
  more: {
    modules: ['homepage'],
    graphql: {
      cost: { max: 1000 },
      policies: { authentication: 'public', quota: rule(30, 'query', { name: 'operations' }) },
    },
  },
  routes: [
    route('methods', rule(10, { methods: { POST: 6, GET: 0 } })),
    route('sized', rule(10, { perBytes: '10B' }), { bodyLimit: '50B' }),
    route('reported', rule(20, reported), {
      rateLimit: { key: 'global', rate: 100, per: '1d', cost: reported },
    }),
    {
      ...route('mine', rule(5, 1, { name: 'own', key: 'principal' })),
      policies: {
        authentication: { schemes: ['apiKey'] },
        quota: rule(5, 1, { name: 'own', key: 'principal' }),
      },
    },
  ],
});

const ask = (path: string, method = 'GET', body?: string) =>
  call(holder.shop.gateway.url + path, { method, headers: { 'content-type': 'text/plain' }, body });

describe('a quota by cost', () => {
  it('takes what a method costs, and nothing of what is free', async () => {
    const statuses = [];
    for (const method of ['POST', 'POST', 'GET']) statuses.push((await ask('/methods', method, '')).status);
    expect(statuses).toEqual([200, 429, 200]);
    expect((await ask('/methods')).headers['ratelimit']).toMatch(/^"month";r=4;/);
  });

  it('takes what a body costs, also of one whose length nobody knows', async () => {
    expect((await ask('/sized', 'POST', 'x'.repeat(41))).headers['ratelimit']).toMatch(/^"month";r=5;/);
    const { Readable } = await import('node:stream');
    const url = `${holder.shop.gateway.url}/sized`;
    const chunked = () => call(url, { method: 'POST', body: Readable.from(['x']) });
    expect((await chunked()).headers['ratelimit']).toMatch(/^"month";r=0;/);
    expect((await chunked()).status).toBe(429);
  });

  it('is charged for what the service reports, together with the rate limit, and clients do not see it', async () => {
    const echo = holder.shop.echo.listener;
    holder.shop.echo.listener = (request, response) => {
      response.setHeader('x-cost', '15');
      echo(request, response);
    };
    try {
      const first = await ask('/reported');
      expect(first.headers).not.toHaveProperty('x-cost');
      const second = await ask('/reported');
      expect(second.headers['ratelimit']).toMatch(/^"global";r=84;.*"month";r=4;/);
      expect((await ask('/reported')).json()).toMatchObject({ code: 'quota-exceeded' });
    } finally {
      holder.shop.echo.listener = echo;
    }
  });

  it('is charged for what an operation of GraphQL costs; one that is too dear takes nothing', async () => {
    const run = async (first: number) => {
      const body = JSON.stringify({ query: `{ pieces(first: ${first}) { id } }` });
      const headers = { 'content-type': 'application/json' };
      return call(`${holder.shop.gateway.url}/graphql`, { method: 'POST', headers, body });
    };
    const costs = (await run(2)).json<{ extensions: { cost: { requested: number } } }>().extensions.cost;
    const tooDear = await run(29);
    expect([tooDear.status, tooDear.json<{ code: string }>().code]).toEqual([429, 'quota-exceeded']);
    const after = await run(1);
    expect(after.headers['ratelimit']).toMatch(new RegExp(`"operations";r=${29 - costs.requested};`));
  });

  it('by query needs somebody who counts what operations cost', async () => {
    const quota = rule(30, 'query');
    const config = JSON.stringify({
      version: 1,
      modules: ['pieces'],
      graphql: { policies: { quota } },
      routes: [],
    });
    await expect(
      checkGateway({ config, modules: [{ name: 'pieces', module: PiecesModule, graphql: true }] }),
    ).rejects.toThrow('expected `graphql.cost`');
  });
});

describe('who has used something of a quota', () => {
  const admin = (path: string) => call(holder.shop.gateway.adminUrl + path);

  it('is listed for operators, and by `gatehouse quota --list`', async () => {
    const headers = { 'x-api-key': API_KEY };
    await call(`${holder.shop.gateway.url}/mine`, { headers });
    const listed = (await admin('/quotas/subjects?quota=own')).json<{
      subjects: readonly { subject: string; used: number; remaining: number }[];
    }>();
    expect(listed).toMatchObject({ quota: { name: 'own', limit: 5, routes: ['mine'] }, complete: true });
    const [one] = listed.subjects;
    expect(one).toMatchObject({ used: 1, remaining: 4 });
    let out = '';
    const command = quotaCommand([
      '--list',
      'own',
      '--sort',
      'used',
      '--admin',
      holder.shop.gateway.adminUrl,
    ]);
    if (command !== undefined)
      await runQuota(command, { adminHost: '', adminPort: 0 }, { write: (text) => (out += text) });
    expect(out).toContain(`${one?.subject}: 1 used in `);
    expect((await admin('/quotas/subjects?quota=own&subject=nobody')).json()).toMatchObject({ subjects: [] });
  });

  it.each([
    ['quota=owm', 404, 'did you mean own?'],
    ['quota=month', 404, 'say with `route` which one'],
    ['quota=own&route=sized', 404, 'has no quota own'],
    ['', 400, 'quota'],
    ['quota=own&limit=1001', 400, 'limit'],
    ['quota=own&cursor=x', 400, 'cursor'],
    ['quota=own&sort=used&cursor=x', 400, 'cursor'],
    ['quota=own&sort=name', 400, 'sort'],
  ])('is not listed for %s', async (query, status, said) => {
    const answer = await admin(`/quotas/subjects?${query}`);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(said)]);
  });

  it('is not asked for in vain', () => {
    expect(() => quotaCommand(['--sort', 'used'])).toThrow('--list NAME with --sort');
    expect(() => quotaCommand(['--list', 'a', '--reset', '--subject', 's'])).toThrow('not both');
  });
});
