import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import type { Http1Pool, Http1PoolOptions } from './http1-pool.ts';
import { answer, ask, poolFor, RawService, turns, until, type Heard } from './raw-service.fixture.ts';

let service: RawService;
let pool: Http1Pool;

async function open(
  onRequest?: (heard: Heard) => void,
  options: Partial<Http1PoolOptions> = {},
): Promise<void> {
  service = await RawService.start(onRequest);
  pool = poolFor(service.port, options);
}

afterEach(async () => {
  pool.close();
  await service.close();
});

/** What must not be sent twice. */
const POST = { method: 'POST', isIdempotent: false, body: Buffer.from('body') };

describe('an answer', () => {
  it('that comes in pieces is read, and its reader hears that it goes on', async () => {
    await open(({ socket }) => void trickle(socket, answer('hello')));
    const ending = await ask(pool);
    expect(ending.body).toBe('hello');
    expect(ending.more).toBeGreaterThan(0);
    expect((await ask(pool)).body).toBe('hello');
    expect(service.sockets).toHaveLength(1);
  });

  it('without a length is read to the end of its connection', async () => {
    await open(({ socket }) => void socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    expect(await ask(pool)).toMatchObject({ status: 200, body: 'hello' });
    expect((await ask(pool)).body).toBe('hello');
    expect(service.sockets).toHaveLength(2);
  });

  it('without a length is none when its connection is reset', async () => {
    await open(({ socket }) => socket.write('HTTP/1.1 200 OK\r\n\r\nhello', () => setTimeout(() => socket.resetAndDestroy(), 20)));
    expect(await ask(pool)).toMatchObject({ error: { code: 'ECONNRESET' } });
  }); // prettier-ignore

  it.each([
    ['before it', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nconte'],
    ['after an interim one', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('is none when its connection ends %s', async (_, text) => {
    await open(({ socket }) => void socket.end(text));
    expect((await ask(pool)).error?.code).toBe('CONNECTION_ENDED');
    expect(service.requests).toHaveLength(1);
  });

  it('that is larger than wanted is refused, and its connection ends', async () => {
    await open(({ socket, turn }) => void socket.write(answer('v'.repeat(turn === 1 ? 11 : 10))));
    expect(await ask(pool, { maxBytes: 10 })).toMatchObject({ status: 200, oversized: true });
    await until(() => service.open === 0);
    expect((await ask(pool, { maxBytes: 10 })).body).toHaveLength(10);
    expect(service.sockets).toHaveLength(2);
  });

  it('whose head is of no interest is drained, and its connection goes on', async () => {
    const error = answer('hello').replace('200', '500');
    await open(({ socket }) => void trickle(socket, error), { maxConnections: 1 });
    expect(await ask(pool, { refuses: 500 })).toEqual({
      status: 500, fields: { 'content-length': '5' }, refused: true, more: 0,
    }); // prettier-ignore
    expect((await ask(pool)).body).toBe('hello');
    expect(service.sockets).toHaveLength(1);
  });

  it('whose head is of no interest is drained up to what it may have', async () => {
    await open(({ socket, turn }) => {
      socket.write(turn === 1 ? `HTTP/1.1 500 Oh\r\ncontent-length: 99\r\n\r\n${'v'.repeat(11)}` : answer('ok'));
    }, { maxConnections: 1 });
    expect((await ask(pool, { refuses: 500, maxBytes: 10 })).refused).toBe(true);
    expect((await ask(pool)).body).toBe('ok');
    expect(service.sockets).toHaveLength(2);
  }); // prettier-ignore

  it('that is followed by another one is given alone, and its connection ends', async () => {
    await open(({ socket }) => void socket.write(answer('one') + answer('two')));
    for (let turn = 1; turn < 4; turn += 1) {
      expect(await ask(pool)).toMatchObject({ status: 200, body: 'one' });
      await until(() => service.open === 0);
      expect(service.sockets).toHaveLength(turn);
    }
  });

  it('that comes before the request was sent is given, and its connection ends', async () => {
    await open();
    const early = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(answer('early'));
    }).listen(0, '127.0.0.1');
    await once(early, 'listening');
    const own = poolFor((early.address() as AddressInfo).port);
    expect((await ask(own, { ...POST, body: Buffer.alloc(30_000_000) })).body).toBe('early');
    own.close();
    early.close();
  });

  it('that is malformed breaks, and is asked for once', async () => {
    await open(({ socket, turn }) => void socket.write(turn === 1 ? answer('ok') : 'HTTP/1.1 20\r\n\r\n'));
    await ask(pool);
    expect((await ask(pool)).error?.code).toBe('MALFORMED_ANSWER');
    expect(service.requests).toHaveLength(2);
    await until(() => service.open === 0);
  });

  it('that has begun with an interim one is asked for once', async () => {
    await open(({ socket, turn }) => {
      if (turn === 1) socket.write(answer('ok'));
      else socket.end('HTTP/1.1 103 Early Hints\r\n\r\n');
    });
    await ask(pool);
    expect((await ask(pool)).error?.code).toBe('CONNECTION_ENDED');
    expect(service.requests).toHaveLength(2);
  });

  it.each([['connection: close\r\n'], ['keep-alive: timeout=1\r\n'], ['keep-alive: timeout=0\r\n']])(
    'with %j is the last one of its connection',
    async (fields) => {
      await open(({ socket }) => void socket.write(answer('ok', fields)));
      await ask(pool);
      await until(() => service.open === 0);
      expect((await ask(pool)).body).toBe('ok');
      expect(service.sockets).toHaveLength(2);
    },
  );
});

describe('a connection', () => {
  it('that ends while a request is on its way hands it to another one, when that does no harm', async () => {
    await open(({ socket, turn }) => void (turn === 2 ? socket.destroy() : socket.write(answer(`${turn}`))));
    await ask(pool);
    expect((await ask(pool)).body).toBe('3');
    expect(service.sockets).toHaveLength(2);
  });

  it('that ends while a request is on its way breaks it otherwise', async () => {
    await open(({ socket, turn }) => void (turn === 2 ? socket.destroy() : socket.write(answer(`${turn}`))));
    await ask(pool);
    const { error } = await ask(pool, POST);
    expect(['CONNECTION_ENDED', 'ECONNRESET']).toContain(error?.code);
    expect(service.requests).toHaveLength(2);
    expect((await ask(pool, POST)).body).toBe('3');
  });

  it('that ends without an answer costs a request, and a second one at most', async () => {
    const served = new WeakSet<object>();
    await open(({ socket }) => {
      if (served.has(socket)) return void socket.destroy();
      served.add(socket);
      socket.write(answer('ok'));
    });
    // Two that have answered: whatever comes next finds both of them dead.
    await Promise.all([ask(pool), ask(pool)]);
    expect(service.sockets).toHaveLength(2);
    await ask(pool);
    expect(service.requests.length).toBeLessThanOrEqual(4);
    await service.close();
    service = await RawService.start(({ socket }) => void socket.destroy());
    const own = poolFor(service.port);
    expect((await ask(own)).error).toBeDefined();
    expect(service.requests).toHaveLength(1);
    own.close();
  });

  it('hands its request to a new one, because the others may have ended as well', async () => {
    await open(({ socket, turn }) => {
      if (turn !== 3) return void socket.write(answer(`${turn}`));
      for (const each of service.sockets) each.destroy();
    });
    await Promise.all([ask(pool), ask(pool)]);
    expect((await ask(pool)).body).toBe('4');
    expect(service.sockets).toHaveLength(3);
  });

  // Whatever the moment: before its end is known, while it is, and after.
  it.each([0, 1, 2, 3, 4, 5, 6, 8, 12])('that its server ends %d turns before a request', async (count) => {
    await open(({ socket, text }) => void socket.end(answer(text.slice(0, 4))));
    for (let i = 0; i < 20; i += 1) {
      expect((await ask(pool)).body).toBe('GET ');
      await turns(count);
      const { body, error } = await ask(pool, POST);
      if (error === undefined) expect(body).toBe('POST');
      else expect(['CONNECTION_ENDED', 'ECONNRESET', 'EPIPE']).toContain(error.code);
      await turns(count);
    }
  });

  it.each([
    ['an answer', answer('forged')],
    ['a byte', 'H'],
    ['line breaks', '\r\n'],
  ])('ends with what nobody asked for: %s', async (_, text) => {
    await open();
    await ask(pool);
    service.sockets[0]?.write(text);
    await until(() => service.open === 0);
    expect((await ask(pool)).body).toBe('ok');
    expect(service.sockets).toHaveLength(2);
  });

  it('is given up when it does not open in time', async () => {
    await open();
    // Takes the connection and never answers the handshake.
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const own = poolFor(port, { secure: true, connectTimeoutMs: 50 });
    const { error } = await ask(own);
    expect([error?.code, error?.message]).toEqual(['ETIMEDOUT', 'no connection within 50 ms']);
    silent.close();
  });
});

async function trickle(socket: { write(bytes: Buffer): unknown }, text: string): Promise<void> {
  for (const byte of Buffer.from(text, 'latin1')) {
    socket.write(Buffer.of(byte));
    await turns(1);
  }
}
