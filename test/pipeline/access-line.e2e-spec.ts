import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { call, open, speak } from '../support/client.ts';
import type { LogLine } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { startShop, type RouteInput, type Shop, type ShopCall } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const route = (id: string, policies: object, upstream = 'echo'): RouteInput => ({
  id,
  match: { methods: ['GET', 'POST'], path: `/${id}` },
  upstream,
  policies: { authentication: 'public', ...policies },
});

let shop: Shop;
let kinds: KindsServer;

beforeAll(async () => {
  kinds = await new KindsServer().start();
  shop = await startShop({
    upstreams: ({ feed }) => ({
      feed: { targets: [feed.url], circuitBreaker: 'off', retry: { attempts: 1 } },
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off' },
      open: { targets: ['http://127.0.0.1:1'], circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
    }),
    routes: [
      route('echo', {}),
      {
        id: 'kinds',
        upstream: 'kinds',
        grpc: { service: 'test.v1.Kinds' },
        policies: { authentication: 'public' },
      },
      {
        id: 'composed',
        match: { path: '/composed' },
        policies: { authentication: 'public' },
        aggregate: {
          calls: { users: { upstream: 'echo', path: '/u' }, feed: { upstream: 'feed', path: '/feed' } },
        },
      },
      route('closed', { authentication: { schemes: ['jwt'] } }),
      route('admins', { authentication: { schemes: ['jwt'] }, authorization: { anyRole: ['admin'] } }),
      route('limited', { rateLimit: { key: 'global', rate: 1, per: '1d' } }),
      route('small', { bodyLimit: '1B' }),
      route('gone', {}, 'gone'),
      route('open', {}, 'open'),
      route('slow', { deadline: '50ms' }),
    ],
  });
  await shop.call('/open');
  await shop.call('/limited');
});
afterAll(async () => {
  await shop.stop();
  kinds.stop();
});

async function expectLine(id: string, expected: Partial<LogLine>): Promise<void> {
  const line = await shop.lineOfId(id);
  expect(line).toMatchObject({
    method: expect.any(String),
    durationMs: expect.any(Number),
    client: '127.0.0.1',
    ...expected,
  });
  expect(line['traceId']).toMatch(/^[0-9a-f]{32}$/);
}

const EXCHANGES: readonly [string, string, ShopCall, Partial<LogLine>][] = [
  ['200', '/echo', {}, { status: 200, route: 'echo', upstream: 'echo' }],
  ['400', '/a//b', {}, { status: 400, refused: { stage: 'open', code: 'request-malformed' } }],
  ['404', '/nowhere', {}, { status: 404, refused: { stage: 'match', code: 'route-not-found' } }],
  ['405', '/echo', { method: 'PUT' }, { status: 405, refused: { stage: 'match', code: 'method-not-allowed' } }],
  ['401', '/closed', {}, { status: 401, route: 'closed', refused: { stage: 'identify', code: 'credentials-missing' } }],
  ['403', '/admins', { as: 'user' }, { status: 403, principal: '2', refused: { stage: 'authorize', code: 'permission-denied', by: 'anyRole(admin)' } }],
  ['429', '/limited', {}, { status: 429, refused: { stage: 'limit', code: 'rate-limited', by: 'global' } }],
  ['413', '/small', { method: 'POST', body: 'long' }, { status: 413, refused: { stage: 'size', code: 'body-too-large' } }],
  ['502', '/gone', {}, { status: 502, target: '127.0.0.1:1', refused: { stage: 'forward', code: 'upstream-unreachable', fault: 'ECONNREFUSED' } }],
  ['503', '/open', {}, { status: 503, refused: { stage: 'break', code: 'circuit-open' } }],
  ['a handler', '/health/live', {}, { status: 200, route: 'health.live' }],
  ['a handler that refuses', '/api/homepage', {}, { status: 401, refused: { stage: 'identify', code: 'credentials-missing' } }],
  ['a view', '/api/homepage', { as: 'user' }, { status: 200, principal: '2' }],
  ['HEAD', '/echo', { method: 'HEAD' }, { status: 200, method: 'HEAD' }],
]; // prettier-ignore

describe('the access line', () => {
  it.each(EXCHANGES)('is written once for %s', async (_what, path, options, expected) => {
    const answer = await shop.call(path, options);
    expect(answer.status).toBe(expected['status']);
    await expectLine(String(answer.headers['x-request-id']), expected);
  });

  it('is written once for a deadline that passed', async () => {
    shop.echo.listener = () => undefined;
    const answer = await shop.call('/slow');
    shop.echo.listener = echo;
    expect(answer.status).toBe(504);
    await expectLine(String(answer.headers['x-request-id']), {
      status: 504,
      refused: { stage: 'deadline', code: 'deadline-exceeded' },
    });
  });

  it('is written once for a client that went away, as 499', async () => {
    const arrived = Promise.withResolvers<void>();
    shop.echo.listener = () => arrived.resolve();
    const gone = new AbortController();
    const headers = { 'x-request-id': 'client-that-leaves' };
    const asking = fetch(`${shop.gateway.url}/echo`, { headers, signal: gone.signal });
    await arrived.promise;
    gone.abort();
    await expect(asking).rejects.toThrow('abort');
    shop.echo.listener = echo;
    await expectLine('client-that-leaves', {
      status: 499,
      cut: true,
      refused: { stage: 'forward', code: 'client-closed' },
    });
  });

  it('is written once for an answer that broke off, with the bytes that were sent', async () => {
    shop.echo.listener = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('ten bytes.', () => response.destroy());
    };
    const headers = { 'x-request-id': 'answer-that-breaks' };
    const incoming = await open(`${shop.gateway.url}/echo`, { headers });
    await expect(incoming.toArray()).rejects.toThrow('aborted');
    shop.echo.listener = echo;
    await expectLine('answer-that-breaks', {
      status: 200,
      cut: true,
      bytes: 10,
      refused: { code: 'upstream-unreachable' },
    });
  });

  it('has the path but no value of the query, and the size of the answer', async () => {
    const answer = await shop.call('/echo?token=s3cret&x=1&flag');
    const line = await shop.lineOf(answer);
    expect(line).toMatchObject({ path: '/echo?token=&x=&*', bytes: answer.body.length });
    expect(JSON.stringify(shop.gateway.lines)).not.toContain('s3cret');
  });

  it('is written for each of several requests on one connection', async () => {
    const one = (id: string, more = '') =>
      `GET /echo HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n${more}\r\n`;
    const socket = connect(Number(new URL(shop.gateway.url).port), '127.0.0.1');
    socket.write(one('pipelined-1') + one('pipelined-2') + one('pipelined-3', 'Connection: close\r\n'));
    await once(socket.resume(), 'close');
    for (const id of ['pipelined-1', 'pipelined-2', 'pipelined-3']) await shop.lineOfId(id);
  });

  it('is there for nobody twice', () => {
    const ids = shop.gateway.lines.filter((line) => line.msg === 'exchange').map((line) => line['id']);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the access line of what was composed, retried or refused by a rule', () => {
  const homepage = '{ homepage { user { name } feed { items { id } } } }';
  const post = (query: string): ShopCall => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });

  it.each([
    ['a view', '/api/homepage', {}],
    ['a view that streams', '/api/homepage', { headers: { accept: 'application/x-ndjson' } }],
    ['GraphQL', '/graphql', post(homepage)],
    ['an aggregate', '/composed', {}],
  ])('says of %s which part is degraded, and why', async (_what, path, options) => {
    expect(
      (await shop.lineOf(await shop.call(path, { as: 'user', ...options })))['degraded'],
    ).toBeUndefined();
    await shop.services.feed.fault('fail');
    const answer = await shop.call(path, { as: 'user', ...options });
    await shop.services.feed.fault('none');
    expect(answer.status).toBe(200);
    const [part] = (await shop.lineOf(answer))['degraded'] as unknown[];
    expect(part).toMatchObject({
      section: 'feed',
      code: 'upstream-rejected',
      via: expect.stringMatching(/^(null|fallback)$/),
    });
  });

  it.each([
    ['proxied', '/echo', {}],
    ['a view', '/api/homepage', {}],
    ['a handler over gRPC', '/api/v1/orders', {}],
    ['GraphQL', '/graphql', post(homepage)],
    ['an aggregate', '/composed', {}],
    ['translated', '/test/echo', { ...post(''), body: '{}' }],
    ['translated, a stream', '/test/count/2', {}],
    ['refused', '/gone', {}],
  ])('says how long each attempt took: %s', async (_what, path, options) => {
    const line = await shop.lineOf(await shop.call(path, { as: 'user', ...options }));
    const attempts = line['attempts'] as { target: string; outcome: string; durationMs: number }[];
    expect(attempts.length).toBeGreaterThan(0);
    for (const { durationMs, outcome } of attempts) {
      expect(outcome).not.toBe('pending');
      expect(durationMs).toBeGreaterThan(0);
      expect(durationMs).toBeLessThanOrEqual(Number(line['durationMs']));
    }
    expect(attempts.at(-1)?.target).toBe(line['target']);
  });

  it('names the rule that refused, which the client is not told', async () => {
    const by = 'anyRole(admin)';
    const answer = await shop.call('/admins', { as: 'user' });
    expect((await shop.lineOf(answer))['refused']).toMatchObject({ by });
    expect(answer.json()).not.toHaveProperty('by');
    expect(answer.text).not.toContain(by);
  });

  it('names the limit that refused, as the fields of limits do for the client', async () => {
    const answer = await shop.call('/limited', { as: 'user' });
    expect((await shop.lineOf(answer))['refused']).toMatchObject({ by: 'global' });
    expect(answer.json()).toMatchObject({ 'violated-policies': ['global'] });
    expect(answer.headers['ratelimit-policy']).toContain('"global"');
  });
});

describe('a connection that is refused by the parser', () => {
  it('leaves a line of its own, because there is no exchange yet', async () => {
    await speak(shop.gateway.url, 'nonsense\r\n\r\n');
    const lines = await shop.gateway.linesWhere((line) => line.msg === 'connection refused');
    expect(lines).toEqual([
      expect.objectContaining({
        client: '127.0.0.1',
        refused: expect.objectContaining({ code: 'request-malformed' }),
      }),
    ]);
  });

  it('does not stop the server', async () => {
    const server = shop.gateway.gateway.app.getHttpServer() as Server;
    expect(server.listening).toBe(true);
    expect((await call(`${shop.gateway.url}/health/live`)).status).toBe(200);
  });
});
