import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import type { Http1Pool, OutboundRequest } from './http1-pool.ts';
import { answer, ask, poolFor, RawService, turns, until, type Ending } from './raw-service.fixture.ts';

describe('a service that sends anything', () => {
  const chunked =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\ntransfer-encoding: chunked\r\n\r\n4;x=y\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n';

  it.each([
    ['of a length', answer('body', 'x-one: a\r\n')],
    ['in chunks', chunked],
  ])('is survived: each byte of an answer changed in turn, %s', async (_, whole) => {
    const service = await RawService.start(({ socket, turn }) => {
      const bytes = Buffer.from(whole, 'latin1');
      const at = turn % bytes.length;
      bytes[at] = (bytes[at] as number) ^ (1 + ((turn * 37) % 255));
      socket.end(bytes);
    });
    const pool = poolFor(service.port);
    for (let run = 0; run < whole.length * 3; run += 1) {
      const { error, body } = await ask(pool);
      if (error === undefined) expect(typeof body).toBe('string');
      else expect(['MALFORMED_ANSWER', 'CONNECTION_ENDED', 'ECONNRESET', 'EPIPE']).toContain(error.code);
    }
    pool.close();
    await service.close();
  });

  it('gives no call what was meant for another one', async () => {
    let last: Socket | undefined;
    const service = await RawService.start(({ socket, text, turn }) => {
      last = socket;
      // Two of three answers are followed by one that nobody asked for, now or a little later.
      socket.write(answer(text.split(' ')[1] ?? '') + (turn % 3 === 0 ? answer('forged') : ''));
      if (turn % 3 === 1) setImmediate(() => socket.write(answer('late')));
    });
    const pool = poolFor(service.port, { maxConnections: 2 });
    for (let turn = 1; turn <= 60; turn += 1) {
      expect((await ask(pool, { path: `/${turn}` })).body).toBe(`/${turn}`);
      if (turn % 3 !== 2) await until(() => last?.destroyed === true);
    }
    expect(service.sockets).toHaveLength(40);
    pool.close();
    await service.close();
  });
});

describe('a body in pieces of one byte', () => {
  it('is read as any other', async () => {
    const body = '1\r\nx\r\n'.repeat(100_000);
    const service = await RawService.start(
      ({ socket }) =>
        void socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`),
    );
    const pool = poolFor(service.port);
    expect((await ask(pool)).body).toBe('x'.repeat(100_000));
    pool.close();
    await service.close();
  });
});

describe('trailers and interim answers', () => {
  it.each([
    ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n', 'x: y\r\n', 129],
    ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n', 65],
  ])('are no progress, and break the answer when they do not end: %s', async (_, start, piece, most) => {
    const service = await RawService.start(({ socket }) => void socket.write(start + piece));
    const pool = poolFor(service.port);
    const asked = ask(pool);
    await until(() => service.sockets.length === 1);
    for (let sent = 1; sent < most; sent += 1) {
      await turns(3);
      service.sockets[0]?.write(piece);
    }
    const { error, more } = await asked;
    expect(error?.code).toBe('MALFORMED_ANSWER');
    expect(more).toBeLessThanOrEqual(1);
    pool.close();
    await service.close();
  });
});

describe('an answer that nobody asked for', () => {
  /** Lets one come to a resting connection, and makes a call right after the loop has seen it, or right before. */
  async function racing(how: Partial<OutboundRequest>): Promise<{ ending: Ending; sockets: number }> {
    const service = await RawService.start(({ socket, text }) => {
      if (!text.includes('/first')) socket.write(answer('true'));
      else socket.write(answer('first'));
    });
    const pool = poolFor(service.port);
    const [bell, ringer] = await connected();
    await ask(pool, { path: '/first' });
    const asked = new Promise<Ending>((resolve) => bell.once('data', () => resolve(ask(pool, how))));
    await turns(2);
    // In the phase after the sockets: the next look at them finds both, in this order.
    ringer.write('now');
    service.sockets[0]?.write(answer('forged'));
    const ending = await asked;
    const sockets = service.sockets.length;
    bell.destroy();
    ringer.destroy();
    pool.close();
    await service.close();
    return { ending, sockets };
  }

  it('and was there before the request is not its answer: the call is made again', async () => {
    const { ending, sockets } = await racing({});
    expect([ending.body, ending.error, sockets]).toEqual(['true', undefined, 2]);
  });

  it('and was there before a request that must not be sent twice is a fault', async () => {
    const { ending, sockets } = await racing({ method: 'POST', isIdempotent: false, body: Buffer.from('x') });
    expect([ending.error?.code, sockets]).toEqual(['CONNECTION_ENDED', 1]);
  });
});

/** A connection of two sockets of this process. */
async function connected(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ringer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [bell] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [bell, ringer];
}

describe('the rest of an answer that nobody wants', () => {
  let service: RawService | undefined;
  let pool: Http1Pool | undefined;

  beforeEach(
    () => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] }),
  );
  afterEach(async () => {
    jest.useRealTimers();
    pool?.close();
    await service?.close();
  });

  it.each([
    ['a body', 'content-length: 5\r\n\r\n', 'h'],
    ['trailers', 'transfer-encoding: chunked\r\n\r\n0\r\n', 'x: y\r\n'],
  ])('does not keep its connection for ever: %s', async (_, text, piece) => {
    service = await RawService.start(({ socket, turn }) => {
      socket.write(turn === 1 ? `HTTP/1.1 500 Oh\r\n${text}${piece}` : answer('ok'));
    });
    const patient = { connectTimeoutMs: 600_000, queueTimeoutMs: 600_000 };
    pool = poolFor(service.port, { maxConnections: 1, ...patient });
    expect((await ask(pool, { refuses: 500 })).refused).toBe(true);
    let ending: Ending | undefined;
    void ask(pool).then((made) => (ending = made));
    for (let second = 0; second < 60; second += 1) {
      jest.advanceTimersByTime(1000);
      await turns(10);
    }
    expect(ending?.body).toBe('ok');
  });
});

describe('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
  const trusted = getCACertificates('default');
  let secrets: TlsOptions = {};

  beforeAll(() => {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' ');
    execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'ignore' });
    secrets = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
  });
  afterEach(() => setDefaultCACertificates(trusted));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Asks a service behind TLS, three times; the last ending, and what it has heard. */
  async function askSecurely(
    options: TlsOptions,
    host = 'localhost',
  ): Promise<{ ending: Ending; requests: number; sockets: number }> {
    const service = await RawService.start(undefined, { secrets: { ...secrets, ...options } });
    const pool = poolFor(service.port, { secure: true, host });
    const body = Buffer.alloc(200_000, 'x');
    let ending: Ending = { more: 0 };
    for (let i = 0; i < 3; i += 1) ending = await ask(pool, { method: 'PUT', body });
    const { requests, sockets } = service;
    pool.close();
    await service.close();
    return { ending, requests: requests.length, sockets: sockets.length };
  }

  it.each<[string, TlsOptions]>([
    ['that knows nothing of protocols', {}],
    ['that chooses HTTP/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }],
  ])('a request reaches a service %s, and its connection is used again', async (_, options) => {
    setDefaultCACertificates([...trusted, String(secrets.cert)]);
    const { ending, requests, sockets } = await askSecurely(options);
    expect([ending.body, requests, sockets]).toEqual(['ok', 3, 1]);
  });

  it('a service whose certificate the system does not trust gets no request', async () => {
    const { ending, requests } = await askSecurely({});
    expect([ending.error?.code, requests]).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT', 0]);
  });

  it('a service whose certificate is of another name gets no request', async () => {
    setDefaultCACertificates([...trusted, String(secrets.cert)]);
    const { ending, requests } = await askSecurely({}, '127.0.0.2');
    expect([ending.error?.code, requests]).toEqual([expect.stringMatching(/ALTNAME|REFUSED/), 0]);
  });

  it('a service that does not offer HTTP/1.1 gets no request', async () => {
    setDefaultCACertificates([...trusted, String(secrets.cert)]);
    const { ending, requests } = await askSecurely({ ALPNProtocols: ['h2'] });
    expect(ending.error?.code).toBeDefined();
    expect(requests).toBe(0);
  });
});
