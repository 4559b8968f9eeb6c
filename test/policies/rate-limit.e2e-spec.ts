import { Module } from '@nestjs/common';
import { Args, Field, Int, ObjectType, Query, Resolver, Subscription } from '@nestjs/graphql';
import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/client.ts';
import { GRAPHQL_SESSIONS, openSession } from '../support/graphql-sessions.ts';
import { API_KEY, useShop, type RouteInput, type ShopCall } from '../support/shop.ts';

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
  policies: { rateLimit, ...policies },
});
const open = { authentication: 'public' };

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
    route('by-ip', { key: 'ip', rate: 2, per: '1h' }, open),
    route('by-principal', { key: 'principal', rate: 2, per: '1h' }),
    route('by-key', { key: 'apiKey', rate: 2, per: '1h' }),
    route('for-all', { key: 'global', rate: 3, per: '1h' }, open),
    route('fields', { key: 'ip', rate: 10, per: '10s', burst: 4 }, open),
    route('several', [{ key: 'ip', rate: 100, per: '1h' }, { key: 'global', rate: 2, per: '1h' }], open), // prettier-ignore
    route('refilled', { key: 'ip', rate: 1, per: '1s' }, open),
    route('priced', { key: 'ip', rate: 10, per: '1h', cost: 4 }, open),
    route('reported', reported, open),
    route('stored', reported, { ...open, cache: { ttl: '1m', scope: 'public' } }),
    route('tiers', { key: 'principal', tiers: true }, { authentication: { schemes: ['jwt', 'apiKey'] } }),
    route(
      'shadow',
      [
        { key: 'global', rate: 1, per: '1d', mode: 'shadow' },
        { key: 'ip', rate: 100, per: '1d', algorithm: 'slidingWindow' },
      ],
      open,
    ),
  ],
});

async function statuses(path: string, calls: readonly ShopCall[]): Promise<number[]> {
  const found: number[] = [];
  for (const one of calls) found.push((await holder.shop.call(path, one)).status);
  return found;
}

const from = (address: string): ShopCall => ({ headers: { 'x-forwarded-for': address } });

describe('a rate limit', () => {
  it('by address gives every client its own bucket, and an IPv6 subscriber one for all addresses', async () => {
    expect(
      await statuses('/by-ip', [from('1.1.1.1'), from('1.1.1.1'), from('1.1.1.1'), from('2.2.2.2')]),
    ).toEqual([200, 200, 429, 200]);
    expect(await statuses('/by-ip', [from('2001:db8::1'), from('2001:db8::2'), from('2001:db8::3')])).toEqual(
      [200, 200, 429],
    );
  });

  it('by principal holds over tokens and addresses, and nobody burns the quota of another', async () => {
    const calls: ShopCall[] = [
      { as: 'user' },
      { as: 'user', ...from('3.3.3.3') },
      { as: 'user' },
      { as: 'admin' },
      {},
    ];
    expect(await statuses('/by-principal', calls)).toEqual([200, 200, 429, 200, 401]);
  });

  it('by API key', async () => {
    const calls: ShopCall[] = [{ apiKey: API_KEY }, { apiKey: API_KEY }, { apiKey: API_KEY }, { as: 'user' }];
    expect(await statuses('/by-key', calls)).toEqual([200, 200, 429, 200]);
  });

  it('for everybody together', async () => {
    expect(
      await statuses(
        '/for-all',
        ['1', '2', '3', '4'].map((n) => from(`${n}.0.0.1`)),
      ),
    ).toEqual([200, 200, 200, 429]);
  });

  it('of several rules refuses when one does, and the others lose nothing by it', async () => {
    expect(await statuses('/several', [{}, {}, {}, {}])).toEqual([200, 200, 429, 429]);
    const { headers } = await holder.shop.call('/several');
    expect(headers['ratelimit']).toMatch(/"ip";r=98;/);
  });

  it('takes what a request costs', async () => {
    expect(await statuses('/priced', [{}, {}, {}])).toEqual([200, 200, 429]);
  });

  it('lets requests pass again after the time in Retry-After', async () => {
    expect(await statuses('/refilled', [{}, {}])).toEqual([200, 429]);
    const refused = await holder.shop.call('/refilled');
    const { retryAfterMs } = refused.json<{ retryAfterMs: number }>();
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 5));
    expect((await holder.shop.call('/refilled')).status).toBe(200);
  });
});

describe('the fields of a rate limit', () => {
  it('stand on every answer and count down to 429 with Retry-After', async () => {
    const answers: Answer[] = [];
    for (let i = 0; i < 5; i += 1) answers.push(await holder.shop.call('/fields'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['3', '2', '1', '0', '0']);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({ 'x-ratelimit-limit': '4', 'ratelimit-policy': '"ip";q=4;w=4' });
      expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThanOrEqual(1);
      expect(headers['ratelimit']).toMatch(/^"ip";r=\d;t=\d$/);
    }
    expect(Number(answers[4]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answers[0]?.headers).not.toHaveProperty('retry-after');
    expect(answers[4]?.json()).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) });
  });
});

const times = (count: number, one: ShopCall = {}): ShopCall[] => Array.from({ length: count }, () => one);

const FATES: Readonly<Record<string, readonly boolean[]>> = {
  socket: [true, false, false, true, false],
  'reserved stream': [true, false, false, false, true],
};

describe('the limit of a caller', () => {
  it('charges what the service says that a request was worth, in a field that clients do not see', async () => {
    const echo = holder.shop.echo.listener;
    holder.shop.echo.listener = (_request, response) => {
      response.writeHead(200, { 'X-Cost': '5', 'content-type': 'text/plain' }).end('dear');
    };
    try {
      const first = await holder.shop.call('/reported');
      expect(first.headers).not.toHaveProperty('x-cost');
      expect(await statuses('/reported', times(2))).toEqual([200, 429]);
      const stored = await holder.shop.call('/stored');
      expect(stored.headers).not.toHaveProperty('x-cost');
      const again = await holder.shop.call('/stored');
      expect(again.headers).toMatchObject({ 'x-cache': 'HIT' });
      expect(again.headers).not.toHaveProperty('x-cost');
      // One that was dear, and those that nobody has worked for.
      expect(await statuses('/stored', times(5))).toEqual([200, 200, 200, 200, 429]);
    } finally {
      holder.shop.echo.listener = echo;
    }
  });

  it('is that of the tier of the caller; who has none has the strictest', async () => {
    expect(await statuses('/tiers', times(2, { apiKey: API_KEY }))).toEqual([200, 429]);
  });

  it('in the shadow refuses nobody, and is told to operators', async () => {
    expect(await statuses('/shadow', times(3))).toEqual([200, 200, 200]);
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
