import { NoFreeConnection } from '../no-free-connection.ts';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream, type Settings,
} from 'node:http2'; // prettier-ignore
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { FRAME } from './frames.ts';
import type { Http2Pool, Http2PoolOptions } from './http2-pool.ts';
import type { OutboundStream } from './outbound-stream.ts';
import { ask, frame, GREETING, OK, poolFor, RawTarget, type Ending } from './raw-target.fixture.ts';

type Behavior = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const END_HEADERS = 4;
const END = END_HEADERS | 1;
const echo: Behavior = (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    if (stream.destroyed) return;
    const own = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
    stream.respond(
      { ':status': 200, ...Object.fromEntries(own), path: headers[':path'] },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat(chunks));
  });
};

let behave = echo;
let server: Http2Server;
let pool: Http2Pool;
let connections = 0;

async function open(settings: Settings = {}, options: Partial<Http2PoolOptions> = {}): Promise<void> {
  await listen(createServer({ settings, maxSessionMemory: 1000 }));
  pool = poolFor((server.address() as AddressInfo).port, options);
}

async function listen(made: Http2Server): Promise<void> {
  server = made;
  connections = 0;
  server.on('session', () => (connections += 1));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    behave(stream, headers);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

beforeEach(() => void (behave = echo));
afterEach(() => {
  pool?.close();
  server?.close();
});

describe('a request', () => {
  it('comes to a server of Node as it was sent, and its answer comes back', async () => {
    await open();
    expect(await ask(pool, { fields: ['x-one', 'a', 'x-two', '\x80\xff \t~'] })).toMatchObject({
      status: 200,
      fields: { 'x-one': 'a', 'x-two': '\x80\xff \t~', path: '/shop.v1.Orders/GetOrder' },
      body: 'body',
      trailers: { 'grpc-status': '0' },
    });
  });

  it.each([0, 1, 126, 127, 128, 254, 255, 300, 5000, 16_384, 40_000])(
    'has a field of %d bytes',
    async (length) => {
      await open();
      const value = 'v'.repeat(length);
      expect((await ask(pool, { fields: ['x-long', value] })).fields).toMatchObject({ 'x-long': value });
    },
  );

  it.each([0, 1, 16_384, 16_385, 65_535, 65_536, 3_000_000])('has a body of %d bytes', async (length) => {
    await open();
    const { body } = await ask(pool, { body: Buffer.alloc(length, 'ab'), maxBytes: length });
    expect(body === 'ab'.repeat(length / 2 + 1).slice(0, length)).toBe(true);
  });

  it.each<[string, Settings]>([
    ['small windows', { initialWindowSize: 100 }],
    ['large frames', { initialWindowSize: 10_000_000, maxFrameSize: 1_000_000 }],
  ])('passes through %s', async (_, settings) => {
    await open(settings);
    const bodies = await Promise.all(
      Array.from({ length: 20 }, (__, index) => ask(pool, { body: Buffer.alloc(10_000, String(index)) })),
    );
    expect(bodies.map(({ body }) => body?.length)).toEqual(Array(20).fill(10_000));
  });

  it('waits for the windows, its own and the one of the connection, and moves with the settings', async () => {
    const target = await RawTarget.start((heard, socket) => {
      const answer = frame(FRAME.headers, END, 1, OK);
      const noWindow = frame(FRAME.settings, 0, 0, '0004 00000000');
      if (heard.type === FRAME.data && heard.stream === 1) socket.write(Buffer.concat([noWindow, answer]));
    });
    pool = poolFor(target.port);
    await ask(pool, { body: Buffer.from('x') });
    const sent = (): number =>
      target.heard(FRAME.data).reduce((bytes, { payload }) => bytes + payload.length, 0);
    const say = (type: number, stream: number, payload: string): unknown =>
      target.sockets[0]?.write(frame(type, 0, stream, payload));
    const ending = ask(pool, { body: Buffer.alloc(70_000, 'x') });
    await until(() => target.heard(FRAME.headers).length === 2);
    expect(sent()).toBe(1);
    say(FRAME.windowUpdate, 3, '0000000a');
    await until(() => sent() === 11);
    say(FRAME.settings, 0, '0004 00100000');
    await until(() => sent() === 65_535);
    say(FRAME.windowUpdate, 0, '00010000');
    await until(() => sent() === 70_001);
    target.sockets[0]?.write(frame(FRAME.headers, END, 3, OK));
    expect((await ending).status).toBe(200);
    await target.close();
  });

  it.each([
    ['a name in upper case', ['X-One', 'a']],
    ['a name with a colon', [':path', '/']],
    ['a line break', ['x-one', 'a\r\nx-two: b']],
    ['what is no byte', ['x-one', '\u{1f600}']],
  ])('is refused with %s', async (_, fields) => {
    await open();
    await expect(ask(pool, { fields })).rejects.toThrow(/header field/);
    expect((await ask(pool)).body).toBe('body');
  });

  it('is abandoned alone', async () => {
    await open();
    const reset: number[] = [];
    behave = (stream) => stream.on('close', () => reset.push(stream.rstCode ?? 0));
    let stream: OutboundStream | undefined;
    void ask(pool, { started: (one) => (stream = one) });
    behave = (one, headers) => {
      one.on('close', () => reset.push(one.rstCode ?? 0));
      if (reset.length > 0) echo(one, headers);
    };
    await until(() => connections > 0 && stream?.id === 1);
    stream?.abandon();
    await until(() => reset.length > 0);
    expect(reset[0]).toBe(8);
    expect((await ask(pool)).body).toBe('body');
    expect(connections).toBe(1);
  });
});

describe('connections', () => {
  it('are opened when the streams of the others are in use, and no more of them than allowed', async () => {
    await open({ maxConcurrentStreams: 2 }, { maxConnections: 2 });
    await ask(pool);
    const held: ServerHttp2Stream[] = [];
    behave = (stream, headers) => {
      held.push(stream);
      if (held.length > 4) echo(stream, headers);
    };
    const asked = Array.from({ length: 8 }, () => ask(pool));
    await until(() => held.length === 4);
    expect(connections).toBe(2);
    for (const stream of held.slice()) echo(stream, {});
    expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(Array(8).fill('body'));
    expect(connections).toBe(2);
  });

  it('serve no request that was given up while it waited', async () => {
    await open({ maxConcurrentStreams: 1 }, { maxConnections: 1 });
    await ask(pool);
    let streams = 0;
    let held: ServerHttp2Stream | undefined;
    behave = (stream) => {
      streams += 1;
      held = stream;
    };
    const first = ask(pool);
    void ask(pool, { started: (stream) => stream.abandon() });
    await until(() => held !== undefined);
    behave = (stream, headers) => {
      streams += 1;
      echo(stream, headers);
    };
    echo(held as ServerHttp2Stream, {});
    await first;
    await ask(pool);
    expect(streams).toBe(2);
  });

  it('that a target says farewell to finish what they have, and others take the rest', async () => {
    let turn = 0;
    const target = await RawTarget.start((heard, socket) => {
      if (heard.type !== FRAME.headers) return;
      turn += 1;
      if (turn === 1) socket.write(GREETING);
      // Of three, the first is answered; the others it has not begun with.
      if (turn === 3)
        socket.write(
          Buffer.concat([frame(FRAME.goaway, 0, 0, '00000001 00000000'), frame(FRAME.headers, END, 1, OK)]),
        );
      if (turn > 3) socket.write(Buffer.concat([GREETING, frame(FRAME.headers, END, heard.stream, OK)]));
    });
    pool = poolFor(target.port);
    const endings = await Promise.all([ask(pool), ask(pool), ask(pool)]);
    expect(endings.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(target.sockets).toHaveLength(2);
    await target.close();
  });

  it('send a refused request once more, and only once', async () => {
    let asked = 0;
    const target = await RawTarget.start((heard, socket) => {
      if (heard.type !== FRAME.headers) return;
      asked += 1;
      socket.write(Buffer.concat([GREETING, frame(FRAME.rstStream, 0, heard.stream, '00000007')]));
    });
    pool = poolFor(target.port);
    expect((await ask(pool)).error?.http2ErrorCode).toBe(7);
    expect(asked).toBe(2);
    await target.close();
  });

  it('end with the pool, and with them what is under way or waits', async () => {
    await open({ maxConcurrentStreams: 1 }, { maxConnections: 1 });
    await ask(pool);
    behave = () => undefined;
    const asked = [ask(pool), ask(pool)];
    await new Promise((resolve) => setTimeout(resolve, 20));
    pool.close();
    const endings = await Promise.all([...asked, ask(pool)]);
    expect(endings.map(({ error }) => error?.message)).toEqual(Array(3).fill('the gateway is shutting down'));
  });

  it('are given up when they do not open in time', async () => {
    // Takes the connection and never answers the handshake.
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    pool = poolFor(port, { secure: true, connectTimeoutMs: 50 });
    const { error } = await ask(pool);
    expect(error?.wasOpen).toBe(false);
    expect(error?.message).toContain('no connection within 50 ms');
    silent.close();
  });
});

describe('a connection that is quiet', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
  });
  afterEach(() => void jest.useRealTimers());

  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  it('is asked for a sign of life while calls are under way, and lost without one', async () => {
    let isDead = false;
    const target = await RawTarget.start((heard, socket) => {
      if (heard.type === FRAME.headers) socket.write(GREETING);
      if (heard.type === FRAME.ping && !isDead) socket.write(frame(FRAME.ping, 1, 0, heard.payload));
    });
    pool = poolFor(target.port);
    const ending = ask(pool);
    while (!target.heard(FRAME.settings).some(({ flags }) => flags === 1)) await turns(1);
    jest.advanceTimersByTime(60_000);
    while (target.heard(FRAME.ping).length < 1) await turns(1);
    await turns(20);
    isDead = true;
    jest.advanceTimersByTime(60_000);
    while (target.heard(FRAME.ping).length < 2) await turns(1);
    jest.advanceTimersByTime(10_000);
    expect((await ending).error?.message).toContain('no answer to a ping within 10000 ms');
    await target.close();
  });

  it('is lost when it never speaks at all', async () => {
    const target = await RawTarget.start(() => undefined);
    pool = poolFor(target.port);
    const ending = ask(pool);
    while (target.heard(FRAME.headers).length < 1) await turns(1);
    jest.advanceTimersByTime(10_000);
    expect((await ending).error?.message).toContain('the target does not answer in HTTP/2');
    await target.close();
  });

  it('is closed when nobody uses it, never pinged', async () => {
    const target = await RawTarget.start((heard, socket) => {
      if (heard.type === FRAME.headers)
        socket.write(Buffer.concat([GREETING, frame(FRAME.headers, END, heard.stream, OK)]));
    });
    pool = poolFor(target.port);
    await ask(pool);
    jest.advanceTimersByTime(120_000);
    while (target.heard(FRAME.goaway).length < 1) await turns(1);
    expect(target.heard(FRAME.ping)).toEqual([]);
    expect((await ask(pool)).status).toBe(200);
    expect(target.sockets).toHaveLength(2);
    await target.close();
  });
});

describe('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
  const trusted = getCACertificates('default');
  let key: Buffer;
  let cert: Buffer;

  beforeEach(() => {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    const kind = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
    ];
    execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'ignore' });
    key = readFileSync(join(folder, 'key.pem'));
    cert = readFileSync(join(folder, 'cert.pem'));
  });
  afterEach(() => setDefaultCACertificates(trusted));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function askSecurely(): Promise<Ending> {
    pool = poolFor((server.address() as AddressInfo).port, { secure: true, host: 'localhost' });
    return ask(pool, { body: Buffer.alloc(200_000, 'x') });
  }

  it('a request reaches a target whose certificate the system trusts, and no other', async () => {
    await listen(createSecureServer({ key, cert }));
    const { error } = await askSecurely();
    expect([error?.wasOpen, error?.message]).toEqual([false, expect.stringContaining('certificate')]);
    setDefaultCACertificates([...trusted, cert.toString()]);
    expect((await askSecurely()).body?.length).toBe(200_000);
  });

  it('a target that does not offer HTTP/2 gets no request', async () => {
    setDefaultCACertificates([...trusted, cert.toString()]);
    const plain = createTlsServer({ key, cert, ALPNProtocols: ['http/1.1'] }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    pool = poolFor((plain.address() as AddressInfo).port, { secure: true, host: 'localhost' });
    const { error } = await ask(pool);
    expect(error?.wasOpen).toBe(false);
    plain.close();
  });
});

describe('a request that finds every stream in use', () => {
  it('waits for its turn, and no longer than it may', async () => {
    let held: ServerHttp2Stream | undefined;
    behave = (stream) => void (held = stream);
    await open({ maxConcurrentStreams: 1 }, { maxConnections: 1, queueTimeoutMs: 100 });
    const first = ask(pool);
    await until(() => held !== undefined);
    expect((await ask(pool)).error).toBeInstanceOf(NoFreeConnection);
    const next = ask(pool);
    behave = echo;
    echo(held as ServerHttp2Stream, { ':path': '/held' });
    expect([(await first).status, (await next).status]).toEqual([200, 200]);
  });
});
