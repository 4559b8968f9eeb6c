import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata, status, type Client, type StatusObject } from '@grpc/grpc-js';
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestGateway } from '../support/gateway.ts';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import { KindsServer } from '../support/kinds-server.ts';
import {
  asIs,
  decoded,
  encoded,
  grpcClient,
  metadataOf,
  PASS_KEY,
  startPassing,
  unary,
} from '../support/pass-gateway.ts';

const ROUTES = `
  - { id: closed, match: { path: /closed/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /closed, maxMessage: 1KiB },
      policies: { authentication: { schemes: [apiKey] }, authorization: { anyRole: [admin] } } }
  - { id: known, match: { path: /known/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /known, maxMessage: 1KiB },
      policies: { authentication: { schemes: [apiKey] } } }
  - { id: limited, match: { path: /limited/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /limited },
      policies: { authentication: public, rateLimit: [{ key: ip, rate: 1, per: 1h }] } }
  - { id: brief, match: { path: /brief/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /brief },
      policies: { authentication: public, deadline: 300ms } }
  - { id: away, match: { path: /away/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /away },
      policies: { authentication: public, ipAccess: { deny: [127.0.0.0/8] } } }
  - { id: small, match: { path: /small/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /small },
      policies: { authentication: public, bodyLimit: 100B } }
  - { id: dead, match: { path: /dead/test.v1.Kinds/* }, upstream: dead, passGrpc: { stripPrefix: /dead },
      policies: { authentication: public } }
  - { id: edited, match: { path: /edited/test.v1.Kinds/* }, upstream: kinds, passGrpc: { stripPrefix: /edited },
      policies: { authentication: public, transform: { request: { setHeaders: { x-set: here }, removeHeaders: [x-gone] }, perTarget: [{ labels: { track: canary }, request: { setHeaders: { X-Track: '{target.label.track}' } } }], response: { setHeaders: { x-edge: here }, removeHeaders: [x-secret] } } } }
`;

let service: KindsServer;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  service = await new KindsServer().start();
  const dead = `dead: { protocol: grpc, targets: ['grpc://127.0.0.1:1'], circuitBreaker: off }`;
  gateway = await startPassing({
    targets: [service.url],
    labels: { track: 'canary' },
    upstream: `circuitBreaker: off }\n  ${dead.slice(0, -2)}`,
    routes: ROUTES,
  });
  client = grpcClient(gateway.url);
});

beforeEach(() => service.reset());

afterAll(async () => {
  client.close();
  await gateway.stop();
  service.stop();
});

const tick = (number: number, note = ''): Buffer => encoded('Tick', { number: BigInt(number), note });

/** Waits until a number has stopped to grow. */
async function atRest(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); await sleep(300)) last = read();
}

/** All that a stream answers, and how it ended. */
async function collected(call: NodeJS.ReadableStream): Promise<{ pieces: Buffer[]; end: StatusObject }> {
  const pieces: Buffer[] = [];
  call.on('data', (bytes: Buffer) => pieces.push(bytes)).on('error', () => {});
  return { pieces, end: await ended(call) };
}

/** How a call ended; `once` of Node would throw for what is no OK. */
function ended(call: NodeJS.EventEmitter): Promise<StatusObject> {
  return new Promise((resolve) => call.once('status', resolve).on('error', () => {}));
}

describe('calls that are passed on', () => {
  it('pass one message each way, with metadata, trailers and status as they are', async () => {
    service.header = metadataOf({ 'x-first': 'a', 'x-first-bin': Buffer.from([0, 255]) });
    service.trailer = metadataOf({ 'x-last': 'b', 'x-last-bin': Buffer.from([1, 254]) });
    const got = await unary(client, {
      bytes: Buffer.from('hello'),
      fields: {
        'x-mine': 'c',
        'x-mine-bin': Buffer.from([2, 253]),
        'x-user-id': 'forged',
        'X-API-Key': PASS_KEY,
      },
    });
    expect(got).toMatchObject({ code: status.OK, bytes: Buffer.from('hello') });
    expect(got.head?.get('x-first')).toEqual(['a']);
    expect(got.head?.get('x-first-bin')).toEqual([Buffer.from([0, 255])]);
    expect(got.trailers.get('x-last')).toEqual(['b']);
    expect(got.trailers.get('x-last-bin')).toEqual([Buffer.from([1, 254])]);
    const heard = service.lastMetadata as Metadata;
    expect(heard.get('x-mine')).toEqual(['c']);
    expect(heard.get('x-mine-bin')).toEqual([Buffer.from([2, 253])]);
    expect(heard.get('x-user-id')).toEqual([]);
    expect(heard.get('x-api-key')).toEqual([]);
    expect(heard.get('x-request-id')).toHaveLength(1);
    expect(heard.get('x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('pass the status of the service as it is, also one that comes without a message', async () => {
    service.refusal = {
      code: status.NOT_FOUND,
      details: 'no such thing: 100% – ü',
      metadata: metadataOf({ 'x-why': 'y' }),
    };
    const got = await unary(client);
    expect(got).toMatchObject({ code: status.NOT_FOUND, details: 'no such thing: 100% – ü' });
    expect(got.trailers.get('x-why')).toEqual(['y']);
    const [line] = await gateway.linesWhere((one) => one['grpcStatus'] === 'NOT_FOUND');
    expect(line).toMatchObject({ route: 'calls', status: 200, upstream: 'kinds' });
  });

  it('pass a stream of answers, and the status that it breaks off with', async () => {
    const ask = (fields: object) =>
      client.makeServerStreamRequest('/test.v1.Kinds/Count', asIs, asIs, encoded('CountRequest', fields));
    const whole = await collected(ask({ to: 100 }));
    expect(whole.pieces.map((one) => Number(decoded('Tick', one)['number']))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(whole.end.code).toBe(status.OK);
    service.refusal = { code: status.DATA_LOSS, details: 'gone' };
    const broken = await collected(ask({ to: 10, failAfter: 3 }));
    expect(broken.pieces).toHaveLength(3);
    expect(broken.end).toMatchObject({ code: status.DATA_LOSS, details: 'gone' });
  });

  it('pass a stream of requests, at the pace of the service', async () => {
    let free: () => void = () => {};
    service.hold = new Promise((resolve) => (free = resolve));
    let answer: Buffer | undefined;
    const call = client.makeClientStreamRequest(
      '/test.v1.Kinds/Sum',
      asIs,
      asIs,
      (_error, value?: Buffer) => (answer = value),
    );
    const note = 'x'.repeat(64 * 1024);
    let written = 0;
    const total = 400;
    // Much more than all windows on the way together: whoever held it all would take it all.
    const writing = (async () => {
      for (; written < total; written += 1) if (!call.write(tick(1, note))) await once(call, 'drain');
      call.end();
    })();
    const over = ended(call);
    await atRest(() => written);
    expect(written).toBeLessThan(total / 2);
    free();
    await writing;
    await over;
    expect(decoded('CountRequest', answer as Buffer)).toMatchObject({ to: total, padding: total });
  });

  it('pass a conversation, one message after the other', async () => {
    const call = client.makeBidiStreamRequest('/test.v1.Kinds/Chat', asIs, asIs);
    const heard: number[] = [];
    for (const number of [1, 2, 3]) {
      call.write(tick(number));
      const [bytes] = (await once(call, 'data')) as [Buffer];
      heard.push(Number(decoded('Tick', bytes)['number']));
    }
    call.on('data', () => {});
    call.end();
    const end = await ended(call);
    expect(heard).toEqual([2, 4, 6]);
    expect(end.code).toBe(status.OK);
  });

  it('hold the service back while the client reads slowly', async () => {
    // Not by grpc-js, which takes many megabytes before it says that it is slow.
    const session = connect(gateway.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.v1.Kinds/Count',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(framed(encoded('CountRequest', { to: 1000, padding: 16_384 })));
    await once(stream, 'response');
    await atRest(() => service.written);
    expect(service.written).toBeLessThan(500);
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const [trailers] = (await once(stream, 'trailers')) as [IncomingHttpHeaders];
    expect(trailers['grpc-status']).toBe('0');
    expect(bytes).toBeGreaterThan(1000 * 16_384);
    session.close();
  }, 20_000);

  it('cancel the call at the service when the client cancels', async () => {
    service.hold = new Promise(() => {});
    const call = client.makeServerStreamRequest(
      '/test.v1.Kinds/Count',
      asIs,
      asIs,
      encoded('CountRequest', { to: 10 }),
    );
    call.on('error', () => {});
    await once(call, 'data');
    call.cancel();
    for (let waited = 0; service.cancelled === 0 && waited < 10_000; waited += 10) await sleep(10);
    expect(service.cancelled).toBe(1);
    const [line] = await gateway.linesWhere(
      (one) => one['path'] === '/test.v1.Kinds/Count' && one['status'] === 499,
    );
    expect(line).toMatchObject({ refused: { code: 'client-closed' } });
  });
});

describe('deadlines', () => {
  it('travel on, shortened by that of the route', async () => {
    await unary(client, { timeoutMs: 60_000 });
    expect(service.remainingMs).toBeLessThanOrEqual(60_000);
    expect(service.remainingMs).toBeGreaterThan(30_000);
    await unary(client, { path: '/brief/test.v1.Kinds/Echo', timeoutMs: 60_000 });
    expect(service.remainingMs).toBeLessThanOrEqual(300);
    await unary(client, { path: '/brief/test.v1.Kinds/Echo' });
    expect(service.remainingMs).toBeLessThanOrEqual(300);
    await unary(client, { path: '/brief/test.v1.Kinds/Echo', timeoutMs: 250 });
    expect(service.remainingMs).toBeLessThanOrEqual(250);
    // What holds where nobody has said anything bounds the time until an answer opens, and no stream.
    await unary(client);
    expect(service.remainingMs).toBe(Infinity);
  });

  it('end a call with DEADLINE_EXCEEDED, before its answer and within it', async () => {
    service.hold = new Promise(() => {});
    expect(await unary(client, { path: '/brief/test.v1.Kinds/Echo' })).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    const call = client.makeServerStreamRequest(
      '/brief/test.v1.Kinds/Count',
      asIs,
      asIs,
      encoded('CountRequest', { to: 10 }),
    );
    const { pieces, end } = await collected(call);
    expect(pieces).toHaveLength(1);
    expect(end.code).toBe(status.DEADLINE_EXCEEDED);
    for (let waited = 0; service.cancelled < 2 && waited < 10_000; waited += 10) await sleep(10);
    expect(service.cancelled).toBe(2);
  });
});

describe('refusals of ours', () => {
  const big = Buffer.alloc(1025);
  it.each([
    ['no credential', '/closed', {}, undefined, status.UNAUTHENTICATED],
    ['a wrong credential', '/closed', { 'x-api-key': 'no' }, undefined, status.UNAUTHENTICATED],
    ['no role', '/closed', { 'x-api-key': PASS_KEY }, undefined, status.PERMISSION_DENIED],
    ['a message that is too large', '/known', { 'x-api-key': PASS_KEY }, big, status.RESOURCE_EXHAUSTED],
    ['more than the body may be', '/small', {}, big, status.RESOURCE_EXHAUSTED],
    ['an address that is kept out', '/away', {}, undefined, status.PERMISSION_DENIED],
    ['a target that is not there', '/dead', {}, undefined, status.UNAVAILABLE],
    ['a route that is not there', '/nobody', {}, undefined, status.UNIMPLEMENTED],
    ['an encoded slash', '/a%2Fb', {}, undefined, status.INVALID_ARGUMENT],
    ['a timeout that is none', '', { 'grpc-timeout': 'soon' }, undefined, status.INVALID_ARGUMENT],
  ])('%s', async (_what, prefix, fields, bytes, code) => {
    const got = await unary(client, {
      path: `${prefix}/test.v1.Kinds/Echo`,
      fields,
      ...(bytes && { bytes }),
    });
    expect(got.code).toBe(code);
    expect(got.details).not.toBe('');
    expect(got.trailers.get('x-request-id')).toHaveLength(1);
    expect(service.calls).toBe(0);
  });

  it('a limit that is used up, with the time to wait', async () => {
    const path = '/limited/test.v1.Kinds/Echo';
    expect((await unary(client, { path })).code).toBe(status.OK);
    const got = await unary(client, { path });
    expect(got.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(got.trailers.get('retry-after')).toHaveLength(1);
    expect(service.calls).toBe(1);
  });

  it('are counted by their status', async () => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/gatehouse_grpc_calls_total\{route="calls",status="NOT_FOUND"\} \d/);
    expect(metrics).toMatch(/gatehouse_grpc_calls_total\{route="known",status="RESOURCE_EXHAUSTED"\} 1/);
  });
});

describe('policies on calls', () => {
  it('edit what is said before messages, and take what is not to be said out of trailers, too', async () => {
    service.trailer = metadataOf({ 'x-secret': 'b', 'x-last': 'c' });
    const got = await unary(client, { path: '/edited/test.v1.Kinds/Echo', fields: { 'x-gone': 'a' } });
    expect(got.code).toBe(status.OK);
    expect(got.head?.get('x-edge')).toEqual(['here']);
    expect(got.trailers.get('x-secret')).toEqual([]);
    expect(got.trailers.get('x-last')).toEqual(['c']);
    expect(service.lastMetadata?.get('x-set')).toEqual(['here']);
    expect(service.lastMetadata?.get('x-track')).toEqual(['canary']);
    expect(service.lastMetadata?.get('x-gone')).toEqual([]);
  });

  it('tell the service who calls', async () => {
    await unary(client, { path: '/known/test.v1.Kinds/Echo', fields: { 'x-api-key': PASS_KEY } });
    expect(service.lastMetadata?.get('x-client-id')).toEqual(['app']);
  });
});
