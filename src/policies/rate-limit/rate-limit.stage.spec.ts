import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { createPrincipal } from '../../../test/support/exchange.ts';
import { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import type { Stage } from '../stage.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import type { LimiterObserver, RateLimiter } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

type Rules = Parameters<typeof rateLimitPolicy.schema.parse>[0];

function exchangeFrom(clientAddress: string, principal?: Partial<Principal>): Exchange {
  const request = new IncomingMessage(new Socket());
  const exchange = new Exchange({
    id: 'e',
    trace: continueTrace(undefined, undefined),
    clientAddress,
    scheme: 'http',
    host: 'localhost',
    path: '/',
    query: '',
    request,
    response: new ServerResponse(request),
  });
  if (principal !== undefined) exchange.principal = createPrincipal('nobody', principal);
  return exchange;
}

const decided: string[] = [];
const observer: LimiterObserver = {
  decided: (routeId, outcome) => void decided.push(`${routeId} ${outcome}`),
};

function stageOf(main: RateLimiter, rules: Rules, routeId = 'r'): Stage {
  const factory = new RateLimitStageFactory(main, new MemoryTokenBucket(), observer);
  const rateLimit = rateLimitPolicy.schema.parse(rules);
  const stage = factory.compile({ routeId, door: 'proxy', policies: { rateLimit } });
  if (stage === undefined) throw new Error('no stage');
  return stage;
}

/** Enters the stage; returns the code of the problem, or `passes`. */
async function fate(stage: Stage, exchange: Exchange): Promise<string> {
  try {
    await stage.enter?.(exchange);
    return 'passes';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

function fieldsOf(exchange: Exchange): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < exchange.responseHeaders.length; i += 2) {
    fields[exchange.responseHeaders[i] ?? ''] = exchange.responseHeaders[i + 1] ?? '';
  }
  return fields;
}

afterEach(() => {
  decided.length = 0;
});

describe('the limit stage in process', () => {
  it('is absent where the route declares no limit', () => {
    const factory = new RateLimitStageFactory(new MemoryTokenBucket(), new MemoryTokenBucket());
    expect(factory.compile({ routeId: 'r', door: 'proxy', policies: {} })).toBeUndefined();
  });

  it('passes synchronously and says what is left', () => {
    const stage = stageOf(new MemoryTokenBucket(), { key: 'ip', rate: 60, per: '1m', burst: 10 });
    const exchange = exchangeFrom('192.0.2.1');
    expect(stage.enter?.(exchange)).toBeUndefined();
    expect(exchange.limit).toMatchObject({ allowed: true, limit: 10, remaining: 9 });
    expect(fieldsOf(exchange)).toEqual({
      'RateLimit-Policy': '"ip";q=10;w=10',
      RateLimit: '"ip";r=9;t=1',
      'X-RateLimit-Limit': '10',
      'X-RateLimit-Remaining': '9',
      'X-RateLimit-Reset': '1',
    });
    expect(decided).toEqual(['r allowed']);
  });

  it('refuses with Retry-After, the wait in ms, and the same fields', () => {
    const stage = stageOf(new MemoryTokenBucket({ now: () => 0 }), { key: 'ip', rate: 1, per: '90s' });
    stage.enter?.(exchangeFrom('192.0.2.1'));
    const exchange = exchangeFrom('192.0.2.1');
    let problem: unknown;
    try {
      stage.enter?.(exchange);
    } catch (error) {
      problem = error;
    }
    expect(problem).toMatchObject({
      code: 'rate-limited',
      status: 429,
      headers: { 'retry-after': '90' },
      extensions: { retryAfterMs: 90_000 },
    });
    expect(fieldsOf(exchange)).toMatchObject({ RateLimit: '"ip";r=0;t=90', 'X-RateLimit-Remaining': '0' });
    expect(decided).toEqual(['r allowed', 'r limited']);
  });

  it('charges an exchange once', async () => {
    const stage = stageOf(new MemoryTokenBucket(), { key: 'ip', rate: 5, per: '1h' });
    const exchange = exchangeFrom('192.0.2.1');
    stage.enter?.(exchange);
    stage.enter?.(exchange);
    expect(exchange.limit?.remaining).toBe(4);
    const next = exchangeFrom('192.0.2.1');
    stage.enter?.(next);
    expect(next.limit?.remaining).toBe(3);
    expect(decided).toHaveLength(2);
  });

  const alice = { id: 'alice' };
  const client = { id: 'alice', subject: undefined, scheme: 'apiKey', apiKeyId: 'k1' } as const;
  const elsewhere = { id: 'alice', issuer: 'https://other.test/' };
  const application = { id: 'alice', subject: undefined };
  it.each([
    ['ip', 'the same address', exchangeFrom('192.0.2.1'), exchangeFrom('192.0.2.1', alice), 'rate-limited'],
    ['ip', 'another address', exchangeFrom('192.0.2.1'), exchangeFrom('192.0.2.2'), 'passes'],
    ['ip', 'the same IPv6 network', exchangeFrom('2001:db8::1'), exchangeFrom('2001:db8::2'), 'rate-limited'],
    [
      'principal',
      'the same principal',
      exchangeFrom('::1', alice),
      exchangeFrom('192.0.2.2', alice),
      'rate-limited',
    ],
    [
      'principal',
      'another principal',
      exchangeFrom('::1', alice),
      exchangeFrom('::1', { id: 'bob' }),
      'passes',
    ],
    ['principal', 'nobody, at the same address', exchangeFrom('::1'), exchangeFrom('::1'), 'rate-limited'],
    [
      'principal',
      'a principal called like an address',
      exchangeFrom('192.0.2.1'),
      exchangeFrom('::1', { id: '192.0.2.1' }),
      'passes',
    ],
    [
      'principal',
      'a principal called like a subject',
      exchangeFrom('192.0.2.1'),
      exchangeFrom('::1', { id: 'ip:192.0.2.1' }),
      'passes',
    ],
    [
      'principal',
      'an API client called like a user',
      exchangeFrom('::1', alice),
      exchangeFrom('::1', client),
      'passes',
    ],
    [
      'apiKey',
      'the same key',
      exchangeFrom('192.0.2.1', client),
      exchangeFrom('192.0.2.2', client),
      'rate-limited',
    ],
    ['principal', 'another issuer', exchangeFrom('::1', alice), exchangeFrom('::1', elsewhere), 'passes'],
    ['principal', 'an application', exchangeFrom('::1', alice), exchangeFrom('::1', application), 'passes'],
    [
      'apiKey',
      'another key of the client',
      exchangeFrom('::1', client),
      exchangeFrom('::1', { ...client, apiKeyId: 'k2' }),
      'passes',
    ],
    [
      'apiKey',
      'a user without a key',
      exchangeFrom('192.0.2.1', client),
      exchangeFrom('192.0.2.1', alice),
      'passes',
    ],
    [
      'apiKey',
      'two users without a key at one address',
      exchangeFrom('::1', alice),
      exchangeFrom('::1', { id: 'bob' }),
      'rate-limited',
    ],
    ['global', 'anybody', exchangeFrom('192.0.2.1', alice), exchangeFrom('192.0.2.2'), 'rate-limited'],
  ] as const)('key %s: after the first request, %s %#', async (key, _who, first, second, expected) => {
    const stage = stageOf(new MemoryTokenBucket(), { key, rate: 1, per: '1h' });
    expect(await fate(stage, first)).toBe('passes');
    // The table is built once, and an exchange is charged once.
    expect(first.limit).toBeDefined();
    expect(await fate(stage, second)).toBe(expected);
  });

  it('keeps the buckets of routes and rules apart, whatever they are called', async () => {
    const limiter = new MemoryTokenBucket();
    for (const routeId of ['a', 'b', 'a:0', 'a:0:ip', 'a%3A0', 'OrdersController.list']) {
      const rule = { key: 'ip', rate: 1, per: '1h' } as const;
      const stage = stageOf(limiter, [rule, { ...rule, rate: 2 }], routeId);
      expect(await fate(stage, exchangeFrom('192.0.2.1'))).toBe('passes');
    }
    expect(limiter.size).toBe(12);
  });

  it('shows the tightest of several rules, and each of them', async () => {
    const stage = stageOf(new MemoryTokenBucket(), [
      { key: 'principal', rate: 100, per: '1h' },
      { key: 'ip', rate: 7, per: '1h' },
      { key: 'ip', rate: 1000, per: '1h' },
    ]);
    const exchange = exchangeFrom('192.0.2.1');
    await stage.enter?.(exchange);
    expect(exchange.limit).toMatchObject({ limit: 7, remaining: 6 });
    expect(fieldsOf(exchange)['RateLimit-Policy']).toBe(
      '"principal";q=100;w=3600, "ip";q=7;w=3600, "ip-2";q=1000;w=3600',
    );
    expect(fieldsOf(exchange)['RateLimit']).toBe('"principal";r=99;t=36, "ip";r=6;t=515, "ip-2";r=999;t=4');
  });

  it('takes nothing from a bucket when another one refuses', async () => {
    const stage = stageOf(new MemoryTokenBucket({ now: () => 0 }), [
      { key: 'global', rate: 10, per: '1h' },
      { key: 'ip', rate: 1, per: '1h' },
      { key: 'global', rate: 20, per: '1h' },
    ]);
    await stage.enter?.(exchangeFrom('192.0.2.1'));
    for (let call = 0; call < 50; call += 1) {
      expect(await fate(stage, exchangeFrom('192.0.2.1'))).toBe('rate-limited');
    }
    const other = exchangeFrom('192.0.2.2');
    await stage.enter?.(other);
    expect(fieldsOf(other)['RateLimit']).toMatch(/^"global";r=8;.*, "ip";r=0;.*, "global-2";r=18;/);
  });
});

describe('the limit stage with Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  const guards: StoreGuard[] = [];

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
  });

  afterEach(async () => {
    server.resume();
    for (const guard of guards.splice(0)) guard.close();
    await redis.flushall();
  });

  afterAll(() => server.stop());

  function limiter(budgetMs = 10_000): RedisTokenBucket {
    const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs, probeAfterMs: 60_000 });
    guards.push(guard);
    return new RedisTokenBucket(redis, guard);
  }

  it('passes until the bucket is empty, then refuses', async () => {
    const stage = stageOf(limiter(), { key: 'ip', rate: 2, per: '1h' });
    const fates = [];
    for (let call = 0; call < 3; call += 1) fates.push(await fate(stage, exchangeFrom('192.0.2.1')));
    expect(fates).toEqual(['passes', 'passes', 'rate-limited']);
    expect(await redis.keys('*')).toEqual(['ratelimit:r:ip/3600000:{ip:192.0.2.1}']);
  });

  it('puts back what was taken from a bucket when another one refuses', async () => {
    // Two replicas: the second one knows of no refusal, so it takes before it learns of one.
    const rules: Rules = [
      { key: 'global', rate: 10, per: '1h' },
      { key: 'ip', rate: 1, per: '1h' },
    ];
    expect(await fate(stageOf(limiter(), rules), exchangeFrom('192.0.2.1'))).toBe('passes');
    for (let replica = 0; replica < 8; replica += 1) {
      expect(await fate(stageOf(limiter(), rules), exchangeFrom('192.0.2.1'))).toBe('rate-limited');
    }
    const other = exchangeFrom('192.0.2.2');
    expect(await fate(stageOf(limiter(), rules), other)).toBe('passes');
    expect(fieldsOf(other)['RateLimit']).toMatch(/^"global";r=8;/);
  });

  it('asks no bucket when one is known to refuse', async () => {
    const stage = stageOf(limiter(), [
      { key: 'global', rate: 10, per: '1h' },
      { key: 'ip', rate: 1, per: '1h' },
    ]);
    expect(await fate(stage, exchangeFrom('192.0.2.1'))).toBe('passes');
    expect(await fate(stage, exchangeFrom('192.0.2.1'))).toBe('rate-limited');
    const refused = exchangeFrom('192.0.2.1');
    expect(() => stage.enter?.(refused)).toThrow(Problem); // Not a promise: Redis was not asked.
    expect(fieldsOf(refused)['RateLimit']).toMatch(/^"ip";r=0;t=\d+$/);
  });

  it.each([
    ['local', ['passes', 'passes', 'rate-limited', 'rate-limited']],
    ['open', ['passes', 'passes', 'passes', 'passes']],
    ['closed', Array.from({ length: 4 }, () => 'limiter-unavailable')],
  ] as const)('does what onStoreError: %s says while Redis stalls', async (onStoreError, expected) => {
    const stage = stageOf(limiter(10), { key: 'ip', rate: 2, per: '1h', onStoreError });
    server.pause();
    const fates = [];
    for (let call = 0; call < 4; call += 1) fates.push(await fate(stage, exchangeFrom('192.0.2.1')));
    expect(fates).toEqual(expected);
    expect(decided.filter((line) => line === `r store-error-${onStoreError}`)).toHaveLength(4);
    expect(decided.filter((line) => line === 'r allowed')).toHaveLength(
      expected.filter((each) => each === 'passes').length,
    );
  });

  it('is synchronous while Redis is left alone', async () => {
    const stage = stageOf(limiter(10), { key: 'ip', rate: 100, per: '1h' });
    server.pause();
    for (let call = 0; call < 3; call += 1) await stage.enter?.(exchangeFrom('192.0.2.1'));
    const exchange = exchangeFrom('192.0.2.1');
    expect(stage.enter?.(exchange)).toBeUndefined();
    expect(exchange.limit).toMatchObject({ allowed: true, remaining: 96 });
  });

  it('tells a client of a closed limit when to come back, and the policy', async () => {
    const stage = stageOf(limiter(10), { key: 'ip', rate: 100, per: '1h', onStoreError: 'closed' });
    server.pause();
    const exchange = exchangeFrom('192.0.2.1');
    await expect(stage.enter?.(exchange)).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
    });
    expect(fieldsOf(exchange)).toEqual({ 'RateLimit-Policy': '"ip";q=100;w=3600' });
  });

  it('puts local tokens back when another rule is closed', async () => {
    const stage = stageOf(limiter(10), [
      { key: 'ip', rate: 2, per: '1h', onStoreError: 'local' },
      { key: 'global', rate: 2, per: '1h', onStoreError: 'closed' },
    ]);
    server.pause();
    for (let call = 0; call < 5; call += 1) {
      expect(await fate(stage, exchangeFrom('192.0.2.1'))).toBe('limiter-unavailable');
    }
  });
});
