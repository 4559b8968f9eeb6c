import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { call, open as openAnswer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { heldBy, reload, until } from '../support/reload.ts';
import { open, refused } from '../support/socket-client.ts';
import { echo, startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const KEY = 'test-key-of-one-client';
const OTHER_KEY = 'test-key-of-another-client';

@Controller('made')
@Public()
class MadeController {
  @Get('object')
  object(): object {
    return { name: 'a', internal: 'secret' };
  }

  @Get('text')
  text(): string {
    return '{"name":"a","internal":"secret"}';
  }

  @Post('echo')
  said(@Body({ schema: z.strictObject({ a: z.number() }) }) body: object): object {
    return body;
  }
}
@Module({ controllers: [MadeController] })
class MadeModule {}
const MADE = { name: 'made', module: MadeModule };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let service: TestUpstream;
let other: TestUpstream;
let kinds: KindsServer;
let gateway: TestGateway;
let sockets: Set<Socket>;

const route = (id: string, more: object = {}): object => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'it',
  ...more,
});
const config = (more: object = {}): Record<string, unknown> => ({
  version: 1,
  contracts: { enabled: false },
  modules: ['made'],
  defaults: { policies: { authentication: 'public' } },
  upstreams: { it: { targets: [service.url] } },
  routes: [route('one')],
  ...more,
});
const get = (path: string, headers: Record<string, string> = {}) => call(gateway.url + path, { headers });

beforeEach(async () => {
  sockets = new Set();
  [service, other] = await Promise.all([startUpstream(), startUpstream()]);
  service.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  kinds = await new KindsServer().start();
  gateway = await startGateway({ config: JSON.stringify(config()), modules: [MADE] });
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([service.stop(), other.stop()]);
  kinds.stop();
});

describe('a reload', () => {
  it('adds and removes routes for the next request', async () => {
    expect((await get('/two/x')).status).toBe(404);
    expect((await reload(gateway, config({ routes: [route('two')] }))).outcome).toBe('reloaded');
    expect((await get('/two/x')).status).toBe(200);
    expect((await get('/one/x')).status).toBe(404);
  });

  it('leads the next request to other targets, and closes those that left', async () => {
    await get('/one/x');
    expect(sockets.size).toBe(1);
    await reload(gateway, config({ upstreams: { it: { targets: [other.url] } } }));
    await get('/one/x');
    expect([service.requests.length, other.requests.length]).toEqual([1, 1]);
    await until(() => sockets.size === 0);
  });

  it('keeps the connections of a target that stays', async () => {
    await get('/one/x');
    const upstreams = { it: { targets: [service.url, other.url], balancing: 'leastRequests' } };
    for (const weight of [2, 3]) {
      const targets = [{ url: service.url, weight }, other.url];
      await reload(gateway, config({ upstreams: { it: { ...upstreams.it, targets } } }));
      await get('/one/x');
      await get('/one/x');
    }
    expect(sockets.size).toBe(1);
  });

  it('holds the next request to other policies', async () => {
    const limited = { policies: { rateLimit: { key: 'ip', rate: 1, per: '1h' } } };
    await reload(gateway, config({ routes: [route('one', limited)] }));
    expect([(await get('/one/x')).status, (await get('/one/x')).status]).toEqual([200, 429]);
    // What was taken stays taken.
    await reload(gateway, config({ routes: [route('one', limited), route('two')] }));
    expect((await get('/one/x')).status).toBe(429);
  });

  it('believes other keys, and no longer those that are gone', async () => {
    const keyed = (key: string): object =>
      config({
        identity: { apiKeys: [{ sha256: sha256(key), clientId: 'app' }] },
        routes: [route('one', { policies: { authentication: { schemes: ['apiKey'] } } })],
      });
    await reload(gateway, keyed(KEY));
    expect((await get('/one/x', { 'x-api-key': KEY })).status).toBe(200);
    expect((await get('/one/x', { 'x-api-key': OTHER_KEY })).status).toBe(401);
    await reload(gateway, keyed(OTHER_KEY));
    expect((await get('/one/x', { 'x-api-key': KEY })).status).toBe(401);
    expect((await get('/one/x', { 'x-api-key': OTHER_KEY })).status).toBe(200);
  });

  it('believes other proxies, and limits floods as it says', async () => {
    const from = (address: string) => get('/one/x', { 'x-forwarded-for': address });
    const seen = async () => (await from('203.0.113.9')).json<Echo>().headers['x-forwarded-for'];
    expect(await seen()).toBe('127.0.0.1');
    await reload(gateway, config({ trustedProxies: ['loopback'] }));
    expect(await seen()).toContain('203.0.113.9');
    const floodLimit = { key: 'ip', rate: 1, per: '1h' };
    await reload(gateway, config({ trustedProxies: ['loopback'], floodLimit }));
    expect([(await from('203.0.113.1')).status, (await from('203.0.113.1')).status]).toEqual([200, 429]);
    await reload(gateway, config());
    expect((await from('203.0.113.1')).status).toBe(200);
  });

  it.each(['object', 'text'])(
    'masks the next answer of a handler, as it was masked nowhere before: %s',
    async (what) => {
      expect((await get(`/made/${what}`)).text).toContain('secret');
      const transform = { response: { maskFields: ['internal'] } };
      await reload(gateway, config({ defaults: { policies: { authentication: 'public', transform } } }));
      const masked = await get(`/made/${what}`);
      expect(masked.status).toBe(200);
      expect(masked.text).not.toContain('secret');
      expect(masked.json()).toMatchObject({ name: 'a' });
      await reload(gateway, config());
      expect((await get(`/made/${what}`)).text).toContain('secret');
    },
  );

  it('masks what is stored already', async () => {
    const upstreams = {
      it: { targets: [service.url] },
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
    };
    service.listener = (_request, response) =>
      void response.setHeader('content-type', 'application/json').end('{"internal":"secret"}');
    const calls = { one: { upstream: 'it', path: '/x' } };
    const composed = (transform: object | undefined): object => ({
      id: 'composed',
      match: { path: '/composed' },
      aggregate: { calls, response: { one: 'one' } },
      policies: { cache: { ttl: '1h', scope: 'public' }, ...(transform && { transform }) },
    });
    await reload(gateway, config({ upstreams, routes: [composed(undefined)] }));
    expect((await get('/composed')).text).toContain('secret');
    await reload(
      gateway,
      config({ upstreams, routes: [composed({ response: { maskFields: ['internal'] } })] }),
    );
    expect((await get('/composed')).text).not.toContain('secret');
  });
});

describe('what is under way', () => {
  it('has its answer from a target that left meanwhile, whose connection then ends', async () => {
    let answer: ServerResponse | undefined;
    service.listener = (_request, response) => {
      answer = response;
      response.writeHead(200).write('first ');
    };
    const incoming = await openAnswer(`${gateway.url}/one/x`);
    incoming.setEncoding('utf8');
    await reload(gateway, config({ upstreams: { it: { targets: [other.url] } } }));
    await reload(gateway, config({ upstreams: {}, routes: [] }));
    expect(heldBy(gateway)).toBe(2);
    answer?.end('last');
    let text = '';
    for await (const piece of incoming) text += String(piece);
    expect(text).toBe('first last');
    await until(() => sockets.size === 0 && heldBy(gateway) === 1);
  });

  it('goes on at a handler whose body comes after the reload', async () => {
    const outgoing = request(`${gateway.url}/made/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 9 },
    });
    const begun = once(gateway.gateway.app.getHttpServer() as Server, 'request');
    outgoing.write('{"a"');
    await begun;
    const closed = { authentication: { schemes: ['apiKey'] } };
    await reload(
      gateway,
      config({
        identity: { apiKeys: [{ sha256: sha256(KEY), clientId: 'a' }] },
        routes: [route('two', { policies: closed })],
      }),
    );
    expect(heldBy(gateway)).toBe(2);
    outgoing.end(': 1 }');
    const [incoming] = (await once(outgoing, 'response')) as [{ statusCode: number; resume(): void }];
    incoming.resume();
    expect(incoming.statusCode).toBe(201);
    await until(() => heldBy(gateway) === 1);
  });

  it('keeps a WebSocket and its target until it closes; a new one meets the new configuration', async () => {
    const upstreams = {
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
    };
    const routes = [{ id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } }];
    await reload(gateway, config({ upstreams, routes }));
    const client = await open('/test/chat/hi', { url: gateway.url });
    client.socket.send('{"number":1}');
    await until(() => client.messages.length === 1);
    await reload(gateway, config());
    expect(heldBy(gateway)).toBe(2);
    client.socket.send('{"number":2}');
    await until(() => client.messages.length === 2);
    expect((await refused('/test/chat/hi', { url: gateway.url })).status).toBe(404);
    client.socket.send('');
    expect(await client.closed).toMatchObject({ code: 1000 });
    await until(() => heldBy(gateway) === 1);
  });
});

describe('a configuration that cannot be put into force', () => {
  const faulty = (): object =>
    config({ routes: [route('one', { upstream: 'nowhere' }), route('two', { upstream: 'iit' })] });

  it('leaves the last good one, and tells all of its faults with their places', async () => {
    const { outcome, faults } = await reload(gateway, faulty());
    expect(outcome).toBe('faulty');
    expect(faults).toHaveLength(2);
    expect(faults[1]).toMatchObject({ line: 1, key: 'routes[two].upstream', suggestion: 'it' });
    expect((await get('/one/x')).status).toBe(200);
    expect((await get('/two/x')).status).toBe(404);
    const [line] = await gateway.linesWhere(({ msg }) => msg.includes('is faulty'));
    expect(line?.['faults']).toEqual(JSON.parse(JSON.stringify(faults)));
    expect((await call(`${gateway.adminUrl}/config`)).json()).toMatchObject({
      file: 'gateway.yaml',
      held: 1,
      lastReload: { trigger: 'test', outcome: 'faulty', faults: [{}, { key: 'routes[two].upstream' }] },
    });
    const metrics = (await call(`${gateway.adminUrl}/metrics`)).text;
    expect(metrics).toContain('gatehouse_config_reloads_total{outcome="faulty"} 1');
    expect(metrics).toMatch(/gatehouse_config_loaded_timestamp_seconds 1\d{9}/);
  });

  it('ends nothing and opens nothing', async () => {
    await get('/one/x');
    for (let i = 0; i < 5; i += 1) await reload(gateway, faulty());
    await get('/one/x');
    expect(sockets.size).toBe(1);
    expect(heldBy(gateway)).toBe(1);
  });

  it.each([
    ['contracts.enabled', { contracts: { enabled: true } }],
    ['graphql.graphiql', { graphql: { graphiql: false } }],
  ])('is refused with the word restart where it changes %s', async (key, change) => {
    const { outcome, faults } = await reload(gateway, config({ ...change, routes: [] }));
    expect(outcome).toBe('needs-restart');
    expect(faults.map((fault) => fault.key)).toEqual([key]);
    expect(faults[0]?.message).toContain('needs a restart');
    expect((await get('/one/x')).status).toBe(200);
  });

  it('is one that hides a route that there is not', async () => {
    const contracts = { enabled: false, hide: ['nothing'] };
    expect((await reload(gateway, config({ contracts }))).faults).toMatchObject([
      { key: 'contracts.hide[0]' },
    ]);
  });
});

describe('thirty reloads under load', () => {
  it('lose no request, and leave nothing behind', async () => {
    service.listener = other.listener = echo;
    const seen: number[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) seen.push((await get('/one/x')).status);
    };
    const clients = Array.from({ length: 8 }, client);
    for (let i = 0; i < 30; i += 1) {
      const targets = [service.url, other.url].slice(i % 3 === 2 ? 1 : 0, i % 3 === 0 ? 1 : 2);
      const policies = i % 2 === 0 ? {} : { rateLimit: { key: 'ip', rate: 1_000_000, per: '1s' } };
      const options = { targets, maxConnections: 64 + (i % 5) };
      const routes = [route('one', { policies }), route(`extra-${i % 4}`)];
      expect((await reload(gateway, config({ upstreams: { it: options }, routes }))).outcome).toBe(
        'reloaded',
      );
      await get('/one/x');
    }
    isOver = true;
    await Promise.all(clients);
    expect(new Set(seen)).toEqual(new Set([200]));
    expect(seen.length).toBeGreaterThan(30);
    await reload(gateway, config({ upstreams: {}, routes: [] }));
    await until(() => sockets.size === 0 && heldBy(gateway) === 1);
    const metrics = (await call(`${gateway.adminUrl}/metrics`)).text;
    expect(metrics).not.toContain('gatehouse_breaker_state{');
    expect(metrics.match(/^gatehouse_request_duration_seconds_count\{route="one"/gm)).toHaveLength(1);
  });
});
