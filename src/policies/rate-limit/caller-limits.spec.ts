import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { createPrincipal } from '../../../test/support/exchange.ts';
import { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { closeRedis, createRedis, lineOf } from '../../store/redis.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { RedisLiveTiers, TIERS_KEY } from './live-tiers.redis.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import { tiersSchema } from './tiers.schema.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';

const SILENT = { info: () => undefined, warn: () => undefined };

type Rules = Parameters<typeof rateLimitPolicy.schema.parse>[0];

interface Asked {
  readonly address?: string;
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly principal?: Partial<Principal>;
}

function exchangeOf({
  address = '192.0.2.1',
  method = 'GET',
  query = '',
  headers = {},
  principal,
}: Asked): Exchange {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  request.rawHeaders = Object.entries(headers).flat();
  const exchange = new Exchange({
    id: 'e',
    trace: continueTrace(undefined, undefined),
    clientAddress: address,
    scheme: 'http',
    host: 'localhost',
    path: '/',
    query,
    method,
    request,
    response: new ServerResponse(request),
  });
  if (principal !== undefined) exchange.principal = createPrincipal('nobody', principal);
  return exchange;
}

const decided: string[] = [];
const TIERS = tiersSchema.parse({
  free: { rate: 2, per: '1h', tenants: ['poor'] },
  pro: { rate: 5, per: '1h', tenants: ['rich'] },
  enterprise: 'off',
});

interface Gateway {
  readonly limiter?: MemoryTokenBucket;
  readonly routeId?: string;
  readonly live?: RedisLiveTiers | undefined;
}

function stageOf(
  rules: Rules,
  { limiter = new MemoryTokenBucket(), routeId = 'r', live }: Gateway = {},
): Stage {
  const observer = { decided: (_route: string, outcome: string) => void decided.push(outcome) };
  const factory = new RateLimitStageFactory(limiter, limiter, observer, live);
  const rateLimit = rateLimitPolicy.schema.parse(rules);
  const stage = factory.compile({ routeId, door: 'proxy', policies: { rateLimit }, tiers: TIERS });
  if (stage === undefined) throw new Error('no stage');
  return stage;
}

/** How many of so many equal requests pass. */
async function passing(stage: Stage, asked: Asked, requests = 12): Promise<number> {
  let passed = 0;
  for (let call = 0; call < requests; call += 1) {
    try {
      await stage.enter?.(exchangeOf(asked));
      passed += 1;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'rate-limited') throw error;
    }
  }
  return passed;
}

const fieldOf = ({ responseHeaders }: Exchange, name: string): string | undefined =>
  responseHeaders[responseHeaders.indexOf(name) + 1];

const alice = { id: 'alice', subject: 'alice' };
const bob = { id: 'bob', subject: 'bob' };
const of = (tenant: string, who: Partial<Principal> = alice): Asked => ({ principal: { ...who, tenant } });
const team = (value: string, address = '192.0.2.1'): Asked => ({ address, headers: { 'x-team': value } });

const KEY = createPrincipal('nobody', { scheme: 'apiKey', apiKeyId: 'k1' });
const DIGEST = `sha256:${hash('sha256', 'a'.repeat(65), 'base64url')}`;

describe('a key', () => {
  it.each<[string, Rules extends never ? never : object | string, Asked, Asked, boolean]>([
    ['tenant', 'tenant', of('a'), of('a', bob), true],
    ['another tenant', 'tenant', of('a'), of('b'), false],
    ['no tenant, by principal', 'tenant', { principal: alice }, { principal: bob }, false],
    ['a tenant called like an address', 'tenant', { address: '::1' }, of('ip:::1'), false],
    [
      'a tenant that another issuer vouches for',
      'tenant',
      of('a', { ...alice, issuer: 'https://a/' }),
      of('a', { ...bob, issuer: 'https://b/' }),
      false,
    ],
    [
      'an issuer that spells a tenant',
      'tenant',
      of('b:c', { ...alice, issuer: 'a' }),
      of('c', { ...bob, issuer: 'a:b' }),
      false,
    ],
    [
      'a key beside a token',
      'apiKey',
      of('a', { ...alice, also: [KEY] }),
      { ...of('a', { ...bob, also: [KEY] }), address: '::1' },
      true,
    ],
    ['route', 'route', { address: '::1' }, { principal: bob }, true],
    [
      'IPv6 by /48',
      { ip: { ipv6: 48 } },
      { address: '2001:db8:1:2::1' },
      { address: '2001:db8:1:3::1' },
      true,
    ],
    [
      'IPv6 beyond /48',
      { ip: { ipv6: 48 } },
      { address: '2001:db8:1::1' },
      { address: '2001:db8:2::1' },
      false,
    ],
    [
      'IPv6 by /52',
      { ip: { ipv6: 52 } },
      { address: '2001:db8:1:f00::' },
      { address: '2001:db8:1:fff::' },
      true,
    ],
    [
      'IPv6 beyond /52',
      { ip: { ipv6: 52 } },
      { address: '2001:db8:1:fff::' },
      { address: '2001:db8:1:1000::' },
      false,
    ],
    [
      'one IPv6 address',
      { ip: { ipv6: 128 } },
      { address: '2001:db8::1' },
      { address: '2001:db8::2' },
      false,
    ],
    ['IPv4 by /24', { ip: { ipv4: 24 } }, { address: '192.0.2.1' }, { address: '192.0.2.254' }, true],
    ['IPv4 beyond /24', { ip: { ipv4: 24 } }, { address: '192.0.2.1' }, { address: '192.0.3.1' }, false],
    [
      'IPv4 written as IPv6',
      { ip: { ipv4: 24 } },
      { address: '192.0.2.1' },
      { address: '::ffff:192.0.2.7' },
      true,
    ],
    ['a header field', { header: 'X-Team' }, team('a'), team('a', '::1'), true],
    ['another value of it', { header: 'X-Team' }, team('a'), team('b'), false],
    ['no such field, by address', { header: 'X-Team' }, { address: '::1' }, { address: '192.0.2.1' }, false],
    ['a long value', { header: 'X-Team' }, team('a'.repeat(5000)), team('a'.repeat(5000), '::1'), true],
    ['another long value', { header: 'X-Team' }, team('a'.repeat(5000)), team('a'.repeat(5001)), false],
    ['a claim', { claim: 'org' }, { principal: { ...alice, claims: { org: 1 } } }, { principal: { ...bob, claims: { org: 1 } } }, true], // prettier-ignore
    ['a claim of another issuer', { claim: 'org' }, { principal: { ...alice, issuer: 'https://a/', claims: { org: 1 } } }, { principal: { ...bob, issuer: 'https://b/', claims: { org: 1 } } }, false], // prettier-ignore
    ['the digest of another value', { header: 'x-team' }, team('a'.repeat(65)), team(DIGEST, '::1'), false],
    ['what every object has', { claim: 'constructor' }, { principal: alice }, { principal: bob }, false],
    ['a parameter', { query: 'k' }, { query: '?k=1' }, { query: '?x=2&k=1', address: '::1' }, true],
    ['an encoded parameter', { query: 'k' }, { query: '?k=1' }, { query: '?%6b=%31', address: '::1' }, true],
    ['a repeated parameter', { query: 'k' }, { query: '?k=1' }, { query: '?k=1&k=2' }, false],
    ['several', ['tenant', 'ip'], of('a'), of('a', bob), true],
    ['several, one of which differs', ['tenant', 'ip'], of('a'), { ...of('a'), address: '::1' }, false],
    ['parts that spell each other', [{ header: 'x-team' }, { query: 'k' }], { ...team('a|query:b'), query: '?k=c' }, { ...team('a'), query: '?k=b|query:c' }, false], // prettier-ignore
    ['an expression', { cel: 'request.method + principal.tenant' }, of('a'), of('a', bob), true],
    ['another value of it', { cel: 'request.method' }, { method: 'GET' }, { method: 'PUT' }, false],
    ['an expression that cannot be told', { cel: "string(principal.claims['x'])" }, { principal: alice }, { principal: bob }, false], // prettier-ignore
  ])('%s', async (_what, key, first, second, isOne) => {
    const stage = stageOf({ key, rate: 1, per: '1h' } as Rules);
    expect(await passing(stage, first, 1)).toBe(1);
    expect(await passing(stage, second, 1)).toBe(isOne ? 0 : 1);
  });

  it('of a shared bucket holds over routes, and `route` keeps them apart there', async () => {
    const limiter = new MemoryTokenBucket();
    const [a, b] = ['a', 'b'].map((routeId) =>
      stageOf({ key: 'global', bucket: 'all', rate: 3, per: '1h' }, { limiter, routeId }),
    );
    expect((await passing(a as Stage, {})) + (await passing(b as Stage, {}))).toBe(3);
    const [c, d] = ['c', 'd'].map((routeId) =>
      stageOf({ key: ['route', 'ip'], bucket: 'all', rate: 3, per: '1h' }, { limiter, routeId }),
    );
    expect((await passing(c as Stage, {})) + (await passing(d as Stage, {}))).toBe(6);
    const named = (header: string) =>
      stageOf({ key: { header }, bucket: 'all', rate: 3, per: '1h' }, { limiter, routeId: header });
    const both: Asked = { headers: { 'x-a': 'v', 'x-b': 'v' } };
    expect((await passing(named('x-a'), both)) + (await passing(named('x-b'), both))).toBe(6);
  });

  it('shows no credential where it is of a field that has one', () => {
    const stage = stageOf({ key: { header: 'authorization' }, rate: 3 });
    const told = stage.explain?.(exchangeOf({ headers: { authorization: 'Basic c2VjcmV0' } }), undefined);
    expect(JSON.stringify(told)).toMatch(/header:sha256:[\w-]{43}\}/);
  });

  it.each<[string, Rules, RegExp]>([
    ['an expression of another type', { key: { cel: '[1]' }, rate: 1 }, /expected a text or a number/],
    ['an unknown name', { key: { cel: 'user.id' }, rate: 1 }, /user/],
    ['a cost that is no number', { rate: 1, cost: { cel: "'a'" } }, /expected a number/],
    ['a burst of a window', { rate: 1, burst: 2, algorithm: 'fixedWindow' }, /expected no burst/],
    ['neither rate nor tiers', { key: 'ip' }, /expected a rate, or `tiers`/],
    ['an override of nobody', { rate: 1, overrides: { acme: 'off' } }, /such as `tenant:acme`/],
    ['tiers without a limit', { tiers: { a: 'off' } }, /expected a tier that has a limit/],
    [
      'an override that is nobody of its key',
      { key: 'tenant', rate: 1, overrides: { 'header:x': 'off' } },
      /such as `tenant:…`.*"header:x"/,
    ],
    [
      'one with too few parts',
      { key: ['tenant', 'ip'], rate: 1, overrides: { 'tenant:a': 'off' } },
      /such as `tenant:…\|ip:…`/,
    ],
    [
      'a bucket of two sizes',
      [
        { bucket: 'b', rate: 1 },
        { bucket: 'b', rate: 100, per: '1h' },
      ],
      /one bucket has one size.*1,"bucket"/,
    ],
    [
      'tokens that nobody can have ahead',
      { rate: 5, cost: { answerHeader: 'x', ahead: 6 } },
      /at most the burst/,
    ],
  ])('refuses %s', (_what, rules, message) => {
    expect(JSON.stringify(rateLimitPolicy.schema.safeParse(rules).error?.issues)).toMatch(message);
  });
});

describe('a cost', () => {
  const post: Asked = { method: 'POST', headers: { 'content-length': '1' } };
  const rule = { key: 'global', rate: 12, per: '1h' } as const;
  it.each<[string, Rules, Asked, number]>([
    ['by method', { ...rule, cost: { methods: { post: 4 }, default: 1 } }, post, 3],
    ['of the other methods', { ...rule, cost: { methods: { post: 4 }, default: 6 } }, {}, 2],
    ['of a method that is free', { ...rule, cost: { methods: { get: 0 } } }, {}, 20],
    ['of what every object has', { ...rule, cost: { methods: { get: 0 } } }, { method: 'constructor' }, 12],
    ['by expression', { ...rule, cost: { cel: "request.method == 'POST' ? 6 : 1" } }, post, 2],
    ['by expression, above the burst', { ...rule, cost: { cel: '100' } }, {}, 1],
    ['by expression, below nothing', { ...rule, cost: { cel: '-5' } }, {}, 20],
    ['that cannot be told', { ...rule, cost: { cel: "int(request.query['n'])" } }, {}, 12],
    ['by size', { ...rule, cost: { perBytes: '1KiB' } }, { headers: { 'content-length': '3000' } }, 4],
    [
      'by size, at its bound',
      { ...rule, cost: { perBytes: '1KiB' } },
      { headers: { 'content-length': '3072' } },
      4,
    ],
    ['by size, of one byte more', { ...rule, cost: { perBytes: '1KiB' } }, { headers: { 'content-length': '3073' } }, 3], // prettier-ignore
    ['by size, of nothing', { ...rule, cost: { perBytes: '1KiB' } }, {}, 12],
    ['by size that nobody says', { ...rule, cost: { perBytes: '1KiB' } }, { headers: { 'transfer-encoding': 'chunked' } }, 1], // prettier-ignore
  ])('%s', async (_what, rules, asked, passed) => {
    expect(await passing(stageOf(rules), asked, 20)).toBe(passed);
  });

  const answer = (...headers: string[]): ResponseHead => ({ status: 200, headers: ['a', 'b', ...headers] });
  it.each([
    ['more than was taken', ['X-Cost', '5'], 5],
    ['less', ['x-cost', '0'], 10],
    ['more than it may', ['x-cost', '100000'], 2],
    ['twice, the larger', ['x-cost', '1', 'X-COST', '6'], 4],
    ['nothing that is a number', ['x-cost', '5.5'], 9],
    ['nothing', [], 9],
  ])('that the service reports: %s', async (_what, fields, left) => {
    const limiter = new MemoryTokenBucket({ now: () => 0 });
    const stage = stageOf({ key: 'global', rate: 10, per: '1h', cost: { answerHeader: 'X-Cost', atMost: 8 } }, { limiter }); // prettier-ignore
    const exchange = exchangeOf({});
    await stage.enter?.(exchange);
    const head = answer(...fields);
    stage.head?.(exchange, head);
    expect(head.headers).toEqual(['a', 'b']);
    expect(
      limiter.peek('r:global/3600000:{all}', { rate: 10, perMs: 3_600_000, burst: 10 }, 1).remaining,
    ).toBe(left);
  });

  it.each([
    ['stored', { cached: { status: 200, headers: [], body: Buffer.alloc(0) } }],
    ['replayed', { isReplayed: true }],
  ])(
    'that the service reports is not charged again for a %s answer, and clients never see it',
    async (_what, had) => {
      const limiter = new MemoryTokenBucket({ now: () => 0 });
      const stage = stageOf(
        { key: 'global', rate: 10, per: '1h', cost: { answerHeader: 'x-cost' } },
        { limiter },
      );
      const exchange = exchangeOf({});
      await stage.enter?.(exchange);
      Object.assign(exchange, had);
      const head = answer('x-cost', '7');
      stage.head?.(exchange, head);
      expect(head.headers).toEqual(['a', 'b']);
      expect(await passing(stage, {}, 20)).toBe(9);
    },
  );

  it.each([
    ['what the service says of that', ['x-cost', '4'], 6],
    ['nothing where it says nothing', [], 9],
  ])('of a stored answer that the service has confirmed is %s', async (_what, confirmedBy, left) => {
    const limiter = new MemoryTokenBucket({ now: () => 0 });
    const rule = { key: 'global', rate: 10, per: '1h', cost: { answerHeader: 'x-cost' } } as const;
    const stage = stageOf(rule, { limiter });
    const exchange = exchangeOf({});
    await stage.enter?.(exchange);
    Object.assign(exchange, { confirmedBy });
    const head = answer('x-cost', '7');
    stage.head?.(exchange, head);
    expect(head.headers).toEqual(['a', 'b']);
    expect(
      limiter.peek('r:global/3600000:{all}', { rate: 10, perMs: 3_600_000, burst: 10 }, 1).remaining,
    ).toBe(left);
  });

  it('of an operation is taken once it is known; who is refused then gets back what was taken ahead', async () => {
    const stage = stageOf({ key: 'global', rate: 10, per: '1h', cost: 'query' });
    const spend = async (cost: number): Promise<string> => {
      const exchange = exchangeOf({});
      try {
        await stage.enter?.(exchange);
        await stage.spend?.(exchange, cost);
        return 'passes';
      } catch (error) {
        return (error as Problem).code;
      }
    };
    const fates = [];
    for (const cost of [6, 5, 5, 5, 4, 1]) fates.push(await spend(cost));
    expect(fates).toEqual([
      'passes',
      'rate-limited',
      'rate-limited',
      'rate-limited',
      'passes',
      'rate-limited',
    ]);
  });
});

describe('tiers', () => {
  const rule: Rules = { key: 'principal', tiers: true };
  const key = { scheme: 'apiKey', apiKeyId: 'k1', subject: undefined } as const;
  it.each<[string, Rules, Asked, number]>([
    ['a claim', rule, { principal: { ...alice, tier: 'pro' } }, 5],
    ['an API key', rule, { principal: { ...alice, ...key, tier: 'free' } }, 2],
    ['a tenant', rule, of('rich'), 5],
    ['a claim before the tenant', rule, { principal: { ...alice, tenant: 'rich', tier: 'free' } }, 2],
    ['nobody: the strictest', rule, {}, 2],
    ['one that is not there: the strictest', rule, { principal: { ...alice, tier: 'constructor' } }, 2],
    ['nobody, where there is a rate', { ...(rule as object), rate: 3, per: '1h' }, {}, 3],
    ['one without a limit', rule, { principal: { ...alice, tier: 'enterprise' } }, 12],
    ['own tiers of a rule', { key: 'ip', tiers: { gold: { rate: 4, per: '1h' } } }, { principal: { ...alice, tier: 'gold' } }, 4], // prettier-ignore
    ['windows', { key: 'ip', algorithm: 'slidingWindow', tiers: true }, of('rich'), 5],
  ])('by %s', async (_what, rules, asked, passed) => {
    expect(await passing(stageOf(rules), asked)).toBe(passed);
  });

  it('are shown to their callers only', async () => {
    const stage = stageOf(rule);
    const [pro, free, enterprise] = ['pro', 'free', 'enterprise'].map((tier) => exchangeOf({ principal: { ...alice, id: tier, subject: tier, tier } })); // prettier-ignore
    for (const one of [pro, free, enterprise]) await stage.enter?.(one as Exchange);
    expect(fieldOf(pro as Exchange, 'RateLimit-Policy')).toBe('"principal";q=5;w=3600');
    expect(fieldOf(free as Exchange, 'RateLimit-Policy')).toBe('"principal";q=2;w=3600');
    expect(enterprise?.responseHeaders).toEqual([]);
  });

  it('charge a caller without a limit once as well, however often it comes by', async () => {
    const stage = stageOf([rule as object, { key: 'ip', rate: 5, per: '1h' }] as Rules);
    const exchange = exchangeOf({ principal: { ...alice, tier: 'enterprise' } });
    await stage.enter?.(exchange);
    await stage.enter?.(exchange);
    expect(exchange.limit?.remaining).toBe(4);
  });

  it.each(['slidingWindow', 'fixedWindow', 'tokenBucket'] as const)(
    'of one tenant do not wipe out what the other has used, by %s',
    async (algorithm) => {
      const tiers = { slow: { rate: 2, per: '1h' }, quick: { rate: 200, per: '1d' } };
      const stage = stageOf({ key: 'tenant', algorithm, tiers });
      const passed = { slow: 0, quick: 0 };
      for (let turn = 0; turn < 12; turn += 1)
        for (const tier of ['slow', 'quick'] as const)
          passed[tier] += await passing(stage, of('acme', { ...alice, tier }), 1);
      expect(passed).toEqual({ slow: 2, quick: 12 });
    },
  );

  it.each<[string, Asked, number]>([
    ['has', of('acme'), 4],
    ['has none', of('free-rider'), 12],
    ['has, whoever vouches for it', of('acme', { ...alice, issuer: 'https://a/' }), 4],
    ['is not named', of('other'), 1],
    ['has by the id of its API key', { principal: { ...alice, ...key, apiKeyId: 'a1'.repeat(32) } }, 3],
  ])('give way to the limit that a caller %s of its own', async (_what, asked, passed) => {
    const byKey = asked.principal?.apiKeyId !== undefined;
    const overrides = byKey
      ? ({ 'key:a1a1a1a1a1a1a1a1': { rate: 3, per: '1h' } } as const)
      : ({ 'tenant:acme': { rate: 4, per: '1h' }, 'tenant:free-rider': 'off' } as const);
    const by = byKey ? 'apiKey' : 'tenant';
    expect(await passing(stageOf({ key: by, rate: 1, per: '1h', overrides }), asked)).toBe(passed);
  });
});

describe('tiers in Redis', () => {
  let server: RedisServer;
  let guard: StoreGuard;
  let live: RedisLiveTiers;
  const reports: string[] = [];

  beforeAll(async () => {
    server = await startRedis();
    const redis = server.client();
    guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
    live = new RedisLiveTiers({ redis, guard, report: (message) => void reports.push(message) });
  });
  afterAll(async () => {
    live.onApplicationShutdown();
    guard.close();
    await server.stop();
  });

  it('change while the gateway runs, outlive a Redis that does not answer, and go before claims', async () => {
    const redis = server.client();
    const stage = stageOf({ key: 'principal', tiers: true }, { live });
    const asked = (id: string): Asked => of('acme', { id, subject: id, tier: 'free' });
    expect(await passing(stage, asked('a'))).toBe(2);
    await redis.hset(TIERS_KEY, 'tenant:acme', 'pro');
    await live.refresh();
    expect(await passing(stage, asked('b'))).toBe(5);
    await redis.hset(TIERS_KEY, 'user:jwt::c', 'enterprise');
    await live.refresh();
    expect(await passing(stage, asked('c'))).toBe(12);
    await redis.hset(TIERS_KEY, 'key:b2b2b2b2b2b2b2b2', 'pro');
    await live.refresh();
    const byKey = { id: 'k', subject: undefined, apiKeyId: 'b2'.repeat(32), tier: 'free' };
    expect(await passing(stage, { principal: byKey })).toBe(5);
    await redis.set(TIERS_KEY, 'no hash');
    await live.refresh();
    expect(await passing(stage, asked('d'))).toBe(5);
    await redis.del(TIERS_KEY);
    await live.refresh();
    expect(await passing(stage, asked('e'))).toBe(2);
  });

  it('are read as soon as there is a connection, although they were asked for before', async () => {
    const redis = server.client();
    await redis.hset(TIERS_KEY, 'tenant:early', 'pro');
    const own = createRedis(server.url, SILENT);
    const line = lineOf(own);
    const waiting = new StoreGuard({ probe: () => own.ping(), budgetMs: 10_000, line });
    const early = new RedisLiveTiers({ redis: own, guard: waiting, report: () => undefined });
    early.start();
    expect(line?.isUp).toBe(false);
    const since = Date.now();
    while (early.tierOf('tenant:early') === undefined) {
      // It reads every five seconds after that.
      if (Date.now() - since > 4000) throw new Error('it was not read');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    early.onApplicationShutdown();
    waiting.close();
    closeRedis(own);
    await redis.del(TIERS_KEY);
  });

  it('are not read where there are more than fit, which is said once', async () => {
    const redis = server.client();
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`tenant:${String(i)}`, 'pro']));
    await redis.hset(TIERS_KEY, many);
    await live.refresh();
    await live.refresh();
    expect(live.tierOf('tenant:1')).toBeUndefined();
    expect(reports).toHaveLength(1);
    await redis.hdel(TIERS_KEY, 'tenant:10000');
    await live.refresh();
    expect(live.tierOf('tenant:1')).toBe('pro');
  });
});

describe('a limit in the shadow', () => {
  it('lets everybody pass, and says what it would refuse to operators only', async () => {
    decided.length = 0;
    const stage = stageOf({ key: 'ip', rate: 2, per: '1h', mode: 'shadow', name: 'trial' });
    const exchanges = Array.from({ length: 4 }, () => exchangeOf({}));
    for (const one of exchanges) await stage.enter?.(one);
    expect(exchanges.map(({ shadowDenied }) => shadowDenied)).toEqual([undefined, undefined, 'rateLimit trial', 'rateLimit trial']); // prettier-ignore
    expect(exchanges.flatMap(({ responseHeaders }) => responseHeaders)).toEqual([]);
    expect(decided.filter((one) => one === 'shadow-limited')).toHaveLength(2);
  });

  it('counts a request once, and none that another limit refuses', async () => {
    decided.length = 0;
    const stage = stageOf([
      { key: 'ip', rate: 3, per: '1h', mode: 'shadow' },
      { key: 'global', rate: 2, per: '1h' },
    ]);
    expect(await passing(stage, {})).toBe(2);
    expect(decided).not.toContain('shadow-limited');
    const only = stageOf({ key: 'ip', rate: 1, per: '1h', mode: 'shadow' });
    const exchange = exchangeOf({});
    await only.enter?.(exchange);
    await only.enter?.(exchange);
    expect(exchange.shadowDenied).toBeUndefined();
  });
});
