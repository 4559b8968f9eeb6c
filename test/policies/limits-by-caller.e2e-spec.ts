import { Module } from '@nestjs/common';
import { Args, Field, Int, ObjectType, Query, Resolver, Subscription } from '@nestjs/graphql';
import { describe, expect, it } from '@jest/globals';
import { GRAPHQL_SESSIONS, openSession } from '../support/graphql-sessions.ts';
import { API_KEY, useShop, type RouteInput } from '../support/shop.ts';

@ObjectType()
class Part {
  @Field(() => Int)
  id!: number;
}

@Resolver()
class PartsResolver {
  @Query(() => [Part])
  parts(@Args('first', { type: () => Int }) first: number): Part[] {
    return Array.from({ length: first }, (_, id) => ({ id }));
  }
  // Without one there are no streams.
  @Subscription(() => Int)
  async *ticks(): AsyncGenerator<{ ticks: number }> {
    yield await Promise.resolve({ ticks: 1 });
  }
}

@Module({ providers: [PartsResolver] })
class PartsModule {}

const route = (id: string, rateLimit: unknown, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { authentication: 'public', rateLimit, ...policies },
});
const reported = { key: 'global', rate: 10, per: '1d', cost: { answerHeader: 'x-cost' } };

const holder = useShop({
  modules: [PartsModule],
  more: {
    modules: ['homepage'],
    trustedProxies: ['loopback'],
    tiers: { free: { rate: 1, per: '1d' }, pro: { rate: 3, per: '1d' }, enterprise: 'off' },
    graphql: {
      cost: { max: 1000 },
      policies: {
        authentication: 'public',
        rateLimit: { key: 'ip', rate: 20, per: '1d', cost: 'query' },
      },
    },
  },
  routes: [
    route('reported', reported),
    route('stored', reported, { cache: { ttl: '1m', scope: 'public' } }),
    route('tiers', { key: 'principal', tiers: true }, { authentication: { schemes: ['jwt', 'apiKey'] } }),
    route('shadow', [
      { key: 'global', rate: 1, per: '1d', mode: 'shadow' },
      { key: 'ip', rate: 100, per: '1d', algorithm: 'slidingWindow' },
    ]),
  ],
});

async function statuses(path: string, requests: number, options: object = {}): Promise<number[]> {
  const found: number[] = [];
  for (let call = 0; call < requests; call += 1) found.push((await holder.shop.call(path, options)).status);
  return found;
}

const FATES: Readonly<Record<string, readonly boolean[]>> = {
  socket: [true, false, false, true, false],
  'reserved stream': [true, false, false, false, true],
};

describe('a limit', () => {
  it('charges what the service says that a request was worth, in a field that clients do not see', async () => {
    const echo = holder.shop.echo.listener;
    holder.shop.echo.listener = (_request, response) => {
      response.writeHead(200, { 'X-Cost': '5', 'content-type': 'text/plain' }).end('dear');
    };
    try {
      const first = await holder.shop.call('/reported');
      expect(first.headers).not.toHaveProperty('x-cost');
      expect(await statuses('/reported', 2)).toEqual([200, 429]);
      const stored = await holder.shop.call('/stored');
      expect(stored.headers).not.toHaveProperty('x-cost');
      const again = await holder.shop.call('/stored');
      expect(again.headers).toMatchObject({ 'x-cache': 'HIT' });
      expect(again.headers).not.toHaveProperty('x-cost');
      // One that was dear, and those that nobody has worked for.
      expect(await statuses('/stored', 5)).toEqual([200, 200, 200, 200, 429]);
    } finally {
      holder.shop.echo.listener = echo;
    }
  });

  it('is that of the tier of the caller; who has none has the strictest', async () => {
    expect(await statuses('/tiers', 2, { apiKey: API_KEY })).toEqual([200, 429]);
  });

  it('in the shadow refuses nobody, and is told to operators', async () => {
    expect(await statuses('/shadow', 3)).toEqual([200, 200, 200]);
    const lines = await holder.shop.gateway.linesWhere(({ shadowDenied }) => shadowDenied !== undefined);
    expect(lines[0]).toMatchObject({ route: 'shadow', status: 200, shadowDenied: 'rateLimit global' });
    const { headers } = await holder.shop.call('/shadow');
    expect(headers['ratelimit-policy']).toBe('"ip";q=100;w=86400');
    expect(await holder.shop.metrics()).toMatch(
      /gatehouse_rate_limit_decisions_total\{route="shadow",outcome="shadow-limited"\} 3/,
    );
  });

  it.each(Object.keys(GRAPHQL_SESSIONS).map((door, index) => [door, `192.0.2.${index + 1}`]))(
    'charges an operation of GraphQL over %s what it costs',
    async (door, address) => {
      const headers = { 'x-forwarded-for': address };
      const session = await openSession(door, { url: holder.shop.gateway.url, headers });
      const passes = async (first: number): Promise<boolean> =>
        (await session.ask({ query: `{ parts(first: ${first}) { id } }` })).errors === undefined;
      const fates = [];
      for (const first of [11, 9, 9, 8, 3]) fates.push(await passes(first));
      await session.close();
      // A refusal costs nothing, and what comes over a connection has paid for its handshakes.
      expect(fates).toEqual(FATES[door] ?? [true, true, false, false, false]);
    },
  );
});
