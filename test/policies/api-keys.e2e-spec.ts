import { Controller, Get, Module, Req } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { hostname, userInfo } from 'node:os';
import { AuditInbox } from '../../src/audit/audit-inbox.ts';
import { keysCommand, type KeysCreate, type KeysOrder } from '../../src/cli/key-options.ts';
import { runKeys } from '../../src/cli/key-orders.ts';
import { createKey, runCreateKey } from '../../src/cli/keys.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { createApiKey } from '../../src/policies/authentication/api-keys/api-key.ts';
import { AuditFolder } from '../support/audit.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startShop, type Shop } from '../support/shop.ts';
import { open as openSocket } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';

@Controller('seen')
@Authentication({ schemes: ['apiKey'] })
class SeenController {
  @Get()
  seen(@Req() { query, url, originalUrl, raw }: FastifyRequest): object {
    return { query, urls: [url, originalUrl, raw.url] };
  }
}

@Module({ controllers: [SeenController] })
class SeenModule {}

const configured = createApiKey();
const LIMIT = 4;

const audit = new AuditFolder();
let redis: RedisServer;
let shop: Shop;
let sockets: SocketService;

beforeAll(async () => {
  redis = await startRedis();
  shop = await startShop({
    environment: () => ({ REDIS_URL: redis.url }),
    modules: [SeenModule],
    identity: {
      apiKeyOptions: { header: 'X-Shop-Key', query: 'shop_key' },
      apiKeys: [
        {
          sha256: configured.sha256,
          clientId: 'configured',
          roles: ['user'],
          rateLimit: { rate: LIMIT, per: '1h' },
          addresses: ['127.0.0.0/8'],
        },
      ],
    },
    more: { trustedProxies: ['loopback'], audit: { file: audit.file } },
    routes: [
      { id: 'echo', match: { path: '/echo/*' }, upstream: 'echo' },
      {
        id: 'public',
        match: { path: '/public/*' },
        upstream: 'echo',
        policies: { authentication: 'public' },
      },
      { id: 'socket', match: { path: '/socket' }, upstream: 'echo', webSocket: 'on' },
      { id: 'only', match: { path: '/never' }, respond: { status: 200, body: 'x' } },
    ],
  });
  sockets = echoSockets(shop.echo.server);
});

afterAll(async () => {
  sockets.stop();
  await shop.stop();
  await redis.stop();
  audit.remove();
});

const JSON_BODY = { 'content-type': 'application/json' };
const order = (path: string, body: unknown, method = 'POST', headers: Record<string, string> = JSON_BODY) =>
  call(`${shop.gateway.adminUrl}/keys${path}`, { method, headers, body: JSON.stringify(body) });

interface Made {
  readonly key: string;
  readonly id: string;
  readonly expiresAt?: string;
}

async function issue(more: object = {}): Promise<Made> {
  const answer = await order('', { clientId: 'app', roles: ['user'], ...more });
  expect(answer.status).toBe(200);
  return answer.json<Made>();
}

const ask = (key: string, path = '/echo/x', more: Record<string, string> = {}): Promise<Answer> =>
  shop.call(path, { headers: { 'x-shop-key': key, ...more } });

describe('an API key in the places that a configuration names', () => {
  it('is taken from the field, and not from the usual one', async () => {
    const { key } = await issue();
    expect((await ask(key)).status).toBe(200);
    expect((await shop.call('/echo/x', { apiKey: key })).json()['code']).toBe('credentials-missing');
    expect((await shop.call('/echo/x', { headers: { authorization: `ApiKey ${key}` } })).status).toBe(200);
  });

  it.each([
    ['twice in the address', '?shop_key=KEY&shop_key=KEY', {}],
    ['in the address and in the field', '?shop_key=KEY', { 'x-shop-key': 'KEY' }],
    ['empty', '?shop_key=', {}],
    ['without a value', '?shop_key', {}],
  ])('is refused when it is there %s', async (_what, query, headers: Record<string, string>) => {
    const { key } = await issue();
    const own = Object.fromEntries(Object.entries(headers).map(([name]) => [name, key]));
    const answer = await shop.call(`/echo/x${query.replaceAll('KEY', key)}`, { headers: own });
    expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-invalid']);
  });

  it.each([
    ['/echo/x?shop_key=KEY', '/echo/x'],
    ['/echo/x?a=1&shop_key=KEY&b=%20', '/echo/x?a=1&b=%20'],
    ['/echo/x?shop%5Fkey=KEY&a', '/echo/x?a'],
    ['/public/x?shop_key=KEY&a=1', '/public/x?a=1'],
  ])('is taken out of the address %s', async (path, forwarded) => {
    const { key } = await issue();
    shop.echo.requests.length = 0;
    const answer = await shop.call(path.replace('KEY', key));
    expect(answer.status).toBe(200);
    expect(shop.echo.requests.map(({ url }) => url)).toEqual([forwarded]);
    expect(JSON.stringify(shop.echo.requests[0]?.headers)).not.toContain(key);
    await shop.lineOf(answer);
    expect(JSON.stringify(shop.gateway.lines)).not.toContain(key);
  });

  it('is taken out of the address of a handshake, and is told to no handler', async () => {
    const { key } = await issue();
    const { socket, closed } = await openSocket(`/socket?shop_key=${key}&a=1`, { url: shop.gateway.url });
    expect(sockets.handshakes.at(-1)?.url).toBe('/socket?a=1');
    socket.close();
    await closed;
    const query = encodeURIComponent('{ __typename }');
    expect((await shop.call(`/graphql?query=${query}&shop_key=${key}`)).status).toBe(200);
    const seen = await shop.call(`/seen?shop_key=${key}&a=1`);
    expect(seen.json()).toEqual({ query: { a: '1' }, urls: ['/seen?a=1', '/seen?a=1', '/seen?a=1'] });
    expect(JSON.stringify(shop.gateway.lines)).not.toContain(key);
  });

  it('lends no trust to a page of another site that has put it into an address', async () => {
    const { key } = await issue();
    const query = encodeURIComponent('{ __typename }');
    const headers = { cookie: 'a=b', 'sec-fetch-site': 'cross-site' };
    const answer = await shop.call(`/graphql?query=${query}&shop_key=${key}`, { headers });
    expect([answer.status, answer.json()['code']]).toEqual([400, 'request-invalid']);
    expect((await ask(key, `/graphql?query=${query}`, headers)).status).toBe(200);
  });

  it('is not shown where a request is explained', async () => {
    const { key } = await issue();
    const body = JSON.stringify({
      request: `GET /echo/x?shop_key=${key}&a=1`,
      headers: [`x-shop-key: ${key}`],
    });
    const answer = await call(`${shop.gateway.adminUrl}/explain`, {
      method: 'POST',
      headers: JSON_BODY,
      body,
    });
    expect([answer.status, answer.text.includes('/echo/x?a=1')]).toEqual([200, true]);
    expect(answer.text).not.toContain(key);
  });
});

describe('where a key may be used from', () => {
  it.each([
    ['127.0.0.1', undefined, 200],
    ['a block that has it', '10.1.2.3', 200],
    ['a block that has not', '11.1.2.3', 403],
    ['what a trusted proxy cannot name', 'unknown', 403],
  ])('goes by the client that trusted proxies name: %s', async (_what, client, status) => {
    const { key } = await issue({ addresses: ['10.0.0.0/8', '127.0.0.1'] });
    const answer = await ask(key, '/echo/x', client === undefined ? {} : { 'x-forwarded-for': client });
    expect(answer.status).toBe(status);
    if (status === 403) expect(['address-denied', 'address-unknown']).toContain(answer.json()['code']);
  });
});

describe('the limit of a client', () => {
  it('holds at every door at once, for keys of the configuration too, and the tightest is told', async () => {
    const query = `/graphql?query=${encodeURIComponent('{ __typename }')}`;
    const first = await ask(configured.key);
    expect([first.headers['x-ratelimit-limit'], first.headers['x-ratelimit-remaining']]).toEqual([
      String(LIMIT),
      String(LIMIT - 1),
    ]);
    expect((await ask(configured.key, '/api/homepage')).headers['x-ratelimit-remaining']).toBe('2');
    expect((await ask(configured.key, query)).headers['x-ratelimit-remaining']).toBe('1');
    const { socket } = await openSocket('/socket', {
      url: shop.gateway.url,
      headers: { 'x-shop-key': configured.key },
    });
    socket.terminate();
    for (const path of ['/echo/x', '/api/homepage', query, '/never']) {
      const answer = await ask(configured.key, path);
      expect([path, answer.status]).toEqual([path, 429]);
    }
  });
});

describe('the operators’ listener', () => {
  it('issues, lists, shows, changes and rotates keys, and shows a key once', async () => {
    const { key, id } = await issue({ clientId: 'shown', tenant: 'acme', rateLimit: { rate: 9 } });
    const shown = (await call(`${shop.gateway.adminUrl}/keys/${id}`)).json();
    expect(shown).toMatchObject({
      id,
      clientId: 'shown',
      tenant: 'acme',
      rateLimit: { rate: 9, per: '1m', burst: 9 },
    });
    const changed = await order(`/${id}`, { tier: 'pro', tenant: null }, 'PATCH');
    expect(changed.json()).toMatchObject({ tier: 'pro' });
    expect(changed.json()['tenant']).toBeUndefined();
    const rotated = (await order(`/${id}/rotate`, { overlap: '1h' })).json<Made>();
    for (const one of [key, rotated.key]) expect((await ask(one)).status).toBe(200);
    const listed = await call(`${shop.gateway.adminUrl}/keys?client=shown`);
    expect(
      listed
        .json<{ keys: Made[] }>()
        .keys.map((one) => one.id)
        .sort(),
    ).toEqual([id, rotated.id].sort());
    expect(listed.headers['cache-control']).toBe('no-store');
    for (const one of [key, rotated.key])
      expect(listed.text + JSON.stringify([shown, shop.gateway.lines])).not.toContain(one);
  });

  it('takes away by null whatever can be said of a key, for all replicas', async () => {
    const said = {
      tier: 'pro',
      tenant: 'acme',
      roles: ['user'],
      permissions: ['orders.read'],
      scopes: ['orders'],
      addresses: ['127.0.0.0/8'],
      rateLimit: { rate: 9 },
      expiresIn: '1h',
    };
    const { key, id } = await issue({ clientId: 'bare', ...said });
    expect((await ask(key)).status).toBe(200);
    const { expiresIn: _, ...members } = said;
    const names = [...Object.keys(members), 'expiresAt'];
    const nothing = Object.fromEntries(names.map((name) => [name, null]));
    const changed = await order(`/${id}`, nothing, 'PATCH');
    expect(changed.status).toBe(200);
    const shown = (await call(`${shop.gateway.adminUrl}/keys/${id}`)).json();
    for (const one of [changed.json(), shown]) {
      const left = names.filter((name) => one[name] !== undefined && (one[name] as unknown[]).length !== 0);
      expect({ left, clientId: one['clientId'], status: one['status'] }).toEqual({
        left: [],
        clientId: 'bare',
        status: 'active',
      });
    }
    expect((await order(`/${id}`, { status: null }, 'PATCH')).status).toBe(400);
  });

  it('notes who has done what, also what was refused', async () => {
    const { id } = await issue({ clientId: 'noted' });
    await order(`/${id}/revoke`, { reason: 'leaked' });
    await order(`/${id}/rotate`, {});
    const notes = shop.gateway.lines.flatMap(({ change }) =>
      (change as { id?: string } | undefined)?.id === id ? [change] : [],
    );
    const from = '127.0.0.1';
    expect(notes).toMatchObject([
      { what: 'created', clientId: 'noted', outcome: 'done', from },
      { what: 'revoked', reason: 'leaked', outcome: 'done', from },
      { what: 'rotated', outcome: 'refused', from },
    ]);
  });

  it.each<[string, () => Promise<Answer>, number]>([
    [
      'a page in the browser of an operator',
      () => order('', { clientId: 'a' }, 'POST', { ...JSON_BODY, origin: 'http://x' }),
      403,
    ],
    [
      'a page that reads',
      () => call(`${shop.gateway.adminUrl}/keys`, { headers: { origin: 'http://x' } }),
      403,
    ],
    ['a form', () => order('', { clientId: 'a' }, 'POST', { 'content-type': 'text/plain' }), 415],
    ['a body that is too large', () => order('', { clientId: 'a'.repeat(66_000) }), 413],
    ['a name that breaks out of a field', () => order('', { clientId: 'a\r\nb' }), 400],
    ['a misspelled member', () => order('', { clientId: 'a', role: ['x'] }), 400],
    ['an address that is none', () => order('', { clientId: 'a', addresses: ['10.0.0.0/33'] }), 400],
    ['a time that has passed', () => order('', { clientId: 'a', expiresAt: '2020-01-01' }), 400],
    [
      'both an end and a life',
      () => order('', { clientId: 'a', expiresAt: '2099-01-01', expiresIn: '1d' }),
      400,
    ],
    ['an id that is none', () => order('/..%2f/revoke', {}), 400],
    ['a key that nobody has', () => order(`/${'0'.repeat(16)}/revoke`, {}), 404],
    ['a key of the configuration', () => order(`/${configured.sha256}/revoke`, {}), 409],
    ['too long an overlap', () => order(`/${'0'.repeat(16)}/rotate`, { overlap: '91d' }), 400],
    ['a change of nothing', () => order(`/${'0'.repeat(16)}`, {}, 'PATCH'), 400],
    ['too large a page', () => call(`${shop.gateway.adminUrl}/keys?limit=1001`), 400],
  ])('does nothing for %s', async (_what, act, status) => {
    const answer = await act();
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('"error"');
  });
});

describe('gatehouse keys', () => {
  async function run(...args: string[]): Promise<string> {
    let said = '';
    const out = { write: (text: string) => (said += text) };
    const command = keysCommand([...args, '--admin', shop.gateway.adminUrl]) as KeysCreate | KeysOrder;
    const environment = { adminHost: '', adminPort: 0, redisUrl: undefined };
    await (command.name === 'keys'
      ? runKeys(command, environment, out)
      : runCreateKey(command, environment, out));
    return said;
  }

  it('leaves an event also for a key that it puts into Redis itself', async () => {
    const store = redis.client();
    await store.rpush('audit:waiting', 'no JSON', JSON.stringify({ kind: 'config', action: 'reload' }));
    const out = { write: (text: string) => text };
    const options = { clientId: 'by-hand', roles: [], permissions: [], tier: undefined };
    await createKey(options, { redisUrl: redis.url, out });
    await shop.gateway.gateway.app.get(AuditInbox).look();
    const told = await audit.where(({ actor }) => actor.type === 'cli');
    expect(told).toEqual([
      expect.objectContaining({
        kind: 'key',
        action: 'created',
        actor: { type: 'cli', id: userInfo().username },
        target: expect.stringMatching(/^key \w{16}$/),
        details: { at: expect.any(String), host: hostname(), clientId: 'by-hand' },
      }),
    ]);
    expect(await store.exists('audit:waiting')).toBe(0);
  });

  it('does all of it', async () => {
    const made = await run(
      'create',
      '--client',
      'cli',
      '--role',
      'user',
      '--rate',
      '600/1m:60',
      '--expires',
      '90d',
    );
    const [key = ''] = /gh_\w+/.exec(made) ?? [];
    const [, id = ''] = /Its id is (\w{16});/.exec(made) ?? [];
    expect((await ask(key)).status).toBe(200);
    expect(await run('list', '--client', 'cli')).toMatch(
      new RegExp(`^ID .*\\n${id} +cli +active .* redis\\n$`),
    );
    expect(await run('show', id)).toContain('rateLimit: {"rate":600,"per":"1m","burst":60}');
    expect(await run('update', id, '--tier', 'pro')).toContain('tier: pro');
    const rotated = await run('rotate', id, '--overlap', '1h');
    expect(rotated).toContain(`Key ${id} of cli goes on until `);
    // A key that was found somewhere is enough.
    const found = /gh_\w+/.exec(rotated)?.[0] ?? '';
    expect(await run('revoke', id, found, '--reason', 'leaked')).toMatch(
      /^(revoked key \w{16} of cli, at all replicas\n){2}$/,
    );
    for (const one of [key, found]) {
      let answer = await ask(one);
      while (answer.status === 200) answer = await ask(one);
      expect(answer.status).toBe(403);
    }
    expect(JSON.stringify(shop.gateway.lines)).not.toContain(found);
  });

  it('says what to do without Redis', async () => {
    const config = JSON.stringify({ version: 1, defaults: { policies: { authentication: 'public' } } });
    const alone: TestGateway = await startGateway({ config });
    const answers = await Promise.all(
      ['/keys', '/keys/0123456789abcdef/revoke', '/keys/0123456789abcdef/rotate'].map((path) =>
        call(alone.adminUrl + path, {
          method: 'POST',
          headers: JSON_BODY,
          body: path === '/keys' ? '{"clientId":"a"}' : '{}',
        }),
      ),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(409);
      expect(answer.text).toContain('set REDIS_URL');
    }
    expect((await call(`${alone.adminUrl}/keys`)).json()).toEqual({
      store: 'none',
      configured: [],
      keys: [],
    });
    await alone.stop();
  });

  it('says so when Redis is gone', async () => {
    await redis.kill();
    const answer = await order('', { clientId: 'a' });
    expect([answer.status, answer.text.includes('Redis does not do it')]).toEqual([503, true]);
    expect((await call(`${shop.gateway.adminUrl}/keys`)).status).toBe(503);
  });
});
