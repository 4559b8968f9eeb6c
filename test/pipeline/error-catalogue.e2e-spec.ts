import { status as grpc } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, ServiceUnavailableException } from '@nestjs/common';
import type { Server } from 'node:http';
import { Draining } from '../../src/health/draining.ts';
import { Siblings } from '../../src/health/workforce.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { catalogue, type ProblemCode } from '../../src/problems/catalogue.ts';
import { askUnaudited } from '../support/audit.ts';
import { APP, sampleLogin } from '../support/sample-login.ts';
import { Visitor } from '../support/visitor.ts';
import { call, parseAnswer, speak, type Answer } from '../support/client.ts';
import { startGrpcRefusals, type GrpcRefusals } from '../support/grpc-refusals.ts';
import { askKeyed } from '../support/keyed.ts';
import { askMisdirected } from '../support/misdirected.ts';
import { startShop, type RouteInput, type Shop, type ShopCall } from '../support/shop.ts';
import { startTcpUpstream, type TcpUpstream } from '../support/upstream.ts';

@Controller('team')
@Public()
class TeamController {
  @Get('bug')
  bug(): never {
    throw new Error('s3cret of the handler');
  }

  @Get('unavailable')
  unavailable(): never {
    throw new ServiceUnavailableException('s3cret of the handler');
  }
}

@Module({ controllers: [TeamController] })
class TeamModule {}

const NEVER = 'http://127.0.0.1:1';
const open = (id: string, policies: object, upstream = 'echo'): RouteInput => ({
  id,
  match: { methods: ['GET', 'POST'], path: `/${id}` },
  upstream,
  policies: { authentication: 'public', ...policies },
});

let shop: Shop;
let refusals: GrpcRefusals;
let garbage: TcpUpstream;
let silent: TcpUpstream;
let hanging: TcpUpstream;
let arrived = Promise.withResolvers<void>();

beforeAll(async () => {
  refusals = await startGrpcRefusals(grpc.NOT_FOUND);
  garbage = await startTcpUpstream((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'));
  silent = await startTcpUpstream(() => undefined);
  hanging = await startTcpUpstream(() => arrived.resolve());
  shop = await startShop({
    modules: [TeamModule],
    identity: ({ identity }) => ({
      revocation: { onStoreError: 'open' },
      damping: { failures: 1 },
      login: sampleLogin(identity.issuer),
    }),
    more: {
      trustedProxies: ['loopback'],
      // A threshold that any process is over.
      loadShedding: { memory: { from: '0%', full: '0.001%' }, enterAfter: '0s' },
    },
    environment: () => ({ REDIS_URL: 'redis://127.0.0.1:1', FAULT_INJECTION: 'on' }),
    upstreams: () => ({
      orders: { protocol: 'grpc', targets: [refusals.url], circuitBreaker: 'off' },
      gone: { targets: [NEVER], circuitBreaker: 'off' },
      broken: { targets: [NEVER], circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
      silent: { targets: [silent.url], timeouts: { firstByte: '50ms' } },
      hanging: { targets: [hanging.url] },
      busy: { targets: [hanging.url], maxRequests: 1, maxQueued: 0 },
      garbage: { targets: [garbage.url] },
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [refusals.url] },
    }),
    routes: [
      open('echo', {}),
      open('closed', { authentication: { schemes: ['jwt', 'apiKey'] } }),
      open('admins', { authentication: { schemes: ['jwt'] }, authorization: { anyRole: ['admin'] } }),
      open('decided', { externalAuthorization: { upstream: 'gone', opa: { path: '/' } } }),
      open('sunk', { deprecation: { since: '2020-01-01', sunset: '2021-01-01', afterSunset: 'gone' } }),
      {
        id: 'versions',
        match: { path: '/versions' },
        policies: { authentication: 'public' },
        versions: { by: { query: 'v' }, of: { v1: { upstream: 'echo' } } },
      },
      {
        id: 'refused',
        match: { path: '/refused' },
        upstream: 'echo',
        split: { weight: 0, others: [{ refuse: true }] },
        policies: { authentication: 'public' },
      },
      open('once', { rateLimit: { key: 'global', rate: 1, per: '1d' } }),
      open('daily', { quota: { key: 'global', limit: 1, window: 'day', onStoreError: 'local' } }),
      open('billed', { quota: { limit: 1, window: 'month', onStoreError: 'closed' } }),
      open('strict', { rateLimit: { key: 'ip', rate: 1, per: '1d', onStoreError: 'closed' } }),
      open('kept-out', { ipAccess: { deny: ['loopback'] } }),
      open('keyed', { idempotency: { anonymous: 'address' } }),
      open('chaos', { fault: { abort: {} } }),
      open('small', { bodyLimit: '1B' }),
      open('kept', { cache: { ttl: '1s' } }),
      open('late', { deadline: '50ms' }, 'hanging'),
      open('silent', {}, 'silent'),
      open('hanging', {}, 'hanging'),
      open('gone', {}, 'gone'),
      open('shed', { loadShedding: 'low' }),
      open('single', { concurrency: { max: 1, queue: 0 } }, 'hanging'),
      open('busy', {}, 'busy'),
      open('broken', {}, 'broken'),
      open('garbage', {}, 'garbage'),
      {
        id: 'kinds',
        upstream: 'kinds',
        grpc: { service: 'test.v1.Kinds' },
        policies: { authentication: 'public' },
      },
    ],
  });
});

afterAll(async () => {
  await shop.stop();
  refusals.stop();
  await Promise.all([garbage.stop(), silent.stop(), hanging.stop()]);
});

const ask = (path: string, options?: ShopCall) => (): Promise<Answer> => shop.call(path, options);
const order = (code: grpc) => (): Promise<Answer> => {
  refusals.code = code;
  return shop.call('/api/v1/orders/1', { as: 'user' });
};
const say = (bytes: string) => async (): Promise<Answer> =>
  parseAnswer(await speak(shop.gateway.url, bytes, 15_000));
/** Asks while the same is under way. */
const beside = (path: string) => async (): Promise<Answer> => {
  const left = new AbortController();
  arrived = Promise.withResolvers();
  const held = fetch(shop.gateway.url + path, { signal: left.signal });
  await arrived.promise;
  const answer = await shop.call(path);
  left.abort();
  await expect(held).rejects.toThrow('abort');
  return answer;
};
const expired = () => ({ exp: Math.floor(Date.now() / 1000) - 60 });

/** Every code and how it is provoked. The type makes a code without an entry a compile error. */
const PROVOCATIONS: Readonly<Record<ProblemCode, () => Promise<Answer>>> = {
  'request-malformed': ask('/a/../b'),
  'headers-too-large': say(`GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`),
  'uri-too-long': say(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
  'method-not-implemented': say('FOO / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'misdirected-request': askMisdirected,
  'request-timeout': () => {
    (shop.gateway.gateway.app.getHttpServer() as Server).headersTimeout = 50;
    return say('GET / HTTP/1.1\r\nHost:')();
  },
  'expectation-failed': ask('/echo', { headers: { expect: 'something-else' } }),
  'route-not-found': ask('/nowhere'),
  'upstream-missing': ask('/refused'),
  'version-unknown': ask('/versions?v=9'),
  'version-gone': ask('/sunk'),
  'method-not-allowed': ask('/echo', { method: 'DELETE' }),
  'audit-unavailable': askUnaudited,
  'idempotency-key-invalid': () => askKeyed('idempotency-key-invalid'),
  'idempotency-key-reused': () => askKeyed('idempotency-key-reused'),
  'idempotency-in-flight': () => askKeyed('idempotency-in-flight'),
  'idempotency-outcome-unknown': () => askKeyed('idempotency-outcome-unknown'),
  'idempotency-not-replayable': () => askKeyed('idempotency-not-replayable'),
  'idempotency-unavailable': ask('/keyed', { method: 'POST', headers: { 'idempotency-key': 'k' } }),
  'address-denied': ask('/kept-out'),
  'credentials-missing': ask('/closed'),
  'credentials-invalid': ask('/closed', { headers: { authorization: 'Bearer x.y.z' } }),
  'credentials-expired': async () => {
    const token = await shop.services.identity.token('user', expired());
    return shop.call('/closed', { headers: { authorization: `Bearer ${token}` } });
  },
  'credentials-revoked': async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ sid: 'revoked' });
    await call(`${shop.gateway.adminUrl}/revocations`, { method: 'POST', headers, body });
    const token = await shop.services.identity.token('user', { sid: 'revoked' });
    return shop.call('/closed', { headers: { authorization: `Bearer ${token}` } });
  },
  'login-failed': ask('/login/callback'),
  'session-too-large': async () => {
    shop.services.identity.idTokenClaims = { pad: 'x'.repeat(8000) };
    const visitor = new Visitor(() => shop.gateway.url, APP);
    return visitor.open(await visitor.untilCallback('/', 'user'));
  },
  'too-many-attempts': async () => {
    // Loopback is exempt; who comes by it is not.
    const headers = { authorization: 'Bearer x.y.z', 'x-forwarded-for': '203.0.113.66' };
    await shop.call('/closed', { headers });
    return shop.call('/closed', { headers });
  },
  'identity-unavailable': ask('/closed', { apiKey: 'a-key-that-only-redis-could-know' }),
  'permission-denied': ask('/admins', { as: 'user' }),
  'authorization-unavailable': ask('/decided'),
  'rate-limited': async () => {
    await shop.call('/once');
    return shop.call('/once');
  },
  'quota-exceeded': async () => {
    await shop.call('/daily');
    return shop.call('/daily');
  },
  'quota-unavailable': ask('/billed'),
  'limiter-unavailable': ask('/strict'),
  'body-too-large': ask('/small', { method: 'POST', body: 'long' }),
  'not-cached': ask('/kept', { headers: { 'cache-control': 'only-if-cached' } }),
  'deadline-exceeded': ask('/late'),
  'request-invalid': ask('/api/v1/orders', {
    as: 'user',
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  }),
  'upgrade-required': ask('/test/talk/x'),
  'media-type-unsupported': ask('/api/v1/orders', {
    as: 'user',
    method: 'POST',
    body: 'a;b',
    headers: { 'content-type': 'text/csv' },
  }),
  'fault-injected': ask('/chaos'),
  'load-shed': ask('/shed'),
  'concurrency-limited': beside('/single'),
  'upstream-saturated': beside('/busy'),
  'circuit-open': async () => {
    await shop.call('/broken');
    return shop.call('/broken');
  },
  'no-available-target': ask('/team/unavailable'),
  'upstream-unreachable': ask('/gone'),
  'upstream-timeout': ask('/silent'),
  'upstream-response-invalid': ask('/garbage'),
  'upstream-rejected': order(grpc.INTERNAL),
  'resource-not-found': order(grpc.NOT_FOUND),
  conflict: order(grpc.ABORTED),
  'upstream-exhausted': order(grpc.RESOURCE_EXHAUSTED),
  'not-implemented': order(grpc.UNIMPLEMENTED),
  'client-closed': async () => {
    const left = new AbortController();
    arrived = Promise.withResolvers();
    const headers = { 'x-request-id': 'gone-client' };
    const asking = fetch(`${shop.gateway.url}/hanging`, { headers, signal: left.signal });
    await arrived.promise;
    left.abort();
    await expect(asking).rejects.toThrow('abort');
    const line = await shop.lineOfId('gone-client');
    const { code } = line['refused'] as { code: string };
    const body = { code, status: line['status'], type: `urn:gatehouse:problem:${code}` };
    const headersOf = { 'content-type': 'application/problem+json' };
    return {
      ...parseAnswer(''),
      status: Number(line['status']),
      headers: headersOf,
      json: <B>() => body as B,
    };
  },
  starting: async () => {
    const siblings = shop.gateway.gateway.app.get(Siblings);
    siblings.workforce = { serving: 1, wanted: 2, isComplete: false };
    return await shop.call('/health/ready').finally(() => (siblings.workforce = undefined));
  },
  'shutting-down': async () => {
    shop.gateway.gateway.app.get(Draining).active = true;
    const answer = await shop.call('/health/ready');
    shop.gateway.gateway.app.get(Draining).active = false;
    return answer;
  },
  internal: ask('/team/bug'),
};

/** Fields that an answer has to have by its status (RFC 9110). */
const REQUIRED: Readonly<Record<number, string>> = {
  401: 'www-authenticate',
  405: 'allow',
  426: 'upgrade',
  429: 'retry-after',
  503: 'retry-after',
};

/** Refusals whose end nobody can foretell. */
const NO_RETRY_AFTER: ReadonlySet<string> = new Set(['no-available-target', 'upstream-exhausted']);

const codes = Object.keys(catalogue) as ProblemCode[];

describe('the error catalogue', () => {
  it.each(codes)('is kept: %s', async (code) => {
    const answer = await PROVOCATIONS[code]();
    const { status, title } = catalogue[code];
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({ code, status, type: `urn:gatehouse:problem:${code}` });
    if (code === 'client-closed') return;
    expect(answer.json()).toMatchObject({
      title,
      instance: expect.stringMatching(/^urn:gatehouse:exchange:/),
    });
    const required = REQUIRED[status];
    if (required !== undefined && !NO_RETRY_AFTER.has(code)) expect(answer.headers).toHaveProperty(required);
    expect(answer.text).not.toMatch(/s3cret|127\.0\.0\.1|words of the service|at .*\.ts/);
  });

  it('knows no provocation of a code that is gone', () => {
    expect(Object.keys(PROVOCATIONS).sort()).toEqual([...codes].sort());
  });

  it('keeps what was unforeseen for the log', async () => {
    const answer = await shop.call('/team/bug');
    const [line] = await shop.gateway.linesWhere(
      (one) => one.msg === 'unforeseen fault' && one['id'] === answer.headers['x-request-id'],
    );
    expect(line).toMatchObject({
      err: { type: 'Error', stack: expect.stringMatching(/^ +at TeamController\.bug/) },
    });
    expect(JSON.stringify(line)).not.toContain('s3cret of the handler');
  });
});
