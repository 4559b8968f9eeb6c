import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { quotaCommand, runQuota } from '../../src/cli/quota.ts';
import { createApiKey } from '../../src/policies/authentication/api-keys/api-key.ts';
import { Quota } from '../../src/policies/quota/quota.policy.ts';
import { AuditFolder } from '../support/audit.ts';
import { call } from '../support/client.ts';
import { startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { untilReplicas } from '../support/replicas.ts';
import { shopConfig, startShop, type Shop, type ShopOptions } from '../support/shop.ts';
import { open } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';

interface Shown {
  readonly route?: string;
  readonly name: string;
  readonly in: string;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  readonly resetsAt: string;
}

@Controller('counted')
class CountedController {
  @Get()
  @Quota({ name: 'handlers', limit: 1, window: 'day' })
  show(): object {
    return {};
  }
}

@Module({ controllers: [CountedController] })
class CountedModule {}

const made = () => {
  const { key, sha256 } = createApiKey();
  return { key, sha256 };
};

/** A key of a client, and what it may do. */
const client = (clientId: string, more: object = {}) => ({
  ...made(),
  clientId,
  roles: ['user'],
  ...more,
});
const clients = {
  ada: client('ada'),
  bob: client('bob'),
  pro: client('pro', { tier: 'pro' }),
  big: client('big', { tier: 'enterprise' }),
  of: client('of', { tenant: 'globex' }),
  one: client('one', { tenant: 'acme' }),
  two: client('two', { tenant: 'acme' }),
};
type Client = keyof typeof clients;

const route = (id: string, quota: unknown, more: object = {}) => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { quota },
  ...more,
});
const MONTHLY = { name: 'monthly', limit: 10, window: 'month', timeZone: 'Europe/Berlin' };

const audit = new AuditFolder();
let redis: RedisServer;
let shop: Shop;
let other: TestGateway;
let sockets: SocketService;

const options: ShopOptions = {
  modules: [CountedModule],
  environment: () => ({ REDIS_URL: redis.url, REDIS_TIMEOUT: '500ms' }),
  identity: {
    apiKeys: Object.values(clients).map((one) => ({ ...one, key: undefined })),
  },
  upstreams: () => ({
    gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
  }),
  more: {
    audit: { file: audit.file },
    tiers: { pro: { rate: 100, tenants: ['globex'] }, enterprise: 'off' },
  },
  routes: [
    route('one', MONTHLY),
    route('same', MONTHLY),
    route('limited', { limit: 5, window: 'hour' }, {
      policies: { quota: { limit: 5, window: 'hour' }, rateLimit: { rate: 100, per: '1h' } },
    }), // prettier-ignore
    route('slow', { limit: 1, window: 'day' }, {
      policies: { quota: { limit: 5, window: 'day' }, rateLimit: { rate: 1, per: '1d' } },
    }), // prettier-ignore
    route('both', [
      { name: 'narrow', limit: 2, window: 'hour' },
      { name: 'wide', limit: 50, window: 'day' },
    ]),
    route('soft', { name: 'fair-use', limit: 2, window: 'day', mode: 'soft' }),
    route('tried', { name: 'trial', limit: 1, window: 'day', mode: 'shadow' }),
    route('tiers', { name: 'tiered', limit: 1, window: 'day', byTier: { pro: 3, enterprise: 'unlimited' } }),
    route('tenants', { name: 'shared', key: 'tenant', limit: 3, window: 'day' }),
    route('everybody', { name: 'contract', key: 'global', limit: 1000, window: 'month' }),
    route('dear', { name: 'units', limit: 10, window: 'day', cost: 4 }),
    route('back', { name: 'kept', limit: 2, window: 'day', giveBack: 'faults' }, { upstream: 'gone' }),
    route('open', { limit: 1, window: 'day', onStoreError: 'open' }),
    route('closed', { limit: 100, window: 'day', onStoreError: 'closed' }),
    route('socket', { name: 'messages', limit: 4, window: 'day', perMessage: 1 }, { webSocket: 'on' }),
  ],
};

beforeAll(async () => {
  redis = await startRedis();
  shop = await startShop(options);
  other = await startAnother();
  sockets = echoSockets(shop.echo.server);
});
afterAll(async () => {
  sockets.stop();
  await Promise.all([shop.stop(), other.stop()]);
  await redis.stop();
});

/** Another replica with the same configuration. */
function startAnother(): Promise<TestGateway> {
  const config = JSON.stringify(shopConfig(shop.services, shop.echo, options));
  return startGateway({ config, modules: [CountedModule], environment: { REDIS_URL: redis.url } });
}

const keyOf = (who: Client): Record<string, string> => ({ 'x-api-key': clients[who].key });
const ask = (path: string, who: Client = 'ada', at: TestGateway = shop.gateway) =>
  call(at.url + path, { headers: keyOf(who) });
async function shownTo(who: Client): Promise<Readonly<Record<string, Shown>>> {
  const { quotas } = (await ask('/quota', who)).json<{ quotas: readonly Shown[] }>();
  return Object.fromEntries(quotas.map((one) => [one.route ?? one.name, one]));
}

describe('a quota', () => {
  it('is one for all routes of its name and all replicas, exact, and refuses with 429', async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        ask(i % 2 === 0 ? '/one' : '/same', 'ada', i % 3 === 0 ? other : shop.gateway),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    const refused = answers.find(({ status }) => status === 429);
    const resetAt = (refused?.json<{ resetAt: string }>() ?? { resetAt: '' }).resetAt;
    expect(refused?.json()).toMatchObject({ code: 'quota-exceeded', 'violated-policies': ['monthly'] });
    // The first instant of a month in Berlin.
    expect(new Date(resetAt).toLocaleString('sv', { timeZone: 'Europe/Berlin' })).toMatch(/-01 00:00:00$/);
    const seconds = Math.ceil((Date.parse(resetAt) - Date.now()) / 1000);
    expect(Math.abs(Number(refused?.headers['retry-after']) - seconds)).toBeLessThan(5);
    expect(refused?.headers['ratelimit-policy']).toBe(`"monthly";q=10;w=${31 * 86_400}`);
    expect(refused?.headers['ratelimit']).toMatch(/^"monthly";r=0;t=\d+$/);
    expect(refused?.headers['quota-warning']).toMatch(/^"monthly";r=0;t=\d+$/);
    expect((await ask('/one', 'bob')).status).toBe(200);
  });

  it('warns from 80 % on in each answer, and tells once that it does, and once that it is used up', async () => {
    const events = await audit.where(({ kind }) => kind === 'quota', 2);
    expect(events.map(({ action, actor, details }) => ({ action, actor, details }))).toMatchObject([
      { action: 'warning', actor: { type: 'gateway' }, details: { quota: 'monthly', used: 8, limit: 10 } },
      { action: 'exhausted', details: { quota: 'monthly', used: 10, timeZone: 'Europe/Berlin' } },
    ]);
    expect(events[0]?.details?.['subject']).toBe('client:apiKey::ada');
    const warned = [];
    for (let i = 1; i <= 10; i += 1)
      warned.push((await ask('/one', 'bob')).headers['quota-warning'] !== undefined);
    expect(warned.slice(0, 9)).toEqual([false, false, false, false, false, false, true, true, true]);
  });

  it('stands beside the rate limits of the route, which come first and of which a refusal is not counted', async () => {
    const answer = await ask('/limited');
    expect(answer.headers['ratelimit-policy']).toBe('"principal";q=100;w=3600, "hour";q=5;w=3600');
    expect(answer.headers['ratelimit']).toMatch(/^"principal";r=99;t=\d+, "hour";r=4;t=\d+$/);
    expect(answer.headers['x-ratelimit-limit']).toBe('100');
    for (let i = 0; i < 4; i += 1) await ask('/limited');
    expect((await ask('/limited')).headers['x-ratelimit-remaining']).toBe('0');
    await ask('/slow');
    expect((await ask('/slow')).json()).toMatchObject({ code: 'rate-limited' });
    expect((await shownTo('ada'))['slow']).toMatchObject({ name: 'day', used: 1 });
  });

  it('that has room is not counted when another one of the request has none', async () => {
    for (let i = 0; i < 5; i += 1) await ask('/both');
    expect(await shownTo('ada')).toMatchObject({ narrow: { used: 2 }, wide: { used: 2, remaining: 48 } });
  });

  it('lets pass what is only fair use, and what is only tried out, and says so', async () => {
    const soft = [await ask('/soft'), await ask('/soft'), await ask('/soft')];
    expect(soft.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(soft[2]?.headers['quota-warning']).toMatch(/^"fair-use";r=0;t=\d+$/);
    expect((await shownTo('ada'))['fair-use']).toMatchObject({ used: 3, remaining: 0 });
    await ask('/tried');
    const tried = await ask('/tried');
    expect(tried.status).toBe(200);
    expect(tried.headers['ratelimit']).toBeUndefined();
    const [shadow] = await audit.where(({ outcome }) => outcome === 'shadow');
    expect(shadow).toMatchObject({ kind: 'denial', by: 'quota(trial)' });
    expect(await shownTo('ada')).not.toHaveProperty('trial');
    const metrics = await shop.metrics();
    expect(metrics).toContain('gatehouse_quota_decisions_total{route="soft",outcome="exceeded"} 1');
    expect(metrics).toContain('gatehouse_quota_decisions_total{route="tried",outcome="shadow"} 1');
    expect(metrics).toContain('gatehouse_quota_events_total{quota="fair-use",event="exhausted"} 1');
  });

  it('is as large as the tier says, and of the tenant where it says so', async () => {
    const passed = async (path: string, who: Client): Promise<number> => {
      const answers = [
        await ask(path, who),
        await ask(path, who),
        await ask(path, who),
        await ask(path, who),
      ];
      return answers.filter(({ status }) => status === 200).length;
    };
    expect([
      await passed('/tiers', 'ada'),
      await passed('/tiers', 'pro'),
      await passed('/tiers', 'of'),
      await passed('/tiers', 'big'),
    ]).toEqual([1, 3, 3, 4]);
    expect(await shownTo('pro')).toMatchObject({ tiered: { limit: 3, used: 3 } });
    expect(await shownTo('of')).toMatchObject({ tiered: { limit: 3, used: 3 } });
    expect(await shownTo('big')).not.toHaveProperty('tiered');
    await ask('/tenants', 'one');
    await ask('/tenants', 'one');
    expect([await passed('/tenants', 'two'), await passed('/tenants', 'ada')]).toEqual([1, 3]);
  });

  it('takes what a request costs, and gives it back for faults of ours where it says so', async () => {
    expect([(await ask('/dear')).status, (await ask('/dear')).status, (await ask('/dear')).status]).toEqual([
      200, 200, 429,
    ]);
    const faults = [await ask('/back'), await ask('/back'), await ask('/back'), await ask('/back')];
    expect(faults.map(({ status }) => status)).toEqual([502, 502, 502, 502]);
  });

  it('charges messages over a forwarded socket', async () => {
    const { socket, closed } = await open('/socket', { url: shop.gateway.url, headers: keyOf('ada') });
    // The handshake is one request, and three messages are all that is left.
    for (const text of ['1', '2', '3', '4']) socket.send(text);
    expect((await closed).code).toBe(1008);
    expect((await shownTo('ada'))['messages']).toMatchObject({ used: 4 });
  });

  it('holds at a controller', async () => {
    expect([(await ask('/counted')).status, (await ask('/counted')).status]).toEqual([200, 429]);
  });
});

describe('/quota', () => {
  it('tells callers of their own, and nobody else of anything', async () => {
    const answer = await ask('/quota', 'bob');
    expect(answer.headers['cache-control']).toBe('no-store');
    const shown = await shownTo('bob');
    expect(shown['monthly']).toMatchObject({
      limit: 10,
      used: 10,
      remaining: 0,
      mode: 'hard',
      key: 'principal',
    });
    expect(shown['monthly']?.in).toMatch(/^\d{4}-\d\d$/);
    // What the gateway counts for itself is none of them.
    expect(shown).not.toHaveProperty('contract');
    expect((await call(`${shop.gateway.url}/quota`)).status).toBe(401);
    expect((await call(`${shop.gateway.url}/quota?subject=client:apiKey::ada`)).status).toBe(401);
    const document = (await call(`${shop.gateway.url}/openapi.json`)).json<{
      paths: Record<string, unknown>;
    }>();
    expect(document.paths).toHaveProperty(['/quota']);
    expect(JSON.stringify(document.paths['/one'])).toContain('"window":"month"');
  });
});

describe('operators', () => {
  const admin = (path: string, init: object = {}) => call(shop.gateway.adminUrl + path, init);
  const order = (body: object, headers: Record<string, string> = {}) =>
    admin('/quotas/reset', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('see the quotas there are, and what somebody has used', async () => {
    const { quotas } = (await admin('/quotas')).json<{
      quotas: readonly { name: string; routes: string[] }[];
    }>();
    expect(quotas.find(({ name }) => name === 'monthly')?.routes).toEqual(['one', 'same']);
    const used = (await admin('/quotas?subject=client:apiKey::bob')).json<{ quotas: readonly Shown[] }>();
    expect(used.quotas.find(({ name }) => name === 'monthly')).toMatchObject({ used: 10 });
  });

  it('reset them, for all replicas, and it is audited', async () => {
    expect(
      (await order({ subject: 'client:apiKey::bob', quota: 'monthly', reason: 'ticket 7' })).status,
    ).toBe(200);
    expect((await ask('/one', 'bob', other)).headers['ratelimit']).toMatch(/^"monthly";r=9;/);
    const [event] = await audit.where(({ action }) => action === 'reset');
    expect(event).toMatchObject({
      kind: 'quota',
      outcome: 'done',
      actor: { type: 'admin' },
      target: 'quota monthly of client:apiKey::bob',
      reason: 'ticket 7',
      details: { used: 10 },
    });
    expect((await order({ subject: 'client:apiKey::bob', quota: 'montly' })).status).toBe(404);
    expect((await order({})).status).toBe(400);
    expect((await order({ subject: 'x' }, { origin: 'https://evil.example' })).status).toBe(403);
  });

  it('do both with `gatehouse quota`', async () => {
    let out = '';
    const run = async (...args: string[]): Promise<void> => {
      const command = quotaCommand([...args, '--admin', shop.gateway.adminUrl]);
      if (command !== undefined)
        await runQuota(command, { adminHost: '', adminPort: 0 }, { write: (text) => (out += text) });
    };
    await run('--subject', 'client:apiKey::ada', '--reset', '--quota', 'units');
    expect(out).toMatch(
      /^reset units of the principal: 10 in a day of UTC, hard; 0 used in [\d-]+, 10 left until /,
    );
    await run('--json');
    expect(out).toContain('"name": "monthly"');
    expect(() => quotaCommand(['--reset'])).toThrow('--subject');
  });
});

const UNREACHABLE = 'Redis is not reachable';

describe('without Redis', () => {
  it('goes on from what is known, passes, or refuses, as each quota says', async () => {
    await untilReplicas(shop, 2);
    expect((await ask('/one', 'bob')).headers['ratelimit']).toMatch(/^"monthly";r=8;/);
    const isBack = ({ msg, store }: LogLine): boolean =>
      store === 'on' || msg.startsWith('Redis is connected');
    const { length: before } = shop.gateway.lines.filter(isBack);
    redis.pause();
    for (let i = 0; i < 3; i += 1) await ask('/one', 'bob');
    await shop.gateway.linesWhere(({ msg, store }) => store === 'off' || msg.startsWith(UNREACHABLE));
    const closed = await ask('/closed');
    expect(closed.status).toBe(503);
    expect(closed.json()).toMatchObject({ code: 'quota-unavailable' });
    expect([(await ask('/open')).status, (await ask('/open')).status]).toEqual([200, 200]);
    const left = async (): Promise<number> =>
      Number(/r=(\d+)/.exec(String((await ask('/one', 'bob')).headers['ratelimit']))?.[1]);
    // Of two replicas each has the half of what was left.
    const still = await left();
    expect(still).toBe(4);
    const refused = await ask('/one', 'bob');
    redis.resume();
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    await shop.gateway.linesWhere(isBack, before + 1);
    // What was let pass meanwhile is counted: by the other replica as well, which knows nothing of it.
    await ask('/one', 'bob');
    const { quotas } = (await call(`${other.adminUrl}/quotas?subject=client:apiKey::bob`)).json<{
      quotas: readonly Shown[];
    }>();
    expect(quotas.find(({ name }) => name === 'monthly')?.remaining).toBeLessThanOrEqual(still - 1);
  });

  it('is as it was after a restart of the gateway', async () => {
    const again = await startAnother();
    expect((await ask('/both', 'ada', again)).status).toBe(429);
    await again.stop();
  });
});
