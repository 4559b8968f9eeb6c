import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { certificate } from '../../../test/support/certificates.ts';
import { TargetTls } from '../transport/target-tls.ts';
import { createProbe } from './create-probe.ts';
import { healthSchema, type ActiveOptions } from './health.schema.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { upstreamSchema } from '../upstream.schema.ts';

const closers: (() => void)[] = [];
const probes: Probe[] = [];

afterEach(() => {
  for (const probe of probes.splice(0)) probe.close();
});
afterAll(() => {
  for (const close of closers) close();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener): Promise<number> => listen(createServer(listener));

function probeOf(port: number, active: object, { secure = false, grpc = false, tls = {} } = {}): Probe {
  const url = `${grpc ? 'grpc' : 'http'}${secure ? 's' : ''}://127.0.0.1:${port}`;
  const options = upstreamSchema.parse({ protocol: grpc ? 'grpc' : 'http', targets: [url] });
  const socket = {
    host: '127.0.0.1',
    port,
    secure,
    tls: secure ? new TargetTls('127.0.0.1', { verify: true, ...tls }) : undefined,
    maxConnections: 1,
    connectTimeoutMs: 500,
    maxHeadBytes: 16_384,
  };
  const probe = createProbe(healthSchema.parse({ active }).active as ActiveOptions, {
    upstream: 'u',
    options,
    origin: url,
    host: `127.0.0.1:${port}`,
    socket,
  });
  probes.push(probe);
  return probe;
}

function ask(probe: Probe): Promise<ProbeResult> {
  return new Promise((resolve) => probe.ask(resolve));
}

const GOOD = { isGood: true };
const bad = (fault: string): object => ({ isGood: false, fault });

describe('a probe over HTTP', () => {
  it.each([
    [{ path: '/200' }, GOOD],
    [{ path: '/299' }, GOOD],
    [{ path: '/300' }, bad('status 300')],
    [{ path: '/503' }, bad('status 503')],
    [{ path: '/401', status: 401 }, GOOD],
    [{ path: '/404', status: ['200-299', 404] }, GOOD],
    [{ path: '/200', status: '300-399' }, bad('status 200')],
    [{ path: '/200', body: '"status":"UP"' }, GOOD],
    [{ path: '/200', body: 'DOWN' }, bad('the body is another one')],
    [{ path: '/503', body: '"status":"UP"' }, bad('status 503')],
    [{ path: '/200', method: 'HEAD' }, GOOD],
    [{ path: '/large' }, GOOD],
    [{ path: '/large', body: 'end' }, bad('the body exceeds 65536 bytes')],
    [{ path: '/reset' }, bad('reset')],
    [{ path: '/garbage' }, bad('invalid')],
  ])('%j', async (active, result) => {
    const port = await http(({ url = '' }, response) => {
      if (url === '/reset') return void response.socket?.resetAndDestroy();
      if (url === '/garbage') return void response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n');
      if (url === '/large') return void response.end(`${'x'.repeat(100_000)}end`);
      response.statusCode = Number(url.slice(1));
      response.end('{"status":"UP"}');
    });
    expect(await ask(probeOf(port, active))).toEqual(result);
  });

  it('says who asks, and what it is told to say', async () => {
    let heard: unknown;
    const port = await http((request, response) => {
      heard = [request.method, request.url, request.headers];
      response.end();
    });
    await ask(probeOf(port, { path: '/healthz?deep=1', headers: { authorization: 'Bearer x' } }));
    const headers = { host: `127.0.0.1:${port}`, 'user-agent': 'gatehouse', authorization: 'Bearer x' };
    expect(heard).toEqual(['GET', '/healthz?deep=1', expect.objectContaining(headers)]);
  });

  it('keeps its connection, until it is renewed', async () => {
    const server = createServer((_request, response) => response.end());
    let connections = 0;
    server.on('connection', () => (connections += 1));
    const probe = probeOf(await listen(server), { path: '/' });
    await ask(probe);
    await ask(probe);
    expect(connections).toBe(1);
    probe.renew();
    expect(await ask(probe)).toEqual(GOOD);
    expect(connections).toBe(2);
  });

  it('is given up while nobody answers', async () => {
    const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const port = await http((_request, response) => {
      response.once('close', () => left.resolve());
      asked.resolve();
    });
    const stop = probeOf(port, { path: '/' }).ask(() => {
      throw new Error('nobody has answered');
    });
    await asked.promise;
    stop();
    await left.promise;
  });

  it('goes over the TLS of the upstream', async () => {
    const ca = certificate({ name: 'ca', isAuthority: true });
    const own = certificate({ name: 'own', hosts: ['127.0.0.1'], by: ca });
    const server = createHttps({ cert: own.cert, key: own.key }, (_request, response) => response.end());
    const port = await listen(server);
    const trusted = { tls: { context: createSecureContext({ ca: ca.cert }) }, secure: true };
    expect(await ask(probeOf(port, { path: '/' }, trusted))).toEqual(GOOD);
    expect(await ask(probeOf(port, { tcp: true }, trusted))).toEqual(GOOD);
    expect(await ask(probeOf(port, { path: '/' }, { secure: true }))).toEqual(bad('unreachable'));
    expect(await ask(probeOf(port, { tcp: true }, { secure: true }))).toEqual(bad('unreachable'));
  });
});

describe('a probe over TCP', () => {
  it('opens a connection, says nothing, and closes it', async () => {
    const server = createTcp();
    const port = await listen(server);
    const connected = once(server, 'connection');
    expect(await ask(probeOf(port, { tcp: true }))).toEqual(GOOD);
    const [socket] = (await connected) as [Socket];
    let said = 0;
    socket.on('data', ({ length }: Buffer) => (said += length));
    await once(socket, 'close');
    expect(said).toBe(0);
  });

  it('finds nobody where nobody listens', async () => {
    const server = createTcp();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await ask(probeOf(port, { tcp: true }))).toEqual(bad('unreachable'));
  });
});

describe('a probe by the health protocol of gRPC', () => {
  let heard: [string | undefined, Buffer] | undefined;

  // A service by name: a serving status, or the status of gRPC.
  const ANSWERS: Readonly<Record<string, { readonly serving?: number; readonly status?: number }>> = {
    '': { serving: 1 },
    up: { serving: 1 },
    down: { serving: 2 },
    unknown: { serving: 0 },
    gone: { status: 5 },
    old: { status: 12 },
    busy: { status: 14 },
  };

  async function server(): Promise<number> {
    const http2 = createHttp2();
    http2.on('stream', (stream: ServerHttp2Stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const message = Buffer.concat(chunks).subarray(5);
        heard = [headers[':path'], message];
        const { serving, status = 0 } = ANSWERS[message.subarray(2).toString()] ?? {};
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
        if (serving === undefined) return stream.end();
        const bytes = serving === 0 ? [] : [0x08, serving];
        stream.end(Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]));
      });
    });
    return listen(http2 as unknown as Server);
  }

  it.each([
    [true, GOOD],
    ['up', GOOD],
    ['down', bad('NOT_SERVING')],
    ['unknown', bad('UNKNOWN')],
    ['gone', bad('the server knows no service "gone" to tell the health of')],
    ['old', { isGood: true, fault: expect.stringContaining('no grpc.health.v1.Health') }],
    ['busy', bad('UNAVAILABLE')],
  ])('%s', async (service, result) => {
    const probe = probeOf(await server(), { grpc: service }, { grpc: true });
    expect(await ask(probe)).toEqual(result);
    const name = service === true ? '' : String(service);
    const message = name === '' ? Buffer.of() : Buffer.from([0x0a, name.length, ...Buffer.from(name)]);
    expect(heard).toEqual(['/grpc.health.v1.Health/Check', message]);
  });

  it('finds nobody where HTTP/2 is not spoken', async () => {
    const port = await http((_request, response) => response.end());
    expect(await ask(probeOf(port, { grpc: true }, { grpc: true }))).toMatchObject({ isGood: false });
  });
});

describe('healthSchema', () => {
  it.each([
    [{ active: {} }, 'expected exactly one of path, tcp, grpc'],
    [{ active: { path: '/', tcp: true } }, 'not path and tcp'],
    [{ active: { path: 'healthz' } }, 'expected a path'],
    [{ active: { path: '/a b' } }, 'expected a path'],
    [{ active: { path: '/', status: 99 } }, ''],
    [{ active: { path: '/', status: '400-300' } }, 'expected the smaller status first'],
    [{ active: { path: '/', headers: { Host: 'x' } } }, 'expected no field that the gateway says'],
    [{ active: { path: '/', headers: { 'x-a': 'b\r\nc: d' } } }, 'expected a header field value'],
    [{ active: { path: '/', method: 'HEAD', body: 'x' } }, 'HEAD brings none'],
    [{ active: { path: '/', interval: '0s' } }, 'expected more than nothing'],
    [{ passive: { errorRate: '0%' } }, ''],
    [{ passive: { failures: 0 } }, ''],
    [{ passive: { latency: 1 } }, ''],
  ])('refuses %j', (options, message) => {
    const { success, error } = healthSchema.safeParse(options);
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  it.each([
    ['http', { grpc: true }, 'because the protocol is http'],
    ['grpc', { path: '/' }, 'because the protocol is grpc'],
  ])('refuses for %s %j', (protocol, active, message) => {
    const options = { protocol, targets: [`${protocol}://a:1`], health: { active } };
    expect(JSON.stringify(upstreamSchema.safeParse(options).error?.issues)).toContain(message);
  });
});
