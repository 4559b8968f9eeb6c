import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Http1Pool, Http1PoolOptions } from './http1-pool.ts';
import type { OutboundCall } from './outbound-call.ts';
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

describe('a request', () => {
  it('is sent as it was given, and nothing else', async () => {
    await open();
    await ask(pool, { path: '/a/b?c=%20&d', fields: ['accept', 'application/json', 'X-One', '\x80\xff \t~'] });
    await ask(pool, { method: 'POST', isIdempotent: false, fields: ['x', ''], body: Buffer.from('h\xe9', 'latin1') });
    await ask(pool, { method: 'PUT', body: Buffer.alloc(0) });
    await ask(pool, { method: 'DELETE' });
    const common = `host: 127.0.0.1:${service.port}\r\nconnection: keep-alive\r\n`;
    expect(service.requests).toEqual([
      `GET /a/b?c=%20&d HTTP/1.1\r\n${common}accept: application/json\r\nX-One: \x80\xff \t~\r\n\r\n`,
      `POST / HTTP/1.1\r\n${common}x: \r\ncontent-length: 2\r\n\r\nh\xe9`,
      `PUT / HTTP/1.1\r\n${common}content-length: 0\r\n\r\n`,
      `DELETE / HTTP/1.1\r\n${common}\r\n`,
    ]);
  }); // prettier-ignore

  // RFC 9110 section 8.6: a method that could have had a body says that it has none.
  it('of POST without a body says so', async () => {
    await open();
    await ask(pool, { method: 'POST', isIdempotent: false });
    expect(service.requests[0]).toMatch(/\r\ncontent-length: 0\r\n\r\n$/);
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 3_000_000])('and its answer have a body of %d bytes', async (length) => {
    await open(({ text, socket }) => socket.write(answer(text.slice(text.indexOf('\r\n\r\n') + 4)), 'latin1'));
    const body = Buffer.alloc(length, 'ab');
    const ending = await ask(pool, { method: 'POST', body, maxBytes: length });
    expect(ending.body === body.toString()).toBe(true);
  }); // prettier-ignore

  it('is understood by a server of Node, and its answers come back', async () => {
    await open();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.setHeader('x-path', request.url ?? '');
        response.write(Buffer.concat(chunks));
        setImmediate(() => response.end('!'));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = poolFor((server.address() as AddressInfo).port);
    for (let i = 0; i < 3; i += 1)
      expect(await ask(own, { method: 'POST', path: `/${i}`, body: Buffer.from('body') })).toMatchObject({
        status: 200,
        fields: { 'x-path': `/${i}`, 'transfer-encoding': 'chunked', 'keep-alive': 'timeout=5' },
        body: 'body!',
      });
    own.close();
    server.close();
  });

  it.each<[string, object]>([
    ['a line break in its path', { path: '/a\r\nx: y' }],
    ['a space in its path', { path: '/a b' }],
    ['a control character in its path', { path: '/\x7f' }],
    ['what is no byte in its path', { path: '/\u{1f600}' }],
    ['latin1 in its path', { path: '/caf\xe9' }],
    ['a path that does not begin with a slash', { path: 'http://other/' }],
    ['an empty path', { path: '' }],
    ['a line break in a value', { fields: ['x', 'a\r\ny: b'] }],
    ['CR in a value', { fields: ['x', 'a\rb'] }],
    ['LF in a value', { fields: ['x', 'a\nb'] }],
    ['NUL in a value', { fields: ['x', 'a\0'] }],
    ['a control character in a value', { fields: ['x', 'a\x7f'] }],
    ['what is no byte in a value', { fields: ['x', '\u0100'] }],
    ['an empty name', { fields: ['', 'a'] }],
    ['a line break in a name', { fields: ['x\r\ny', 'a'] }],
    ['a colon in a name', { fields: ['x:', 'a'] }],
    ['a space in a name', { fields: ['x ', 'a'] }],
    ['latin1 in a name', { fields: ['caf\xe9', 'a'] }],
  ])('is refused with %s', async (_, options) => {
    await open();
    await expect(ask(pool, options)).rejects.toThrow(/cannot be sent|is no name/);
    expect((await ask(pool)).body).toBe('ok');
    expect(service.requests).toHaveLength(1);
  });
});

describe('connections', () => {
  it('are used again, the one that has rested longest first', async () => {
    const held: Heard[] = [];
    await open((heard) => void held.push(heard));
    const first = ask(pool);
    await until(() => held.length === 1);
    const second = ask(pool);
    await until(() => held.length === 2);
    held[1]?.socket.write(answer('b'));
    await second;
    held[0]?.socket.write(answer('a'));
    await first;
    for (let turn = 3; turn < 7; turn += 1) {
      const next = ask(pool);
      await until(() => held.length === turn);
      expect(held[turn - 1]?.socket).toBe(held[turn % 2]?.socket);
      held[turn - 1]?.socket.write(answer('c'));
      await next;
    }
    expect(service.sockets).toHaveLength(2);
  });

  it('are as many as allowed, and what is beyond waits for its turn', async () => {
    const held: Heard[] = [];
    await open((heard) => void held.push(heard), { maxConnections: 2 });
    const ended: number[] = [];
    const asked = Array.from({ length: 6 }, async (_, index) => {
      await ask(pool, { path: `/${index}` });
      ended.push(index);
    });
    for (let done = 0; done < 6; done += 1) {
      await until(() => held.length === Math.min(6, done + 2));
      await turns(5);
      expect(held.length).toBe(Math.min(6, done + 2));
      held[done]?.socket.write(answer('ok'));
      await until(() => ended.length === done + 1);
    }
    await Promise.all(asked);
    const order = service.requests.map((text) => text.slice(0, 6));
    expect(order.slice(0, 2).sort()).toEqual(['GET /0', 'GET /1']);
    expect(order.slice(2)).toEqual(['GET /2', 'GET /3', 'GET /4', 'GET /5']);
    expect(service.sockets).toHaveLength(2);
  });

  it('serve no call that was given up while it waited', async () => {
    const held: Heard[] = [];
    await open((heard) => void held.push(heard), { maxConnections: 1 });
    const first = ask(pool, { path: '/first' });
    void ask(pool, { path: '/given-up', started: (call) => call.abandon() });
    const last = ask(pool, { path: '/last' });
    await until(() => held.length === 1);
    held[0]?.socket.write(answer('a'));
    await until(() => held.length === 2);
    held[1]?.socket.write(answer('b'));
    expect([(await first).body, (await last).body]).toEqual(['a', 'b']);
    expect(service.requests.map((text) => text.split(' ')[1])).toEqual(['/first', '/last']);
  });

  it('serve the next one when a call was given up before they were open', async () => {
    await open(undefined, { maxConnections: 1 });
    void ask(pool, { path: '/given-up', started: (call) => call.abandon() });
    expect((await ask(pool, { path: '/next' })).body).toBe('ok');
    expect(service.requests.map((text) => text.split(' ')[1])).toEqual(['/next']);
    expect(service.sockets).toHaveLength(1);
  });

  it('end when a call under way is given up, and another takes the next one', async () => {
    const held: Heard[] = [];
    await open((heard) => void held.push(heard), { maxConnections: 1 });
    let call: OutboundCall | undefined;
    void ask(pool, { started: (started) => (call = started) });
    await until(() => held.length === 1);
    const next = ask(pool);
    call?.abandon();
    await until(() => held[0]?.socket.destroyed === true);
    call?.abandon();
    await until(() => held.length === 2);
    held[1]?.socket.write(answer('next'));
    expect((await next).body).toBe('next');
    expect(service.sockets).toHaveLength(2);
  });

  it('end with the pool, and with them what is under way or waits', async () => {
    await open(() => undefined, { maxConnections: 1 });
    const asked = [ask(pool), ask(pool)];
    await until(() => service.requests.length === 1);
    pool.close();
    pool.close();
    const endings = await Promise.all([...asked, ask(pool)]);
    expect(endings.map(({ error }) => error?.message)).toEqual(Array(3).fill('the gateway is shutting down'));
    expect(endings.map(({ error }) => error?.code)).toEqual(Array(3).fill('CONNECTION_ENDED'));
    await until(() => service.open === 0);
    expect(service.requests).toHaveLength(1);
  });

  it('end with the pool when they are idle, or not yet open', async () => {
    await open();
    await ask(pool);
    pool.close();
    await until(() => service.open === 0);
    pool = poolFor(service.port);
    const opening = ask(pool);
    pool.close();
    expect((await opening).error?.message).toBe('the gateway is shutting down');
  });

  it('are not there when nobody listens, for each call that waits', async () => {
    await open();
    const gone = await RawService.start();
    const own = poolFor(gone.port, { maxConnections: 1 });
    await gone.close();
    const endings = await Promise.all([ask(own), ask(own), ask(own)]);
    expect(endings.map(({ error }) => error?.code)).toEqual(Array(3).fill('ECONNREFUSED'));
    own.close();
  });
});

describe('idle connections', () => {
  beforeEach(
    () =>
      void jest.useFakeTimers({
        doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout', 'Date'],
      }),
  );
  afterEach(() => void jest.useRealTimers()); // prettier-ignore

  it.each<[string, string, number]>([
    ['when nothing is said', '', 4000],
    ['a second before what their server says', 'keep-alive: timeout=10\r\n', 9000],
    ['after ten minutes at last', 'keep-alive: timeout=999999\r\n', 599_000],
  ])('are kept, and closed in the end: %s', async (_, fields, keptMs) => {
    await open(({ socket }) => void socket.write(answer('ok', fields)));
    await ask(pool);
    jest.advanceTimersByTime(keptMs - 1);
    await ask(pool);
    expect(service.sockets).toHaveLength(1);
    // The clock starts anew with each answer.
    jest.advanceTimersByTime(keptMs - 1);
    await turns(5);
    expect(service.open).toBe(1);
    jest.advanceTimersByTime(1001);
    await until(() => service.open === 0);
    expect(jest.getTimerCount()).toBe(0);
    expect((await ask(pool)).body).toBe('ok');
    expect(service.sockets).toHaveLength(2);
  });

  it('are not used when their time is up, even if nobody has closed them yet', async () => {
    await open(({ socket }) => void socket.write(answer('ok', 'keep-alive: timeout=2\r\n')));
    jest.advanceTimersByTime(500);
    await ask(pool);
    // The sweep comes at 1500, too early for one that ends at 1501.
    jest.advanceTimersByTime(1);
    await ask(pool);
    jest.advanceTimersByTime(1000);
    await ask(pool);
    expect(service.sockets).toHaveLength(2);
  });
});
