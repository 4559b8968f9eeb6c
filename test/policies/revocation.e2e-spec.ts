import { Controller, Get, Module, Res } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { status as grpc, type StatusObject } from '@grpc/grpc-js';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { revokeCommand, runRevoke, type RevokeCommand } from '../../src/cli/revoke.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { call, open as openCall, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { asIs, encoded, grpcClient, metadataOf } from '../support/pass-gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { shopConfig, startShop, type Shop, type ShopOptions } from '../support/shop.ts';
import { open as openSocket } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';

@Controller('forever')
@Authentication({ schemes: ['jwt', 'apiKey'] })
class ForeverController {
  @Get()
  stream(@Res() reply: FastifyReply): void {
    const body = new PassThrough();
    body.write('begun');
    void reply.type('text/plain').send(body);
  }
}

@Module({ controllers: [ForeverController] })
class ForeverModule {}

const kinds = new KindsServer();
let redis: RedisServer;
let one: Shop;
/** Another replica, which lets nobody in while Redis is gone. */
let closed: TestGateway;
let sockets: SocketService;

const optionsFor = (onStoreError: string): ShopOptions => ({
  environment: () => ({ REDIS_URL: redis.url, REDIS_TIMEOUT: '1s' }),
  modules: [ForeverModule],
  // Long enough that a busy machine does not look like a Redis that is gone.
  identity: { revocation: { onStoreError, staleAfter: '3s' } },
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
  }),
  more: { listeners: [{ port: 0, http2: true }] },
  routes: [
    { id: 'known', match: { path: '/known/*' }, upstream: 'echo' },
    { id: 'public', match: { path: '/public' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'socket', match: { path: '/socket' }, upstream: 'echo', webSocket: 'on' },
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    { id: 'calls', match: { path: '/test.v1.Kinds/*' }, upstream: 'kinds', passGrpc: true },
  ],
});

async function another(onStoreError: string): Promise<TestGateway> {
  const config = JSON.stringify(shopConfig(one.services, one.echo, optionsFor(onStoreError)));
  return startGateway({
    config,
    environment: { REDIS_URL: redis.url, REDIS_TIMEOUT: '1s' },
    modules: [ForeverModule],
  });
}

beforeAll(async () => {
  [redis] = await Promise.all([startRedis(), kinds.start()]);
  one = await startShop(optionsFor('open'));
  closed = await another('closed');
  sockets = echoSockets(one.echo.server);
  const echo = one.echo.listener;
  one.echo.listener = (request, response) => {
    if (request.url === '/known/never') return;
    if (request.url !== '/known/events') return echo(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  };
  await Promise.all([stateOf(one.gateway, 'fresh'), stateOf(closed, 'fresh')]);
});

afterAll(async () => {
  sockets.stop();
  await closed.stop();
  await one.stop();
  kinds.stop();
  await redis.stop();
});

async function stateOf({ adminUrl }: TestGateway, wanted: string): Promise<Record<string, unknown>> {
  for (;;) {
    const told = (await call(`${adminUrl}/revocations`)).json();
    if (told['state'] === wanted) return told;
    await sleep(20);
  }
}

const tokenOf = (claims: object): Promise<string> => one.services.identity.token('user', { ...claims });
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const ask = ({ url }: TestGateway, token: string): Promise<Answer> =>
  call(`${url}/known/x`, { headers: bearer(token) });

function order(body: object, { adminUrl } = one.gateway): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return call(`${adminUrl}/revocations`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Asks until the answer has a status, for the second that a revocation may take. */
async function within(gateway: TestGateway, token: string, status: number): Promise<Answer> {
  const until = Date.now() + 1000;
  let answer = await ask(gateway, token);
  while (answer.status !== status && Date.now() < until) {
    await sleep(10);
    answer = await ask(gateway, token);
  }
  expect(answer.status).toBe(status);
  return answer;
}

/** How a stream of HTTP ends: what came, and whether it was cut. */
async function endOf(incoming: IncomingMessage): Promise<{ text: string; cut: boolean }> {
  let text = '';
  incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
  incoming.on('error', () => undefined);
  // Not by `once`, which an answer that is cut makes fail.
  await new Promise((resolve) => incoming.on('close', resolve));
  return { text, cut: !incoming.complete };
}

const EVENTS = { accept: 'text/event-stream' };
const SUBSCRIPTION = JSON.stringify({ query: 'subscription { notificationAdded { id } }' });
const UNAUTHORIZED = { code: 4401, reason: 'credentials-revoked' };
const FORBIDDEN = { code: 4403, reason: 'credentials-revoked' };

type Opened = Promise<{ readonly ended: Promise<unknown> }>;

async function stream(path: string, headers: Record<string, string>, body?: string): Opened {
  const options = body === undefined ? { headers } : { headers, body, method: 'POST' };
  const incoming = await openCall(closed.url + path, options);
  if (incoming.statusCode !== 200) throw new Error(`${path} is answered with ${incoming.statusCode}`);
  return { ended: endOf(incoming) };
}

async function socket(path: string, protocols: string[], headers = {}): ReturnType<typeof openSocket> {
  return openSocket(path, { url: closed.url, protocols, headers });
}

/** A credential, as a field and as a subprotocol if it can be one. */
interface Credential {
  readonly fields: Record<string, string>;
  readonly protocols: readonly string[];
  /** What its refusal is answered with. */
  readonly refused: { readonly http: number; readonly socket: object; readonly grpc: number };
}

const ofToken = (token: string): Credential => ({
  fields: bearer(token),
  protocols: [`bearer.${token}`],
  refused: { http: 401, socket: UNAUTHORIZED, grpc: grpc.UNAUTHENTICATED },
});
const ofKey = (key: string): Credential => ({
  fields: { 'x-api-key': key },
  protocols: [],
  refused: { http: 403, socket: FORBIDDEN, grpc: grpc.PERMISSION_DENIED },
});

async function handshake(path: string, protocol: string, by: Credential): ReturnType<typeof openSocket> {
  return socket(path, [protocol, ...by.protocols], by.protocols.length > 0 ? {} : by.fields);
}

/** Everything that stays open, how a credential opens it, and how it ends when that is revoked. */
const DOORS: Record<string, [(by: Credential) => Opened, (by: Credential) => unknown]> = {
  'a forwarded stream of events': [
    (by) => stream('/known/events', by.fields),
    () => ({ text: 'data: 1\n\n', cut: true }),
  ],
  'a forwarded request without an answer yet': [
    async (by) => {
      const ended = call(`${closed.url}/known/never`, { headers: by.fields });
      while (one.echo.requests.every(({ url }) => url !== '/known/never')) await sleep(5);
      return { ended };
    },
    ({ refused }) => expect.objectContaining({ status: refused.http }),
  ],
  'a forwarded socket': [
    async ({ fields }) => ({ ended: (await socket('/socket', [], fields)).closed }),
    ({ refused }) => refused.socket,
  ],
  'a GraphQL socket whose token came first': [
    async (by) => ({ ended: (await handshake('/graphql', 'graphql-transport-ws', by)).closed }),
    ({ refused }) => refused.socket,
  ],
  'a GraphQL socket whose token came later': [
    async ({ fields }) => {
      const client = await socket('/graphql', ['graphql-transport-ws']);
      client.socket.send(JSON.stringify({ type: 'connection_init', payload: fields }));
      while (client.messages.length === 0) await sleep(5);
      return { ended: client.closed };
    },
    ({ refused }) => refused.socket,
  ],
  'a GraphQL subscription over server-sent events': [
    ({ fields }) =>
      stream('/graphql', { ...fields, ...EVENTS, 'content-type': 'application/json' }, SUBSCRIPTION),
    () => expect.objectContaining({ cut: false }),
  ],
  'a reserved GraphQL stream': [
    async ({ fields }) => {
      const reserved = await call(`${closed.url}/graphql`, { method: 'PUT', headers: fields });
      return stream('/graphql', { ...fields, ...EVENTS, 'x-graphql-event-stream-token': reserved.text });
    },
    () => expect.objectContaining({ cut: false }),
  ],
  'a translated stream': [
    ({ fields }) => stream('/test/count/100', { ...fields, ...EVENTS }),
    () => ({ text: expect.stringContaining('"code":"credentials-revoked"'), cut: false }),
  ],
  'a translated socket': [
    async (by) => ({ ended: (await handshake('/test/talk/x', 'grpc.json', by)).closed }),
    ({ refused }) => refused.socket,
  ],
  'a gRPC stream that is passed on': [
    async ({ fields }) => {
      const client = grpcClient(closed.url);
      const chat = client.makeBidiStreamRequest('/test.v1.Kinds/Chat', asIs, asIs, metadataOf(fields));
      chat.on('error', () => undefined);
      const ended = new Promise((resolve) => chat.on('status', ({ code }: StatusObject) => resolve(code)));
      chat.write(encoded('Tick', { number: 1n }));
      await once(chat, 'data');
      return { ended: ended.finally(() => client.close()) };
    },
    ({ refused }) => refused.grpc,
  ],
  'a stream of a handler that minds nothing': [
    ({ fields }) => stream('/forever', fields),
    () => ({ text: 'begun', cut: true }),
  ],
};

describe('a session that is revoked at one replica', () => {
  it.each(Object.entries(DOORS))('ends %s at another', async (door, [open, expected]) => {
    kinds.hold = new Promise(() => undefined);
    const [opened, other] = await Promise.all([
      open(ofToken(await tokenOf({ sid: door }))),
      openSocket('/socket', { url: closed.url, headers: bearer(await tokenOf({ sid: 'other' })) }),
    ]);
    expect((await order({ sid: door })).status).toBe(200);
    expect(await opened.ended).toEqual(expected(ofToken('')));
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    other.socket.terminate();
  });
});

describe('an API key that is revoked at one replica', () => {
  const admin = async (path: string, body: object): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    return call(`${one.gateway.adminUrl}/keys${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
  };
  const issue = async () => {
    const made = await admin('', { clientId: 'app', roles: ['user'] });
    expect(made.status).toBe(200);
    return made.json<{ key: string; id: string }>();
  };

  it('ends everything that it has opened at another, and nothing of other keys', async () => {
    kinds.hold = new Promise(() => undefined);
    one.echo.requests.length = 0;
    const [key, beside] = [await issue(), await issue()];
    const by = ofKey(key.key);
    const opened = await Promise.all(
      Object.values(DOORS).map(async ([open, expected]) => ({ ...(await open(by)), expected })),
    );
    const other = await openSocket('/socket', { url: closed.url, headers: ofKey(beside.key).fields });
    expect((await admin(`/${key.id}/revoke`, {})).status).toBe(200);
    const ends = await Promise.all(opened.map(({ ended }) => ended));
    expect(ends).toEqual(opened.map(({ expected }) => expected(by)));
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    other.socket.terminate();
  });

  it('ends sockets as well when it is disabled', async () => {
    const key = await issue();
    const by = ofKey(key.key);
    const sockets = ['a forwarded socket', 'a GraphQL socket whose token came later', 'a translated socket'];
    const opened = await Promise.all(sockets.map((door) => DOORS[door]?.[0](by)));
    const stream = await DOORS['a GraphQL subscription over server-sent events']?.[0](by);
    const headers = { 'content-type': 'application/json' };
    const change = { method: 'PATCH', headers, body: '{"status":"disabled"}' };
    expect((await call(`${one.gateway.adminUrl}/keys/${key.id}`, change)).status).toBe(200);
    for (const one of opened) expect(await one?.ended).toEqual({ code: 4401, reason: 'credentials-invalid' });
    expect(await stream?.ended).toEqual(expect.objectContaining({ cut: false }));
  });

  it('is refused at all replicas at once, by 403, and one that nobody knows by 401', async () => {
    const key = await issue();
    const ask = (gateway: TestGateway, text: string) =>
      call(`${gateway.url}/known/x`, { headers: ofKey(text).fields });
    for (const gateway of [one.gateway, closed]) expect((await ask(gateway, key.key)).status).toBe(200);
    expect((await admin(`/${key.id}/revoke`, { reason: 'leaked' })).status).toBe(200);
    const until = Date.now() + 1000;
    for (const gateway of [one.gateway, closed]) {
      let answer = await ask(gateway, key.key);
      while (answer.status === 200 && Date.now() < until) answer = await ask(gateway, key.key);
      expect([answer.status, answer.json()['code']]).toEqual([403, 'credentials-revoked']);
      const unknown = await ask(gateway, 'nobody-knows-this-key');
      expect([unknown.status, unknown.json()['code']]).toEqual([401, 'credentials-invalid']);
    }
  });
});

describe('a cached token', () => {
  it('is refused at all replicas within a second by its id, with a challenge', async () => {
    const token = await tokenOf({ jti: 'the-token' });
    const beside = await tokenOf({ jti: 'beside' });
    for (const gateway of [one.gateway, closed]) expect((await ask(gateway, token)).status).toBe(200);
    expect((await order({ jti: 'the-token' })).json()).toMatchObject({ revoked: [{ jti: 'the-token' }] });
    for (const gateway of [one.gateway, closed]) {
      const refused = await within(gateway, token, 401);
      expect(refused.json()).toMatchObject({ code: 'credentials-revoked' });
      expect(refused.headers['www-authenticate']).toContain('error="invalid_token"');
      expect((await ask(gateway, beside)).status).toBe(200);
    }
    expect(await redis.client().exists('revoked:the-token')).toBe(1);
  });

  it('is refused within a second when somebody else writes its key to Redis', async () => {
    const token = await tokenOf({ jti: 'written,by others' });
    for (const gateway of [one.gateway, closed]) expect((await ask(gateway, token)).status).toBe(200);
    await redis.client().set('revoked:written,by others', 'anything', 'EX', 600);
    for (const gateway of [one.gateway, closed]) await within(gateway, token, 401);
  });

  it('is refused by its subject if it was issued before, this second included, and not if later', async () => {
    const now = Math.floor(Date.now() / 1000);
    const [old, fresh] = await Promise.all([
      tokenOf({ sub: 'mallory' }),
      tokenOf({ sub: 'mallory', iat: now + 2 }),
    ]);
    const undated = await tokenOf({ sub: 'mallory', iat: undefined });
    expect((await order({ sub: 'mallory' })).status).toBe(200);
    for (const gateway of [one.gateway, closed]) {
      await within(gateway, old, 401);
      expect((await ask(gateway, undated)).status).toBe(401);
      expect((await ask(gateway, fresh)).status).toBe(200);
    }
  });
});

describe('gatehouse revoke', () => {
  it('revokes, and says what', async () => {
    const token = await tokenOf({ sub: 'trent' });
    expect((await ask(closed, token)).status).toBe(200);
    const command = revokeCommand(['--sub', 'trent', '--reason', 'lost', '--admin', one.gateway.adminUrl]);
    let said = '';
    const out = { write: (text: string) => (said += text) };
    await runRevoke(command as RevokeCommand, { adminHost: '', adminPort: 0 }, out);
    expect(said).toMatch(/^revoked sub trent of http:\S+, as far as issued before \S+Z; kept until \S+Z\n$/);
    await within(closed, token, 401);
    const [line] = await one.gateway.linesWhere(
      ({ msg, revocation }) => msg === 'credentials revoked' && JSON.stringify(revocation).includes('trent'),
    );
    expect(line).toMatchObject({
      revocation: { kind: 'sub', reason: 'lost', from: '127.0.0.1', where: 'everywhere' },
    });
  });

  it('passes on what the gateway says against it', async () => {
    const command = revokeCommand([
      '--sub',
      'x',
      '--issuer',
      'https://nobody.test',
      '--admin',
      one.gateway.adminUrl,
    ]);
    const revoking = runRevoke(
      command as RevokeCommand,
      { adminHost: '', adminPort: 0 },
      { write: () => true },
    );
    await expect(revoking).rejects.toThrow('issuer: there is no issuer');
  });
});

describe('a revocation that is taken back', () => {
  const takeBack = (query: object, { adminUrl } = one.gateway): Promise<Answer> =>
    call(`${adminUrl}/revocations?${new URLSearchParams({ ...query })}`, { method: 'DELETE' });

  it.each([
    ['a token', { jti: 'pardoned' }, { jti: 'pardoned' }],
    ['a session', { sid: 'pardoned session' }, { sid: 'pardoned session' }],
    ['a subject', { sub: 'peggy' }, { sub: 'peggy' }],
  ])(
    'of %s lets it in again at all replicas within a second, until it is revoked again',
    async (_what, named, claims) => {
      const token = await tokenOf(claims);
      for (let times = 0; times < 2; times += 1) {
        expect((await order(named)).status).toBe(200);
        for (const gateway of [one.gateway, closed]) await within(gateway, token, 401);
        const answer = await takeBack({ ...named, reason: 'mistaken' }, closed);
        expect([answer.status, answer.json()]).toMatchObject([200, { restored: named }]);
        for (const gateway of [one.gateway, closed]) await within(gateway, token, 200);
      }
      expect((await takeBack(named)).status).toBe(404);
      const lines = await closed.linesWhere(({ msg }) => msg === 'revocation taken back');
      expect(lines.at(-1)).toMatchObject({ revocation: { reason: 'mistaken', where: 'everywhere' } });
      expect(JSON.stringify(lines)).not.toContain('pardoned session');
    },
  );

  it('has no key in Redis, and is one again when somebody writes it', async () => {
    const token = await tokenOf({ jti: 'written again' });
    const key = 'revoked:written again';
    for (let times = 0; times < 2; times += 1) {
      await redis.client().set(key, 'anything', 'EX', 600);
      for (const gateway of [one.gateway, closed]) await within(gateway, token, 401);
      expect((await takeBack({ jti: 'written again' })).status).toBe(200);
      expect(await redis.client().exists(key)).toBe(0);
      for (const gateway of [one.gateway, closed]) await within(gateway, token, 200);
    }
  });

  it('can be one that another replica was told of just now', async () => {
    for (let i = 0; i < 20; i += 1) {
      const named = { sid: `just now ${i}` };
      expect([(await order(named)).status, (await takeBack(named, closed)).status]).toEqual([200, 200]);
    }
  });

  it('by the command line says so', async () => {
    await order({ sub: 'walter' });
    const command = revokeCommand(['--undo', '--sub', 'walter', '--admin', one.gateway.adminUrl]);
    let said = '';
    const out = { write: (text: string) => (said += text) };
    const run = () => runRevoke(command as RevokeCommand, { adminHost: '', adminPort: 0 }, out);
    await run();
    expect(said).toMatch(/^sub walter of http:\S+ is not revoked any more\n$/);
    await expect(run()).rejects.toThrow('it is not revoked');
  });

  it.each([
    [{}, 400],
    [{ jti: 'a', sid: 'b' }, 400],
    [{ sub: 'a', issuer: 'https://nobody.test' }, 400],
    [{ jti: 'a', expiresAt: '1' }, 400],
    [{ jti: 'nobody knows this one' }, 404],
  ])('has to be one: %j', async (query, status) => {
    expect((await takeBack(query)).status).toBe(status);
  });
});

describe('the admin listener', () => {
  it('tells what is known, and whether a credential is revoked', async () => {
    await order({ sid: 'looked-at' });
    const look = (query: string) => call(`${one.gateway.adminUrl}/revocations?${query}`);
    expect((await look('sid=looked-at')).json()).toMatchObject({ revoked: true });
    expect((await look('jti=looked-at')).json()).toEqual({ jti: 'looked-at', revoked: false });
    for (const query of [
      'sid=a&sid=b',
      'sid=a&jti=b',
      'issuer=a',
      'foo=a',
      'sub=a&issuer=https://nobody.test',
    ])
      expect((await look(query)).status).toBe(400);
    expect(await stateOf(one.gateway, 'fresh')).toMatchObject({
      onStoreError: 'open',
      count: expect.any(Number),
      bytes: expect.any(Number),
    });
    const lines = await one.gateway.linesWhere(({ msg }) => msg === 'credentials revoked');
    expect(JSON.stringify(lines)).not.toContain('looked-at');
  });
});

describe('a Redis that is', () => {
  let revoked: string;
  let good: string;

  beforeAll(async () => {
    [revoked, good] = await Promise.all([tokenOf({ sid: 'for-good' }), tokenOf({})]);
    await order({ sid: 'for-good' });
    for (const gateway of [one.gateway, closed]) {
      await within(gateway, revoked, 401);
      await within(gateway, good, 200);
    }
  });

  it('killed: goes on with what is known where it says open, lets nobody in where it says closed', async () => {
    const held = await openSocket('/socket', { url: closed.url, headers: bearer(good) });
    await redis.kill();
    await Promise.all([stateOf(one.gateway, 'stale'), stateOf(closed, 'stale')]);
    expect((await ask(one.gateway, good)).status).toBe(200);
    expect((await ask(one.gateway, revoked)).status).toBe(401);
    const refused = await ask(closed, good);
    expect(refused.status).toBe(503);
    expect(refused.json()).toMatchObject({ code: 'identity-unavailable' });
    expect(await held.closed).toEqual({ code: 1013, reason: 'identity-unavailable' });
    expect((await call(`${closed.url}/public`)).status).toBe(200);
  });

  it('gone: says so in metrics, health, log and to who revokes, who is heard by this process', async () => {
    expect(await one.metrics()).toMatch(/gatehouse_revocations_fresh 0\n/);
    const ready = await call(`${closed.url}/health/ready`);
    expect([ready.status, ready.text]).toEqual([200, expect.stringContaining('"state":"stale"')]);
    expect(closed.lines.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('answered with 503'));
    const here = await tokenOf({ sid: 'here-only' });
    const told = await order({ sid: 'here-only' });
    expect([told.status, told.text]).toEqual([503, expect.stringContaining('other replicas do not')]);
    expect((await ask(one.gateway, here)).status).toBe(401);
  });

  it('restarted, empty: knows again from the replicas what they know, and tells it new ones', async () => {
    await redis.restart();
    await Promise.all([stateOf(one.gateway, 'fresh'), stateOf(closed, 'fresh')]);
    const here = await tokenOf({ sid: 'here-only' });
    for (let turn = 0; turn < 200 && (await ask(closed, here)).status !== 401; turn += 1) await sleep(20);
    const fresh = await another('closed');
    await stateOf(fresh, 'fresh');
    for (const token of [revoked, here]) expect((await ask(fresh, token)).status).toBe(401);
    expect((await ask(fresh, good)).status).toBe(200);
    await fresh.stop();
  });

  it('stalled: counts as gone, and is heard again when it goes on', async () => {
    redis.pause();
    await stateOf(closed, 'stale');
    expect((await ask(closed, good)).status).toBe(503);
    redis.resume();
    await stateOf(closed, 'fresh');
    expect((await ask(closed, good)).status).toBe(200);
    expect((await ask(closed, revoked)).status).toBe(401);
  });

  it('given something else in place of the stream: is as good as gone for revocations alone, and says why', async () => {
    const client = redis.client();
    await client.set('gatehouse:revocations', 'no stream');
    await stateOf(closed, 'stale');
    expect((await ask(closed, good)).status).toBe(503);
    expect((await order({ sid: 'x' })).status).toBe(503);
    expect(await closed.linesWhere(({ msg }) => msg.includes('WRONGTYPE'))).toHaveLength(1);
    expect((await call(`${closed.adminUrl}/metrics`)).text).toContain('gatehouse_store_up 1');
    await client.del('gatehouse:revocations');
    await stateOf(closed, 'fresh');
    expect((await ask(closed, revoked)).status).toBe(401);
  });

  it('full of what is no revocation: reads on', async () => {
    const client = redis.client();
    const junk = [
      ['d', 'x'],
      ['d', 'AAAAAAAAAAAAAAAA', 't', '1e99'],
      ['t', '7', 'x', 'y'],
      ['d', 'AAAAAAAAAAAAAAAA', 't', '0'],
    ];
    for (const fields of junk) await client.xadd('gatehouse:revocations', '*', ...fields);
    const token = await tokenOf({ sid: 'after junk' });
    await order({ sid: 'after junk' });
    await within(closed, token, 401);
  });

  it('flushed, and written to before anybody has looked: forgets nothing', async () => {
    const client = redis.client();
    await client.flushall();
    await order({ jti: 'after the flush' });
    while ((await client.xlen('gatehouse:revocations')) < 5) await sleep(20);
    for (const gateway of [one.gateway, closed]) expect((await ask(gateway, revoked)).status).toBe(401);
  });
});
