import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { certificate, type Certificate } from '../support/certificates.ts';
import { reload } from '../support/reload.ts';
import { API_KEY, shopConfig, useShop, type ShopOptions } from '../support/shop.ts';
import { echo, type Echo } from '../support/upstream.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-listeners-'));
const ca = certificate({ name: 'authority', isAuthority: true });
const strangers = certificate({ name: 'strangers', isAuthority: true });
const known = certificate({ name: 'known-client', by: ca });
const stranger = certificate({ name: 'stranger', by: strangers });

function write(name: string, { cert, key }: Certificate): { cert: string; key: string } {
  const place = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(place.cert, cert);
  writeFileSync(place.key, key);
  return place;
}

const caFile = write('ca', ca).cert;
const own = (name: string, ...hosts: string[]): Certificate => certificate({ name, hosts, by: ca });
const first = write('first', own('first', 'localhost', '127.0.0.1'));
const exact = write('exact', own('exact', 'api.shop.test'));
const wild = write('wild', own('wild', '*.shop.test'));
const tls = { certificates: [first, exact, wild] };

const listeners = [
  { port: 0, redirectToHttps: true },
  { port: 0, tls: { ...tls, clientCertificates: { ca: caFile, mode: 'optional' } } },
  { port: 0, http2: true, limits: { requestsPerConnection: 2, bodyTime: '100ms' } },
  { port: 0, proxyProtocol: { from: ['loopback'], timeout: '100ms' }, tls },
  { port: 0, tls: { ...tls, minVersion: 'TLSv1.3', clientCertificates: { ca: caFile } } },
  { port: 0, limits: { headerTime: '300ms', connectionsPerAddress: 2 }, redirectToHttps: 443 },
];
const [PLAIN, SECURE, H2C, PROXY, MUTUAL, NARROW] = [0, 1, 2, 3, 4, 5] as const;

const open = { authentication: 'public', securityHeaders: { hsts: { includeSubDomains: true } } };
const options: ShopOptions = {
  more: { listeners },
  policies: { securityHeaders: {} },
  routes: [
    { id: 'open', match: { path: '/open/*' }, upstream: 'echo', policies: open },
    { id: 'closed', match: { path: '/closed' }, upstream: 'echo' },
    { id: 'late', match: { path: '/late' }, upstream: 'echo', policies: { ...open, deadline: '50ms' } },
  ],
};
const holder = useShop(options);
const at = (index: number): string => holder.shop.gateway.gateway.urls[index] as string;
const portOf = (index: number): number => Number(new URL(at(index)).port);

interface Heard {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

const sessions: ClientHttp2Session[] = [];
afterAll(() => {
  for (const session of sessions) session.destroy();
  rmSync(folder, { recursive: true });
});

function http2(index: number, more: ConnectionOptions = {}): ClientHttp2Session {
  const session = connectHttp2(at(index), { ca: ca.cert, ...more });
  session.on('error', () => {});
  sessions.push(session);
  return session;
}

async function heard(stream: ClientHttp2Stream): Promise<Heard> {
  let [headers, trailers, text] = [{}, {}, ''];
  stream.on('response', (fields) => (headers = fields));
  stream.on('trailers', (fields) => (trailers = fields));
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(stream, 'close');
  return { headers, trailers, text };
}

function ask(session: ClientHttp2Session, fields: OutgoingHttpHeaders, body?: string): Promise<Heard> {
  const stream = session.request(fields, { endStream: body === undefined });
  stream.on('error', () => {});
  if (body !== undefined) stream.end(body);
  return heard(stream);
}

const curl = async (...given: string[]): Promise<string> =>
  (await run('curl', ['-sS', '-m', '5', '--cacert', caFile, '-i', ...given])).stdout;

function handshake(index: number, more: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port: portOf(index), host: '127.0.0.1', ca: ca.cert, ...more });
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
}

/** What a connection says until it ends. */
async function said(index: number, bytes: string | Buffer): Promise<string> {
  const socket = connectTcp(portOf(index), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

describe('curl', () => {
  it.each<[string, string[], number, string]>([
    ['HTTP/1.1 over TLS', ['--http1.1'], SECURE, 'HTTP/1.1 200'],
    ['HTTP/2 over TLS', ['--http2'], SECURE, 'HTTP/2 200'],
    ['HTTP/2 without TLS', ['--http2-prior-knowledge'], H2C, 'HTTP/2 200'],
    ['HTTP/1.1 where HTTP/2 is offered for an upgrade', ['--http2'], H2C, 'HTTP/1.1 200'],
    ['HTTP/2 behind a proxy that says who asks', ['--http2', '--haproxy-protocol'], PROXY, 'HTTP/2 200'],
    ['a body', ['--http2', '-d', 'x'.repeat(100_000)], SECURE, 'HTTP/2 200'],
  ])('speaks %s', async (_, flags, index, status) => {
    const answer = await curl(...flags, `${at(index)}/open/a?b=c`);
    expect(answer.slice(0, status.length)).toBe(status);
    expect(answer).toMatch(/^x-request-id: /im);
    if (status.startsWith('HTTP/2'))
      expect(answer).not.toMatch(/^(connection|keep-alive|transfer-encoding):/im);
  });
});

describe('a request over HTTP/2', () => {
  it.each([0, 5, 20_000, 100_000])('brings a body of %d bytes as the first of its connection', async (size) => {
    const body = 'x'.repeat(size);
    const { headers, text } = await ask(http2(H2C), { ':method': 'POST', ':path': '/open/a' }, body);
    expect([headers[':status'], (JSON.parse(text) as Echo).body.length]).toEqual([200, size]);
  }); // prettier-ignore

  it('reaches the service as one over HTTP/1.1 would, with one host and one Cookie', async () => {
    const session = http2(SECURE);
    const { headers, text } = await ask(
      session,
      { ':method': 'POST', ':path': '/open/a?b=c', cookie: ['a=1', 'b=2'], te: 'trailers', 'x-a': '1' },
      'hello',
    );
    const seen = JSON.parse(text) as Echo;
    expect([headers[':status'], seen.method, seen.url, seen.body]).toEqual([
      200,
      'POST',
      '/open/a?b=c',
      'hello',
    ]);
    const { host } = new URL(at(SECURE));
    expect(seen.headers).toMatchObject({
      cookie: 'a=1; b=2',
      'x-forwarded-host': host,
      'x-forwarded-proto': 'https',
    });
    expect(Object.keys(seen.headers).filter((name) => name.startsWith(':'))).toEqual([]);
  });

  it.each(['GET', 'HEAD', 'POST'])('by %s leaves a line that is not cut', async (method) => {
    const session = http2(SECURE);
    for (let turn = 0; turn < 10; turn += 1) {
      const fields = { ':method': method, ':path': '/open/a' };
      const { headers } = await ask(session, fields, method === 'POST' ? 'hello' : undefined);
      const line = await holder.shop.lineOfId(String(headers['x-request-id']));
      expect([line['status'], line['cut']]).toEqual([200, undefined]);
    }
  });

  it('has trailers both ways', async () => {
    const trailers: unknown[] = [];
    holder.shop.echo.listener = (request, response) => {
      request.resume().on('end', () => {
        trailers.push(request.trailers);
        response.writeHead(200, { trailer: 'x-after' });
        response.write('body');
        response.addTrailers({ 'x-after': '1' });
        response.end();
      });
    };
    // Of a route that edits no heads: what does could not see to what comes after them.
    const stream = http2(H2C).request(
      { ':method': 'POST', ':path': '/closed', 'x-api-key': API_KEY },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-before': '2' }));
    stream.end('hello');
    const answer = await heard(stream);
    holder.shop.echo.listener = echo;
    expect(answer.text).toBe('body');
    expect(trailers).toEqual([{ 'x-before': '2' }]);
  });

  it('is refused with the same problems, each with its access line', async () => {
    const session = http2(SECURE);
    const paths = { '/closed': 401, '/nowhere': 404, '/api/v1/orders': 401, '/open/%2e%2e/x': 400 };
    for (const [path, status] of Object.entries(paths)) {
      const { headers, text } = await ask(session, { ':path': path });
      expect([path, headers[':status'], headers['content-type']]).toEqual([
        path,
        status,
        'application/problem+json',
      ]);
      const line = await holder.shop.lineOfId(String(headers['x-request-id']));
      expect([line['status'], line['bytes']]).toEqual([status, Buffer.byteLength(text)]);
    }
  });

  it('is answered by handlers and GraphQL as well', async () => {
    const session = http2(SECURE);
    const graphql = {
      ':method': 'POST',
      ':path': '/graphql',
      'content-type': 'application/json',
      'x-api-key': API_KEY,
    };
    const answer = await ask(session, graphql, JSON.stringify({ query: '{ __typename }' }));
    expect(JSON.parse(answer.text)).toEqual({ data: { __typename: 'Query' } });
    const body = JSON.stringify({ query: '{ __typename }' });
    const events = await ask(session, { ...graphql, accept: 'text/event-stream' }, body);
    expect(events.headers['content-type']).toContain('text/event-stream');
    expect(events.text).toContain('event: complete');
  });

  it('that its client gives up ends at the service, and is one of 499', async () => {
    let gone: Promise<unknown> | undefined;
    holder.shop.echo.listener = (request, response) => {
      gone = once(request.socket, 'close');
      response.writeHead(200).write('a');
    };
    const stream = http2(SECURE).request({ ':path': '/open/slow' });
    stream.on('error', () => {});
    const [fields] = (await once(stream, 'response')) as [Record<string, string>];
    stream.close(constants.NGHTTP2_CANCEL);
    await gone;
    holder.shop.echo.listener = echo;
    const line = await holder.shop.lineOfId(String(fields['x-request-id']));
    expect(line).toMatchObject({ status: 499, cut: true });
  });

  it('is held back while its client takes nothing, and others on the connection are not', async () => {
    const piece = Buffer.alloc(64 * 1024);
    let sent = 0;
    holder.shop.echo.listener = (request, response) => {
      if (request.url !== '/open/endless') return echo(request, response);
      const more = (): void => {
        while (!response.destroyed) {
          sent += piece.length;
          if (!response.write(piece)) return void response.once('drain', more);
        }
      };
      more();
    };
    const session = http2(SECURE);
    const stream = session.request({ ':path': '/open/endless' });
    stream.on('error', () => {});
    await once(stream, 'response');
    const other = await ask(session, { ':path': '/open/other' });
    expect(other.headers[':status']).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(sent).toBeLessThan(16 * 1024 * 1024);
    stream.close(constants.NGHTTP2_CANCEL);
    holder.shop.echo.listener = echo;
  });

  it('ends its connection after as many as the listener allows; nothing is lost', async () => {
    const session = http2(H2C);
    const both = await Promise.all([
      ask(session, { ':path': '/open/1' }),
      ask(session, { ':path': '/open/2' }),
    ]);
    expect(both.map(({ headers }) => headers[':status'])).toEqual([200, 200]);
    if (!session.destroyed) await once(session, 'close');
  });
});

describe('a certificate', () => {
  const nameOf = async (servername: string): Promise<unknown> => {
    const socket = await handshake(SECURE, { servername, checkServerIdentity: () => undefined });
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };

  it.each([
    ['api.shop.test', 'exact'],
    ['API.Shop.Test', 'exact'],
    ['www.shop.test', 'wild'],
    ['a.b.shop.test', 'first'],
    ['elsewhere.test', 'first'],
    ['', 'first'],
  ])('for %j is the one named %s', async (servername, name) => expect(await nameOf(servername)).toBe(name));

  it('is replaced without ending a connection, as soon as its file is', async () => {
    const session = http2(SECURE);
    await ask(session, { ':path': '/open/before' });
    write('exact', own('renewed', 'api.shop.test'));
    await reload(holder.shop.gateway, configNow());
    expect(await nameOf('api.shop.test')).toBe('renewed');
    const { headers } = await ask(session, { ':path': '/open/after' });
    expect([headers[':status'], session.destroyed]).toEqual([200, false]);
  });

  it('that is not good keeps the last one in force', async () => {
    writeFileSync(exact.key, own('other').key);
    const { outcome, faults } = await reload(holder.shop.gateway, configNow());
    expect([outcome, faults[0]?.key, faults[0]?.message]).toEqual([
      'faulty',
      'listeners[1].tls.certificates[1].key',
      expect.stringContaining('is not the one of the first certificate'),
    ]);
    expect(await nameOf('api.shop.test')).toBe('renewed');
    write('exact', own('renewed', 'api.shop.test'));
  });
});

describe('a request for a host that its connection was not opened for', () => {
  it.each<[string, string, string, number]>([
    ['that has a certificate of its own', 'localhost', 'api.shop.test', 421],
    ['that has one, whatever its port', 'localhost', 'www.shop.test:8443', 421],
    ['that the certificate is for', 'api.shop.test', 'API.shop.test', 200],
    ['that a wildcard is for, though another one is nearer', 'www.shop.test', 'api.shop.test', 200],
    ['that the first certificate is for', 'api.shop.test', 'localhost', 421],
    ['that no certificate is for', 'localhost', 'elsewhere.test', 200],
    ['that is an address', 'api.shop.test', '127.0.0.1', 200],
  ])('%s, %s shown for %s, is answered with %i', async (_, servername, authority, status) => {
    const session = http2(SECURE, { servername, checkServerIdentity: () => undefined });
    const { headers, text } = await ask(session, { ':path': '/open/a', ':authority': authority });
    expect(headers[':status']).toBe(status);
    const line = await holder.shop.lineOfId(String(headers['x-request-id']));
    if (status === 421) {
      expect(JSON.parse(text)).toMatchObject({ code: 'misdirected-request' });
      expect(line).toMatchObject({ status, refused: { stage: 'open', code: 'misdirected-request' } });
    }
    const next = await ask(session, { ':path': '/open/a', ':authority': servername });
    expect(next.headers[':status']).toBe(200);
  });

  it('is answered over HTTP/1.1, where clients keep no connection for other hosts', async () => {
    const answer = await curl('--http1.1', '-H', 'Host: api.shop.test', `${at(SECURE)}/open/a`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('TLS', () => {
  it.each<[string, number, ConnectionOptions]>([
    ['of a version that is too old', MUTUAL, { maxVersion: 'TLSv1.2', cert: known.cert, key: known.key }],
    [
      'of version 1.1',
      SECURE,
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    ],
    ['with a cipher without ephemeral keys', SECURE, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
    ['with a cipher in CBC', SECURE, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }],
    ['with nothing that is spoken here', SECURE, { ALPNProtocols: ['spdy/3'] }],
    [
      'with a certificate of strangers',
      SECURE,
      { maxVersion: 'TLSv1.2', cert: stranger.cert, key: stranger.key },
    ],
  ])('is refused %s', async (_, index, more) => {
    const attempt = handshake(index, more).then(async (socket) => {
      socket.on('error', () => {});
      socket.write('GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n');
      const [end] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
      if (!Buffer.isBuffer(end)) throw new Error('closed');
    });
    await expect(attempt).rejects.toThrow();
  });

  it('asks for certificates where they are required', async () => {
    const with1 = { cert: known.cert, key: known.key };
    expect((await ask(http2(MUTUAL, with1), { ':path': '/open/x' })).headers[':status']).toBe(200);
    await expect(ask(http2(MUTUAL), { ':path': '/open/x' })).rejects.toThrow(/certificate required/);
  });

  it('carries WebSockets, handshake and all', async () => {
    const url = `${at(SECURE).replace('https', 'wss')}/graphql`;
    const options = { ca: ca.cert, headers: { 'x-api-key': API_KEY } };
    const socket = new WebSocket(url, 'graphql-transport-ws', options as never);
    const opened = once(socket, 'open');
    const [response] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }];
    expect(response.headers['strict-transport-security']).toBe('max-age=15552000');
    await opened;
    socket.send('{"type":"connection_init"}');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(String(message))).toMatchObject({ type: 'connection_ack' });
    socket.close();
    await once(socket, 'close');
  });
});

describe('security headers', () => {
  const names = ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'strict-transport-security'];
  it.each([
    ['an answer', '/open/a'],
    ['401', '/closed'],
    ['404', '/nowhere'],
    ['a path that is refused', '/open/%2e%2e'],
    ['504', '/late'],
    ['a handler', '/health/live'],
  ])('are on %s over TLS', async (_, path) => {
    if (path === '/late') holder.shop.echo.listener = () => {};
    const { headers } = await ask(http2(SECURE), { ':path': path });
    holder.shop.echo.listener = echo;
    for (const name of names) expect([name, headers[name]]).toEqual([name, expect.any(String)]);
  });

  it('say nothing of HTTPS without it', async () => {
    const { headers } = await ask(http2(H2C), { ':path': '/open/a' });
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers).not.toHaveProperty('strict-transport-security');
  });
});

describe('a listener that redirects', () => {
  it.each<[string, number, string, string[], string]>([
    ['the port of the first with TLS', PLAIN, '/a/b?c=d', [], 'https://127.0.0.1:$/a/b?c=d'],
    ['no port where it is 443', NARROW, '/a', ['Host: Shop.test:8080'], 'https://shop.test/a'],
    ['what no route takes, too', PLAIN, '/', ['Host: [::1]:1'], 'https://[::1]:$/'],
  ])('sends to %s', async (_, index, path, fields, to) => {
    const flags = fields.flatMap((field) => ['-H', field]);
    const answer = await curl('-X', 'POST', ...flags, `${at(index)}${path}`);
    expect(answer).toMatch(/^HTTP\/1.1 308 /);
    expect(/^location: (.*)\r$/im.exec(answer)?.[1]).toBe(to.replace('$', String(portOf(SECURE))));
  });
});

describe('the PROXY protocol', () => {
  const hello = 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n';
  it('says who the client is: to services, and to the log', async () => {
    const socket = connectTcp(portOf(PROXY), '127.0.0.1');
    for (const byte of hello) socket.write(byte);
    const secure = connectTls({ socket, servername: 'localhost', ca: ca.cert, ALPNProtocols: ['h2'] });
    const session = http2(PROXY, { createConnection: () => secure } as never);
    const { headers, text } = await ask(session, { ':path': '/open/a' });
    expect((JSON.parse(text) as Echo).headers['x-forwarded-for']).toBe('203.0.113.7');
    expect(await holder.shop.lineOfId(String(headers['x-request-id']))).toMatchObject({
      client: '203.0.113.7',
    });
  });

  it.each<[string, string | Buffer]>([
    ['something else', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a header of no known form', 'PROXY TCP4 1.2.3.4\r\n'],
    ['nothing at all, for too long', Buffer.alloc(0)],
    ['a part of a header, for too long', 'PROXY TCP4 1.2'],
  ])('ends a connection that says %s', async (_, bytes) => expect(await said(PROXY, bytes)).toBe(''));
});

describe('limits of a listener', () => {
  it('end a connection whose head takes too long', async () => {
    const socket = connectTcp(portOf(NARROW), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost:');
    const closed = once(socket, 'close');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(String(bytes)).toMatch(/^HTTP\/1.1 408 /);
    await closed;
  }, 10_000);

  it('refuse connections beyond those of one address', async () => {
    const sockets = [1, 2].map(() => connectTcp(portOf(NARROW), '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => {});
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect(await said(NARROW, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
    for (const socket of sockets) socket.destroy();
  });

  it('end a body that takes too long, however steadily it comes', async () => {
    const stream = http2(H2C).request({ ':method': 'POST', ':path': '/open/slow' });
    stream.on('error', () => {});
    const drip = setInterval(() => stream.write('x'), 10);
    const { headers } = await heard(stream);
    clearInterval(drip);
    expect(headers[':status']).toBe(408);
  });

  it('end a connection over HTTP/1.1 after as many requests as it may bring', async () => {
    const request = 'GET /open/a HTTP/1.1\r\nHost: a\r\n\r\n';
    const text = await said(H2C, request.repeat(3));
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(text.toLowerCase()).toContain('connection: close');
  });
});

describe('another configuration', () => {
  it('opens and closes listeners while others go on', async () => {
    const session = http2(SECURE);
    const before = at(H2C);
    const added = [...listeners, { port: 0, http2: true }];
    expect((await prepared(added)).outcome).toBe('reloaded');
    const { urls } = holder.shop.gateway.gateway;
    expect([urls.length, urls[H2C]]).toEqual([added.length, before]);
    expect(await curl(`${urls.at(-1)}/open/a`)).toMatch(/^HTTP\/1.1 200/);
    const last = urls.at(-1) as string;
    expect((await prepared(listeners)).outcome).toBe('reloaded');
    await expect(curl(`${last}/open/a`)).rejects.toThrow();
    expect((await ask(session, { ':path': '/open/a' })).headers[':status']).toBe(200);
  });

  it('is refused when a port is taken, with its place', async () => {
    const taken = portOf(PLAIN);
    const { outcome, faults } = await prepared([...listeners, { port: taken }]);
    expect([outcome, faults]).toEqual([
      'faulty',
      [expect.objectContaining({ key: 'listeners[6].port', line: 1, message: 'the port is taken' })],
    ]);
  });

  it('needs a restart to listen as the environment says', async () => {
    const { outcome, faults } = await prepared(undefined);
    expect([outcome, faults[0]?.key]).toEqual(['needs-restart', 'listeners']);
  });
});

function configNow(more: Readonly<Record<string, unknown>> = { listeners }): object {
  const { services, echo: upstream } = holder.shop;
  return shopConfig(services, upstream, { ...options, more });
}

/** Reloads as from a file: listeners are opened first. */
function prepared(now: unknown): ReturnType<Reloads['reload']> {
  const { app } = holder.shop.gateway.gateway;
  const source = readConfig(
    gatewaySchema,
    JSON.stringify(configNow(now === undefined ? {} : { listeners: now })),
    'gateway.yaml',
    {},
  );
  return app.get(Reloads).take(source, 'test');
}
