import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { z } from 'zod';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { exchangeFor, until } from './grpc/call.fixture.ts';
import { GrpcCaller } from './grpc/grpc-caller.ts';
import { StreamRun, type StreamRunOptions } from './grpc/stream-run.ts';
import { SingleMessage } from './grpc/single-message.ts';
import { MessageStream } from './grpc/message-stream.ts';
import { metadataOf, outboundFields } from './grpc/outbound-metadata.ts';
import { framed } from './grpc/unary-wire.ts';
import { HttpCaller } from './http/http-caller.ts';
import { Lease } from './lease.ts';
import type { Target } from './target.ts';
import type { UpstreamTls } from './tls-files.ts';
import { UpstreamRegistry } from './upstream-registry.ts';
import { upstreamSchema, type TargetOptions } from './upstream.schema.ts';

type Options = Readonly<Record<string, z.input<typeof upstreamSchema>>>;

let metrics: Metrics;
let made: UpstreamRegistry[];
let sockets: Set<Socket>;
let server: Server;
let held: (() => void)[];

beforeEach(async () => {
  metrics = new Metrics();
  made = [];
  held = [];
  sockets = new Set();
  server = createServer((request, response) => {
    const answer = (): void => void response.setHeader('content-type', 'application/json').end('{}');
    if (request.url === '/held') held.push(answer);
    else answer();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  await Promise.all(made.map((one) => one.close()));
  server.closeAllConnections();
  server.close();
});

function registryOf(
  options: Options,
  previous?: UpstreamRegistry,
  tls?: ReadonlyMap<string, UpstreamTls>,
): UpstreamRegistry {
  const parsed = Object.entries(options).map(([name, one]) => [name, upstreamSchema.parse(one)]);
  const logger = createLogger('silent', { write() {} });
  const registry = new UpstreamRegistry(
    Object.fromEntries(parsed),
    logger,
    metrics,
    previous,
    tls && { tls, folder: '.' },
  );
  made.push(registry);
  return registry;
}

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const targetsOf = (registry: UpstreamRegistry, name = 'users'): readonly Target[] =>
  registry.get(name).targets;
const firstOf = (registry: UpstreamRegistry): Target => targetsOf(registry)[0] as Target;

function replace(previous: UpstreamRegistry, options: Options): UpstreamRegistry {
  const next = registryOf(options, previous);
  next.activate();
  previous.release();
  return next;
}

const breakerSeries = async (): Promise<readonly string[]> => {
  const text = await metrics.registry.getSingleMetricAsString('gatehouse_breaker_state');
  return text.split('\n').filter((line) => !line.startsWith('#') && line !== '');
};

describe('UpstreamRegistry, made from a predecessor', () => {
  it('goes on with the whole of an upstream that did not change', () => {
    const first = registryOf({ users: { targets: [url()] } });
    expect(replace(first, { users: { targets: [url()] } }).get('users')).toBe(first.get('users'));
  });

  it.each([
    ['balancing', { balancing: 'leastRequests' as const }],
    ['retries', { retry: { attempts: 3 } }],
    ['passed fields', { passHeaders: ['x-http-method-override'] }],
  ])('keeps a target when only %s of its upstream change', (_what, change) => {
    const first = registryOf({ users: { targets: [url()] } });
    const next = replace(first, { users: { targets: [url()], ...change } });
    expect(firstOf(next)).toBe(firstOf(first));
    expect(next.get('users')).not.toBe(first.get('users'));
  });

  it.each([
    ['time limits', { timeouts: { firstByte: '1s' } }],
    ['most connections', { maxConnections: 7 }],
    ['its breaker', { circuitBreaker: 'off' as const }],
  ])('makes another target when %s change', (_what, change) => {
    const first = registryOf({ users: { targets: [url()] } });
    expect(firstOf(replace(first, { users: { targets: [url()], ...change } }))).not.toBe(firstOf(first));
  });

  it('makes another target when a file of its TLS says something else, and leaves others alone', () => {
    const tls = (users: string) =>
      new Map([
        ['users', { verify: true, digest: users }],
        ['feed', { verify: true, digest: 'c' }],
      ]);
    const options = { users: { targets: ['https://a.test'] }, feed: { targets: ['https://b.test'] } };
    const first = registryOf(options, undefined, tls('a'));
    const same = registryOf(options, first, tls('a'));
    expect([same.get('users'), same.get('feed')]).toEqual([first.get('users'), first.get('feed')]);
    const next = registryOf(options, first, tls('b'));
    expect(firstOf(next)).not.toBe(firstOf(first));
    expect(next.get('feed')).toBe(first.get('feed'));
  });

  it('takes weight and labels over, but not before it is in force', () => {
    const first = registryOf({ users: { targets: [{ url: url() }] } });
    const next = registryOf({ users: { targets: [{ url: url(), weight: 5, labels: { a: 'b' } }] } }, first);
    expect(firstOf(next)).toMatchObject({ weight: 1, labels: {} });
    next.activate();
    expect(firstOf(next)).toBe(firstOf(first));
    expect(firstOf(next)).toMatchObject({ weight: 5, labels: { a: 'b' } });
  });

  it('keeps an open breaker open', () => {
    const options = { targets: [url()], circuitBreaker: { consecutiveFailures: 2 } };
    const first = registryOf({ users: options });
    for (let i = 0; i < 2; i += 1) new Lease(firstOf(first)).release('failure');
    const next = replace(first, { users: { ...options, retry: { attempts: 3 } } });
    expect(firstOf(next).available).toBe(false);
  });

  it.each([
    ['goes on with', { retry: { attempts: 3 } }, 0],
    ['makes another', { retry: { budget: '30%' } }, 3],
  ])('%s budget of retries when %j changes', (_what, change, retries) => {
    const first = registryOf({ users: { targets: [url()] } });
    for (let i = 0; i < 3; i += 1) first.get('users').retryBudget.spend(0);
    const { retryBudget } = replace(first, { users: { targets: [url()], ...change } }).get('users');
    const left = Array.from({ length: 5 }, () => retryBudget.spend(0)).filter(Boolean);
    expect(left).toHaveLength(retries);
  });

  it('keeps two targets of one address apart', () => {
    const first = registryOf({ users: { targets: [url(), url()] } });
    const next = replace(first, { users: { targets: [url(), url()], balancing: 'leastRequests' } });
    expect(new Set(targetsOf(next)).size).toBe(2);
  });

  it('leaves everything to the predecessor when it is given up', async () => {
    const first = registryOf({ users: { targets: [url()] } });
    registryOf(
      { users: { targets: [url(), `${url()}0`.slice(0, -1), 'http://127.0.0.1:9'] } },
      first,
    ).release();
    await new Promise(setImmediate);
    expect(firstOf(first).isLeaving).toBe(false);
    expect(await breakerSeries()).toHaveLength(1);
  });
});

describe('an upstream whose targets are replaced', () => {
  const wanted = (where: string, rest: Partial<TargetOptions> = {}): TargetOptions => ({
    url: where,
    weight: 1,
    labels: {},
    priority: 0,
    ...rest,
  });

  it('keeps those that stay with all they have, and takes over what is said of them', () => {
    const upstream = registryOf({ users: { targets: ['http://127.0.0.1:9', url()] } }).get('users');
    const [gone, stays] = upstream.targets;
    const before = upstream.targets;
    new Lease(stays as Target);
    const said = { weight: 5, labels: { track: 'canary' }, zone: 'a', priority: 2 };
    upstream.replace([wanted('http://127.0.0.1:10'), wanted(url(), said)]);
    expect(upstream.targets.map(({ host }) => host)).toEqual(['127.0.0.1:10', stays?.host]);
    expect(upstream.targets[1]).toBe(stays);
    expect(stays).toMatchObject({ ...said, inFlight: 1, isLeaving: false });
    expect(gone).toMatchObject({ isLeaving: true });
    expect(before).toEqual([gone, stays]);
  });

  it('lets those that are gone finish their calls, and then closes their connections', async () => {
    const upstream = registryOf({ users: { targets: [url()] } }).get('users');
    const exchange = exchangeFor();
    const limits = { exchange, timeoutMs: Infinity };
    const call = new HttpCaller(metrics).json(upstream, { method: 'GET', path: '/held' }, limits);
    await until(() => held.length === 1);
    upstream.replace([wanted('http://127.0.0.1:9')]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sockets.size).toBe(1);
    held.forEach((answer) => answer());
    await expect(call).resolves.toEqual({});
    await until(() => sockets.size === 0);
    expect(await breakerSeries()).toEqual([expect.stringContaining('127.0.0.1:9')]);
  });

  it('says at once that there is no target when there is none', () => {
    const upstream = registryOf({ users: { targets: [url()] } }).get('users');
    upstream.replace([]);
    expect(upstream.refusal()).toBeUndefined();
    expect(upstream.hasFresh([])).toBe(false);
    expect(() => upstream.lease(undefined)).toThrow(
      expect.objectContaining({ code: 'no-available-target', status: 503, headers: { 'retry-after': '1' } }),
    );
  });

  it('lets go of what it has, not of what it had, when its last configuration ends', async () => {
    const first = registryOf({ users: { targets: [url()] } });
    const second = registryOf({ users: { targets: [url()] } }, first);
    const upstream = second.get('users');
    expect(upstream).toBe(first.get('users'));
    upstream.replace([wanted('http://127.0.0.1:9')]);
    first.release();
    expect(upstream.targets[0]).toMatchObject({ isLeaving: false });
    second.release();
    expect(upstream.targets[0]).toMatchObject({ isLeaving: true });
    upstream.replace([wanted(url())]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await breakerSeries()).toEqual([]);
  });
});

describe('a target that left', () => {
  it('keeps its connections until its last call has its answer, and then has none', async () => {
    const http = new HttpCaller(metrics);
    const first = registryOf({ users: { targets: [url()] } });
    const exchange = exchangeFor();
    const call = http.json(
      first.get('users'),
      { method: 'GET', path: '/held' },
      { exchange, timeoutMs: Infinity },
    );
    await until(() => held.length === 1);
    replace(first, {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sockets.size).toBe(1);
    held.forEach((answer) => answer());
    await expect(call).resolves.toEqual({});
    await until(() => sockets.size === 0);
    expect(await breakerSeries()).toEqual([]);
  });

  it('closes idle connections at once', async () => {
    const first = registryOf({ users: { targets: [url()] } });
    const limits = { exchange: exchangeFor(), timeoutMs: Infinity };
    await new HttpCaller(metrics).json(first.get('users'), { method: 'GET', path: '/' }, limits);
    expect(sockets.size).toBe(1);
    replace(first, {});
    await until(() => sockets.size === 0);
  });

  it('has no breaker that moves on', async () => {
    const options = { targets: [url()], circuitBreaker: { consecutiveFailures: 2, openFor: '20ms' } };
    const first = registryOf({ users: options });
    for (let i = 0; i < 2; i += 1) new Lease(firstOf(first)).release('failure');
    replace(first, {});
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await breakerSeries()).toEqual([]);
  });

  it('shows the state of the breaker that took its place', async () => {
    const first = registryOf({ users: { targets: [url()] } });
    replace(first, { users: { targets: [url()], maxConnections: 7 } });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(await breakerSeries()).toHaveLength(1);
  });
});

describe('a gRPC target that left', () => {
  let service: Http2Server;
  let streams: ServerHttp2Stream[];
  let sessions: number;

  beforeEach(async () => {
    streams = [];
    sessions = 0;
    service = createHttp2Server();
    service.on('session', (session) => {
      sessions += 1;
      session.once('close', () => (sessions -= 1));
    });
    service.on('stream', (stream: ServerHttp2Stream) => {
      streams.push(stream);
      stream
        .on('error', () => undefined)
        .on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.write(framed(Buffer.from('first')));
      stream.resume();
    });
    await once(service.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => void service.close());

  it('keeps its channel until its last stream has ended, and then has none', async () => {
    const { port } = service.address() as AddressInfo;
    const first = registryOf({ users: { protocol: 'grpc', targets: [`grpc://127.0.0.1:${port}`] } });
    const grpc = new GrpcCaller(metrics);
    const exchange = exchangeFor();
    const stream = new MessageStream<string>({
      decode: String,
      call: (taker) => {
        const options: StreamRunOptions = {
          exchange,
          upstream: first.get('users'),
          path: '/a.B/C',
          idempotent: true,
          idleMs: Infinity,
          metadata: metadataOf(outboundFields(exchange, undefined)),
          channels: grpc.channels,
          metrics,
          patient: true,
        };
        return new StreamRun(options, new SingleMessage(Buffer.alloc(0)), taker);
      },
    });
    await expect(stream.next()).resolves.toEqual({ done: false, value: 'first' });
    replace(first, {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sessions).toBe(1);
    streams.forEach((one) => one.end());
    await expect(stream.next()).resolves.toEqual({ done: true, value: undefined });
    await until(() => sessions === 0);
  });
});
