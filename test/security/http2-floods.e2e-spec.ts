import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  END_HEADERS,
  END_STREAM,
  field,
  FRAME,
  frame,
  FrameClient,
  head,
  many,
  streamId,
} from '../support/http2-frames.ts';
import { echo, startUpstream, type TestUpstream } from '../support/upstream.ts';

const CANCEL = Buffer.of(0, 0, 0, 8);
const WHOLE = END_STREAM | END_HEADERS;
const CALM = 11;
const PROTOCOL_ERROR = 1;

let upstream: TestUpstream;
let gateway: TestGateway;
const clients: FrameClient[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  const config = {
    version: 1,
    listeners: [{ port: 0, http2: true, limits: { headerTime: '1s', concurrentStreams: 100 } }],
    upstreams: { echo: { targets: [upstream.url], circuitBreaker: 'off' } },
    routes: [
      {
        id: 'ws',
        match: { path: '/ws' },
        upstream: 'echo',
        webSocket: 'on',
        policies: { authentication: 'public' },
      },
      { id: 'all', match: { path: '/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    ],
  };
  gateway = await startGateway({ config: JSON.stringify(config) });
});
afterEach(() => {
  upstream.listener = echo;
  upstream.requests.length = 0;
  for (const { socket } of clients.splice(0)) socket.destroy();
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

function client(bytes: Buffer): FrameClient {
  const one = new FrameClient(gateway.url);
  clients.push(one);
  one.socket.write(bytes);
  return one;
}

const fields = (count: number, length: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`x-${i}`, 'a'.repeat(length)]);

/** Fields that make a head for `/x` so large, as RFC 9113 section 6.5.2 counts. */
const kibibytes = (count: number, more = 0): [string, string][] => {
  const all = [...fields(count - 1, 960), ['x-last', ''] as [string, string]];
  // Of :method GET, :scheme http, :path /x and :authority a.test, with 32 for each.
  const size = all.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 172);
  return [...all.slice(0, -1), ['x-last', 'a'.repeat(count * 1024 + more - size)]];
};

const tunnel = (...more: [string, string][]): Buffer =>
  Buffer.concat(
    [
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'http'],
      [':path', '/ws'],
      [':authority', 'a'],
      ['sec-websocket-version', '13'],
      ...more,
    ].map(([name = '', value = '']) => field(name, value)),
  );

const MOST_OF_A_FRAME = 16_384;

/** A head in as many frames as it takes. */
const inFrames = (block: Buffer): Buffer =>
  many(Math.ceil(block.length / MOST_OF_A_FRAME), (i) => {
    const part = block.subarray(i * MOST_OF_A_FRAME, (i + 1) * MOST_OF_A_FRAME);
    const isLast = (i + 1) * MOST_OF_A_FRAME >= block.length;
    const type = i === 0 ? FRAME.headers : FRAME.continuation;
    return frame(type, (i === 0 ? END_STREAM : 0) | (isLast ? END_HEADERS : 0), 1, part);
  });

const get = (index: number, path = '/x'): Buffer => frame(FRAME.headers, WHOLE, streamId(index), head(path));

describe('a client that makes work for nothing', () => {
  it('loses its connection after a hundred requests that it gives up at once (CVE-2023-44487)', async () => {
    upstream.listener = () => {};
    const one = client(
      many(3000, (i) => Buffer.concat([get(i), frame(FRAME.reset, 0, streamId(i), CANCEL)])),
    );
    await one.closed;
    expect(upstream.requests.length).toBeLessThan(200);
  });

  it('may give up a hundred', async () => {
    const one = client(
      Buffer.concat([
        many(90, (i) => Buffer.concat([get(i), frame(FRAME.reset, 0, streamId(i), CANCEL)])),
        get(90),
      ]),
    );
    await one.until(() =>
      one.frames.some(({ type, stream }) => type === FRAME.data && stream === streamId(90)),
    );
    expect(one.socket.destroyed).toBe(false);
  });

  it.each<[string, Buffer, number | undefined]>([
    ['pings', many(100, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))), CALM],
    ['settings', many(100, () => frame(FRAME.settings, 0, 0)), CALM],
    ['window updates', many(200_000, () => frame(FRAME.windowUpdate, 0, 0, Buffer.of(0, 0, 0, 1))), CALM],
    ['priorities', many(20_000, () => frame(FRAME.priority, 0, 1, Buffer.of(0, 0, 0, 3, 1))), CALM],
    [
      'a head in hundreds of frames (CVE-2024-27316)',
      Buffer.concat([
        frame(FRAME.headers, END_STREAM, 1, head('/x')),
        many(300, () => frame(FRAME.continuation, 0, 1, field('a', 'b'))),
      ]),
      undefined,
    ],
    [
      'empty pieces of a body',
      Buffer.concat([
        frame(FRAME.headers, END_HEADERS, 1, head('/x')),
        many(2000, () => frame(FRAME.data, 0, 1)),
      ]),
      undefined,
    ],
    [
      'trailers that break the rules (CVE-2025-8671)',
      many(200, (i) =>
        Buffer.concat([
          frame(FRAME.headers, END_HEADERS, streamId(i), head('/x')),
          frame(FRAME.headers, WHOLE, streamId(i), field(':path', '/y')),
        ]),
      ),
      undefined,
    ],
  ])('loses its connection after too many %s', async (_, bytes, code) => {
    const one = client(bytes);
    await one.closed;
    if (code !== undefined) expect(one.goaway).toBe(code);
    expect(upstream.requests.length).toBeLessThan(110);
  });

  it('loses its connection when it begins a head and never ends it', async () => {
    const one = client(frame(FRAME.headers, END_STREAM, 1, head('/x')));
    await one.closed;
    expect(upstream.requests).toHaveLength(0);
  });

  it('is refused what is more than a hundred requests at once, and keeps its connection', async () => {
    upstream.listener = () => {};
    const one = client(many(150, (i) => get(i)));
    await one.until(() => one.count(FRAME.reset) >= 50 && upstream.requests.length >= 100);
    expect([one.count(FRAME.reset), upstream.requests.length, one.socket.destroyed]).toEqual([
      50,
      100,
      false,
    ]);
  });
});

describe('a body that is longer than it is said to be', () => {
  const post = (index: number): Buffer =>
    frame(FRAME.headers, END_HEADERS, streamId(index), head('/x', ['content-length', '3']));
  const data = (index: number, text: string, flags = 0): Buffer =>
    frame(FRAME.data, flags, streamId(index), Buffer.from(text));
  const isAnswered = (one: FrameClient, index: number): boolean =>
    one.frames.some(({ type, stream }) => type === FRAME.data && stream === streamId(index));

  it.each<[string, Buffer]>([
    ['in one frame', data(0, 'abcd')],
    ['in several', Buffer.concat([data(0, 'ab'), data(0, 'cd', END_STREAM)])],
    ['beside another such', Buffer.concat([post(2), data(0, 'abcd'), data(2, 'abcd')])],
  ])('loses its stream and no other: %s', async (_, bytes) => {
    const one = client(Buffer.concat([post(0), post(1)]));
    await one.until(() => one.count(FRAME.settings) > 1);
    one.socket.write(bytes);
    await one.until(() => one.reset !== undefined);
    expect(one.reset).toBe(PROTOCOL_ERROR);
    one.socket.write(data(1, 'abc', END_STREAM));
    await one.until(() => isAnswered(one, 1));
    one.socket.write(get(9));
    await one.until(() => isAnswered(one, 9));
    expect([one.goaway, one.socket.destroyed]).toEqual([undefined, false]);
  });

  it('loses its connection after fifty of them', async () => {
    const one = client(Buffer.alloc(0));
    for (let sent = 0; sent < 200 && !one.socket.destroyed; sent += 50) {
      one.socket.write(many(50, (i) => Buffer.concat([post(sent + i), data(sent + i, 'abcd')])));
      await one.until(() => one.goaway !== undefined || one.count(FRAME.reset) >= sent + 50);
    }
    await one.closed;
    expect(one.goaway).toBeGreaterThan(0);
    expect(one.count(FRAME.reset)).toBeLessThan(60);
  });

  it('does not hide what breaks the connection', async () => {
    const one = client(Buffer.concat([post(0), data(0, 'abcd'), frame(FRAME.data, 0, 0, Buffer.from('x'))]));
    await one.closed;
    expect(one.goaway).toBe(PROTOCOL_ERROR);
  });
});

describe('a request that two parties could read differently', () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ['a name in upper case', [['X-A', 'b']]],
    ['Connection', [['connection', 'close']]],
    ['Transfer-Encoding', [['transfer-encoding', 'chunked']]],
    ['Upgrade', [['upgrade', 'h2c']]],
    ['Keep-Alive', [['keep-alive', 'timeout=5']]],
    ['TE with anything but trailers', [['te', 'gzip']]],
    ['a second path', [[':path', '/y']]],
    ['a length that is another one', [['content-length', '5']]],
  ])('is refused with %s', async (_, more) => {
    const one = client(frame(FRAME.headers, WHOLE, 1, head('/x', ...more)));
    await one.until(() => one.reset !== undefined || one.goaway !== undefined);
    expect(one.reset ?? one.goaway).toBe(PROTOCOL_ERROR);
    expect(upstream.requests).toHaveLength(0);
  });

  it.each<[string, Buffer]>([
    ['another host than its authority', head('/x', ['host', 'b.test'])],
    ['a path in another spelling', head('/a%2fb')],
  ])('is answered with 400 where it has %s', async (_, block) => {
    const one = client(frame(FRAME.headers, WHOLE, 1, block));
    await one.until(() => one.count(FRAME.data) > 0);
    expect(String(one.frames.find(({ type }) => type === FRAME.data)?.payload)).toContain(
      'request-malformed',
    );
    expect(upstream.requests).toHaveLength(0);
  });

  it.each<[string, Buffer]>([
    ['far too many fields', head('/x', ...fields(410, 1))],
    ['far too long ones', head('/x', ...fields(72, 880))],
    ['far too long ones for a tunnel', tunnel(...fields(72, 880))],
    [
      'no host at all',
      Buffer.concat([field(':method', 'GET'), field(':scheme', 'http'), field(':path', '/x')]),
    ],
    [
      'a scheme that nobody serves',
      Buffer.concat(
        [
          [':method', 'GET'],
          [':scheme', 'ftp'],
          [':path', '/x'],
          [':authority', 'a'],
        ].map(([a = '', b = '']) => field(a, b)),
      ),
    ],
  ])('loses its stream with %s', async (_, block) => {
    const one = client(inFrames(block));
    await one.until(() => one.reset !== undefined);
    expect([one.reset !== undefined, one.socket.destroyed]).toEqual([true, false]);
    expect(upstream.requests).toHaveLength(0);
  });

  it.each<[string, [string, string]]>([
    ['a line break in a value', ['x-a', 'b\r\nx-b: c']],
    ['a zero byte in a value', ['x-a', 'b\0']],
    ['a space in a name', ['x a', 'b']],
  ])('loses the field that has %s', async (_, one) => {
    const asking = client(frame(FRAME.headers, WHOLE, 1, head('/x', one)));
    await asking.until(() => asking.count(FRAME.data) > 0);
    const names = upstream.requests.flatMap(({ rawHeaders }) => rawHeaders.filter((_name, i) => i % 2 === 0));
    expect(names.filter((name) => /^x[- ][ab]/i.test(name))).toEqual([]);
  });
});

describe('a request that no parser of HTTP/1.1 would read', () => {
  const withMethod = (method: string): Buffer =>
    Buffer.concat(
      [
        [':method', method],
        [':scheme', 'http'],
        [':path', '/x?secret=1'],
        [':authority', 'a'],
      ].map(([name = '', value = '']) => field(name, value)),
    );

  it.each<[string, Buffer, number, string, string]>([
    ['of 101 fields', head('/x', ...fields(97, 1)), 431, 'headers-too-large', 'GET'],
    ['of more than 15 KiB', head('/x', ...kibibytes(15, 1)), 431, 'headers-too-large', 'GET'],
    ['for a tunnel, of more than 15 KiB', tunnel(...fields(17, 880)), 431, 'headers-too-large', 'CONNECT'],
    ['of an unknown method', withMethod('FOO'), 501, 'method-not-implemented', '_OTHER'],
    [
      'of a method that is a name of objects',
      withMethod('__proto__'),
      501,
      'method-not-implemented',
      '_OTHER',
    ],
  ])('%s is answered with a problem, and has its line', async (_, block, status, code, method) => {
    const one = client(frame(FRAME.headers, WHOLE, 1, block));
    await one.until(() => one.count(FRAME.data) > 0);
    const body = one.frames.find(({ type }) => type === FRAME.data)?.payload;
    const { instance, ...problem } = JSON.parse(String(body)) as Record<string, string>;
    expect(problem).toMatchObject({ status, code });
    const id = instance?.split(':').at(-1);
    const lines = await gateway.linesWhere((line) => line['id'] === id);
    expect(lines).toMatchObject([{ msg: 'exchange', method, status, refused: { stage: 'open', code } }]);
    expect([upstream.requests.length, one.socket.destroyed]).toEqual([0, false]);
  });

  it('of 100 fields, and 15 KiB, is answered', async () => {
    const one = client(
      Buffer.concat([
        frame(FRAME.headers, WHOLE, 1, head('/x', ...fields(96, 1))),
        frame(FRAME.headers, WHOLE, 3, head('/x', ...kibibytes(15))),
      ]),
    );
    await one.until(() => upstream.requests.length === 2);
    expect(upstream.requests).toHaveLength(2);
  });
});

describe('a tunnel that makes work for nothing', () => {
  it('is reset before anybody looks at it, and counts among those that are', async () => {
    const one = client(
      many(3000, (i) =>
        Buffer.concat([
          frame(FRAME.headers, END_HEADERS, streamId(i), tunnel()),
          frame(FRAME.reset, 0, streamId(i), CANCEL),
        ]),
      ),
    );
    await one.closed;
    expect(upstream.requests.length).toBeLessThan(200);
  });
});

describe('a connection over which nobody speaks HTTP/2', () => {
  it('never switches to it: Upgrade: h2c is answered over HTTP/1.1, and goes no further', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const lines = [
      'Host: a',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    ];
    socket.write(`GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const [text] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(String(text)).toMatch(/^HTTP\/1.1 200 /);
    const { headers } = upstream.requests.at(-1) ?? { headers: {} };
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers).not.toHaveProperty('http2-settings');
  });
});
