import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tiersCommand, runTiers } from '../../src/cli/tiers.ts';
import { createApiKey } from '../../src/policies/authentication/api-keys/api-key.ts';
import { keyId } from '../../src/policies/authentication/api-keys/api-key.view.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const made = (more: object) => ({ ...createApiKey(), ...more });
const CLIENTS = {
  ada: made({ clientId: 'ada', tier: 'free' }),
  bob: made({ clientId: 'bob', tier: 'free' }),
  acme: made({ clientId: 'acme', tenant: 'acme' }),
};
type Client = keyof typeof CLIENTS;

let redis: RedisServer;
let service: TestUpstream;
let one: TestGateway;
let other: TestGateway;

const config = (): string =>
  JSON.stringify({
    version: 1,
    contracts: { policies: { authentication: 'public' } },
    defaults: { policies: { authentication: { schemes: ['apiKey'] } } },
    identity: {
      apiKeys: Object.values(CLIENTS).map(({ sha256, ...client }) => {
        const { key: _key, prefix: _prefix, ...more } = client as Record<string, unknown>;
        return { sha256, ...more };
      }),
    },
    tiers: {
      free: { rate: 2, per: '1h', tenants: ['acme'] },
      pro: { rate: 50, per: '1h', burst: 40 },
      enterprise: 'off',
    },
    upstreams: { it: { targets: [service.url] } },
    routes: [
      {
        id: 'tiered',
        match: { path: '/tiered', methods: ['GET'] },
        upstream: 'it',
        policies: { rateLimit: { key: 'principal', tiers: true } },
      },
    ],
  });

beforeAll(async () => {
  [redis, service] = await Promise.all([startRedis(), startUpstream()]);
  const environment = { REDIS_URL: redis.url };
  [one, other] = await Promise.all([
    startGateway({ config: config(), environment }),
    startGateway({ config: config(), environment }),
  ]);
});
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await Promise.all([redis.stop(), service.stop()]);
});

async function limitAt(gateway: TestGateway, client: Client): Promise<string | undefined> {
  const { headers } = await call(`${gateway.url}/tiered`, { headers: { 'x-api-key': CLIENTS[client].key } });
  return headers['ratelimit-policy'] as string | undefined;
}

/** Until both go by it: the order has told the other one already, which has to read it. */
async function untilLimit(client: Client, policy: string | undefined): Promise<void> {
  for (const gateway of [one, other]) while ((await limitAt(gateway, client)) !== policy);
}

async function cli(...args: string[]): Promise<string> {
  const command = tiersCommand([...args, '--admin', one.adminUrl]);
  if (command === undefined) throw new Error('help');
  let out = '';
  await runTiers(command, { adminHost: '', adminPort: 0 }, { write: (text) => (out += text) });
  return out;
}

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const { status, json } = await call(`${one.adminUrl}/tiers/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status, body: json<{ readonly error?: string }>() };
}

const FREE = '"principal";q=2;w=3600';

describe('tiers at the operators’ listener', () => {
  it('are listed with where each is said', async () => {
    expect(JSON.parse(await cli('list', '--json'))).toEqual({
      store: 'redis',
      overrides: 0,
      tiers: [
        { tier: 'enterprise', limit: 'off', from: 'file', tenants: 0, subjects: 0 },
        { tier: 'free', limit: { rate: 2, per: '1h', burst: 2 }, from: 'file', tenants: 1, subjects: 0 },
        { tier: 'pro', limit: { rate: 50, per: '1h', burst: 40 }, from: 'file', tenants: 0, subjects: 0 },
      ],
    });
    expect(await cli('subjects')).toMatch(/tenant:acme +free \(file\) +-/);
  });

  it('get other numbers at all replicas, until they are those of the file again', async () => {
    await untilLimit('ada', FREE);
    expect(await cli('set', 'free', '--rate', '30/1h:3', '--reason', 'a test')).toContain('at all replicas');
    await untilLimit('ada', '"principal";q=3;w=360');
    expect(await cli()).toMatch(/free +30\/1h burst 3 +redis +2\/1h burst 2/);
    await cli('set', 'free', '--off');
    await untilLimit('ada', undefined);
    await cli('reset', 'free');
    await untilLimit('ada', FREE);
    expect(await redis.client().exists('gatehouse:tiers:limits')).toBe(0);
  });

  it('are given to tenants and keys, which may have a limit of their own too', async () => {
    const bob = `key:${keyId(CLIENTS.bob.sha256)}`;
    await cli('assign', bob, 'pro');
    await untilLimit('bob', '"principal";q=40;w=2880');
    await cli('override', bob, '--rate', '7/1h');
    await untilLimit('bob', '"principal";q=7;w=3600');
    await cli('assign', 'tenant:acme', 'pro');
    await untilLimit('acme', '"principal";q=40;w=2880');
    expect(await limitAt(other, 'ada')).toBe(FREE);
    expect(JSON.parse(await cli('subjects', '--subject', bob, '--json'))).toEqual({
      store: 'redis',
      subjects: [
        {
          subject: bob,
          tier: { name: 'pro', from: 'redis' },
          limit: { limit: { rate: 7, per: '1h', burst: 7 }, from: 'redis' },
        },
      ],
    });
    await cli('clear', bob);
    await cli('clear', 'tenant:acme');
    await untilLimit('bob', FREE);
    await untilLimit('acme', FREE);
  });

  it('may be new where somebody says so', async () => {
    await cli('set', 'trial', '--rate', '1/1h', '--create');
    await cli('assign', 'tenant:acme', 'trial');
    await untilLimit('acme', '"principal";q=1;w=3600');
    await cli('clear', 'tenant:acme');
    await cli('reset', 'trial');
  });

  it('of Redis that are no limit are not minded, and said in the log', async () => {
    await redis.client().hset('gatehouse:tiers:limits', 'free', '{"rate":0}', 'pro', 'nonsense');
    await cli('list');
    await untilLimit('ada', FREE);
    await redis.client().del('gatehouse:tiers:limits');
  });

  it.each<[string, object, string]>([
    ['limits', { tier: 'por', limit: 'off' }, 'tier: there is no tier "por"; did you mean "pro"?'],
    ['limits', { tier: 'pro', limit: { rate: 0 } }, 'limit.rate: '],
    ['limits', { tier: 'pro', limit: { rate: 5, per: '1x' } }, 'limit.per: '],
    ['limits', { tier: 'pro' }, 'limit: missing key'],
    ['limits', { tier: 'pro', limit: null, raet: 1 }, 'raet: unknown key'],
    ['subjects', { subject: 'acme', tier: 'pro' }, 'subject: expected `tenant:…`'],
    ['subjects', { subject: 'key:xyz', tier: 'pro' }, 'subject: expected `key:` and the id of a key'],
    ['subjects', { subject: 'tenant:acme', tier: 'gold' }, 'tier: there is no tier "gold"'],
    ['subjects', { subject: 'tenant:acme' }, 'tier: expected a tier, a limit, or null for one of them'],
  ])('refuse what makes no sense, with its place: %s %j', async (path, body, error) => {
    const answer = await post(path, body);
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining(error)]);
  });

  it('take no orders of pages, and are audited with what was said', async () => {
    expect((await post('limits', { tier: 'pro', limit: null }, { origin: 'http://evil.test' })).status).toBe(
      403,
    );
    const [line] = await one.linesWhere(({ msg }) => msg === 'tiers changed by an operator');
    expect(line).toMatchObject({ tiers: { tier: 'free', reason: 'a test' } });
  });

  it('are told by contracts and by the listing of routes', async () => {
    const { text } = await call(`${one.url}/openapi.json`, { headers: { 'x-api-key': CLIENTS.ada.key } });
    const document = JSON.parse(text) as { paths: Record<string, { get: Record<string, unknown> }> };
    expect(document.paths['/tiered']?.get['x-gatehouse-limits']).toMatchObject({
      rates: [
        { key: 'principal', tier: 'free', rate: 2, perSeconds: 3600, burst: 2 },
        { key: 'principal', tier: 'pro', rate: 50, perSeconds: 3600, burst: 40 },
      ],
    });
    const routes = (await call(`${one.adminUrl}/routes`)).json<{ id: string; limits: string }[]>();
    expect(routes.find(({ id }) => id === 'tiered')?.limits).toBe(
      'principal by tier (free 2/1h burst 2, pro 50/1h burst 40, enterprise off)',
    );
  });

  it('cannot be changed while Redis is away, and hold', async () => {
    await cli('set', 'free', '--rate', '9/1h');
    await untilLimit('ada', '"principal";q=9;w=3600');
    await redis.kill();
    expect((await post('limits', { tier: 'free', limit: null })).status).toBe(503);
    expect((await call(`${one.adminUrl}/tiers`)).status).toBe(503);
    expect(await limitAt(one, 'ada')).toContain('w=3600');
    await redis.restart();
  });
});

describe('arguments of `gatehouse tiers`', () => {
  it.each([
    [['sett', 'a'], /did you mean "set"/],
    [['set', 'pro'], /expected --rate RATE\/PERIOD\[:BURST\], or --off/],
    [['set', 'pro', '--rate', '5/1m', '--off'], /expected --rate .*, or --off/],
    [['set', 'pro', '--rate', 'many'], /expected RATE\/PERIOD/],
    [['assign', 'tenant:a'], /expected SUBJECT and TIER/],
    [['list', 'all'], /expected no name/],
    [['clear', 'tenant:a', '--tier', 'x'], /unknown option --tier/],
  ])('%j are refused', (args, message) => {
    expect(() => tiersCommand(args)).toThrow(message);
  });
});
