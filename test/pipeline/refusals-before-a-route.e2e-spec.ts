import { afterEach, describe, expect, it } from '@jest/globals';
import { METHODS } from 'node:http';
import { RawClient } from '../support/body-doors.ts';
import { parseAnswer, speak, type Answer } from '../support/client.ts';
import { useShop } from '../support/shop.ts';
import { echo, type Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'any', match: { path: '/any/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    {
      id: 'some',
      match: { methods: ['GET', 'PUT'], path: '/some' },
      upstream: 'echo',
      policies: { authentication: 'public' },
    },
  ],
});

afterEach(() => void (holder.shop.echo.listener = echo));

const HOST = 'Host: x\r\n\r\n';
const say = async (bytes: string): Promise<Answer> =>
  parseAnswer(await speak(holder.shop.gateway.url, bytes, 15_000));

/** What no route ever sees, with what it is answered. */
const REFUSED: readonly [what: string, bytes: string, status: number, code: string][] = [
  ['no request', 'nonsense\r\n\r\n', 400, 'request-malformed'],
  ['a method that nobody knows', `BREW / HTTP/1.1\r\n${HOST}`, 501, 'method-not-implemented'],
  ['a longer method than one that is known', `GETS / HTTP/1.1\r\n${HOST}`, 501, 'method-not-implemented'],
  ['a method of another protocol', `DESCRIBE / HTTP/1.1\r\n${HOST}`, 501, 'method-not-implemented'],
  ['a long target', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\n${HOST}`, 414, 'uri-too-long'],
  ['long fields', `GET / HTTP/1.1\r\nX: ${'a'.repeat(17_000)}\r\n${HOST}`, 431, 'headers-too-large'],
  ['CONNECT', `CONNECT a.example:443 HTTP/1.1\r\n${HOST}`, 501, 'method-not-implemented'],
  ['CONNECT with a path', `CONNECT /any/x HTTP/1.1\r\n${HOST}`, 501, 'method-not-implemented'],
  [
    'CONNECT with a body',
    'CONNECT a:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
    501,
    'method-not-implemented',
  ],
];

/** A head that is so large as Node counts: target, names and values. */
const headOf = (size: number): string => {
  const counted = '/any/x'.length + 'Host'.length + 'x'.length + 'X'.length;
  return `GET /any/x HTTP/1.1\r\nX: ${'a'.repeat(size - counted)}\r\n${HOST}`;
};

describe('the largest head', () => {
  it('of just below 15 KiB is still taken by a target that takes 16 KiB, with all that is added to it', async () => {
    expect((await say(headOf(15 * 1024 - 1))).status).toBe(200);
  });

  it('of 15 KiB is refused here and asked of nobody', async () => {
    const asked = holder.shop.echo.requests.length;
    const answer = await say(headOf(15 * 1024));
    expect([answer.status, answer.json()]).toMatchObject([431, { code: 'headers-too-large' }]);
    expect(holder.shop.echo.requests.length).toBe(asked);
  });
});

const UNKNOWN_EXPECTATION = `GET /any/x HTTP/1.1\r\nExpect: magic\r\n${HOST}`;

describe('a head that is too long and comes in pieces', () => {
  const long = 'a'.repeat(9000);
  it.each<[what: string, pieces: readonly string[], status: number | readonly number[]]>([
    ['a target', [`GET /${long}`, long, 'bbb', ` HTTP/1.1\r\n${HOST}`], 414],
    ['a target whose end is in the piece', [`GET /${long}`, `${long} HTTP/1.1\r\n${HOST}`], 414],
    ['a version in pieces', [`GET /${long}`, long, ' HT', 'TP/1', `.1\r\n${HOST}`], 414],
    [
      'a target of a later request',
      [`GET /any/x HTTP/1.1\r\n${HOST}`, `GET /${long}`, `${long} HTTP/1.1\r\n`],
      414,
    ],
    ['a method in pieces', ['GE', `T /${long}${long} HTTP/1.1\r\n${HOST}`], 414],
    ['a target behind its method', ['GET', ` /${long}${long} HTTP/1.1\r\n${HOST}`], 414],
    ['a method and a target in pieces', ['PO', `ST http://x/${long}`, long, ` HTTP/1.1\r\n${HOST}`], 414],
    [
      'a method in pieces of a later request',
      [`GET /any/x HTTP/1.1\r\n${HOST}`, 'M-SEA', `RCH *${long}${long} HTTP/1.1\r\n`],
      414,
    ],
    ['a field that goes on as a method would', [`GET / HTTP/1.1\r\nX: fo`, `T /${long}${long} b\r\n`], 431],
    ['a field', [`GET / HTTP/1.1\r\nX: ${long}`, long, 'bbb\r\n', HOST], 431],
    ['a field whose end is in the piece', [`GET / HTTP/1.1\r\nX: ${long}`, `${long}\r\n${HOST}`], 431],
    ['a field with blanks', [`GET / HTTP/1.1\r\nX: ${long}`, `${long} b`], 431],
    ['a field that says it is a target', [`GET / HTTP/1.1\r\nX: ${long}`, `${long} HTTP/1.1 \r\n`], 431],
    ['the name of a field', [`GET / HTTP/1.1\r\nX${long}`, `${long}: x\r\n`], 431],
    // Of a line without an end the last piece alone says which limit it was: a busy machine reads several as one.
    ['what has no end', [`GET /${long}`, ...Array<string>(9).fill(long)], [414, 431]],
    ['what nobody ends', [`GET / HTTP/1.1\r\nX: ${long}`, long], 431],
  ])('%s', async (_what, pieces, status) => {
    const client = new RawClient(holder.shop.gateway.url);
    client.socket.setNoDelay(true);
    for (const piece of pieces) {
      client.socket.write(piece);
      do await new Promise((resolve) => setTimeout(resolve, 15));
      while (piece.startsWith('GET /any/x') && client.heard === '' && !client.socket.destroyed);
    }
    await client.closed;
    const last = client.heard.slice(client.heard.lastIndexOf('HTTP/1.1 '));
    expect([status].flat()).toContain(parseAnswer(last).status);
    expect(last).toMatch(/^connection: close/im);
  });
});

describe('what is refused before a route is looked for', () => {
  it.each([...REFUSED, ['an expectation', UNKNOWN_EXPECTATION, 417, 'expectation-failed'] as const])(
    'has a problem, a date and a line: %s',
    async (_what, bytes, status, code) => {
      const asked = holder.shop.echo.requests.length;
      const heard = await speak(holder.shop.gateway.url, bytes);
      const answer = parseAnswer(heard);
      expect(answer.status).toBe(status);
      expect(answer.json()).toMatchObject({ status, code });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(Math.abs(Date.parse(/^date: (.*)$/im.exec(heard)?.[1] ?? '') - Date.now())).toBeLessThan(60_000);
      const id = answer.headers['x-request-id'];
      const lines = await holder.shop.gateway.linesWhere((line) => line['id'] === id);
      expect(lines).toEqual([
        expect.objectContaining({
          status,
          bytes: answer.body.length,
          refused: expect.objectContaining({ code }),
        }),
      ]);
      expect(holder.shop.echo.requests.length).toBe(asked);
    },
  );

  it.each(REFUSED)('ends its connection: %s', async (_what, bytes) => {
    const one = new RawClient(holder.shop.gateway.url);
    one.socket.write(bytes);
    await one.closed;
    expect(one.heard).toMatch(/^connection: close/im);
    expect(one.heard.split('HTTP/1.1 ').length).toBe(2);
  });

  it('leaves a line where nothing can be said', async () => {
    const one = new RawClient(holder.shop.gateway.url);
    const asked = new Promise<void>((resolve) => (holder.shop.echo.listener = () => resolve()));
    one.socket.write(`GET /any/x HTTP/1.1\r\n${HOST}`);
    await asked;
    one.socket.write('BREW / HTTP/1.1\r\n');
    await one.closed;
    const [line] = await holder.shop.gateway.linesWhere(
      (each) => each.msg === 'connection refused' && each['cut'] === true,
    );
    expect(line).toMatchObject({ cut: true, refused: { code: 'method-not-implemented' } });
    expect(line).not.toHaveProperty('status');
  });

  it('answers CONNECT in its turn', async () => {
    const began = Promise.withResolvers<() => void>();
    holder.shop.echo.listener = (_request, response) => began.resolve(() => response.end('first'));
    const one = new RawClient(holder.shop.gateway.url);
    one.socket.write(
      `GET /any/x HTTP/1.1\r\n${HOST}GET /any/y HTTP/1.1\r\n${HOST}CONNECT a:1 HTTP/1.1\r\n${HOST}rest`,
    );
    const finish = await began.promise;
    expect(one.heard).toBe('');
    holder.shop.echo.listener = (_request, response) => void response.end('second');
    finish();
    await one.closed;
    expect(one.heard).toMatch(
      /^HTTP\/1\.1 200 [^]*first[^]*HTTP\/1\.1 200 [^]*second[^]*HTTP\/1\.1 501 [^]*\}$/,
    );
  });
});

describe('a method', () => {
  it.each(METHODS.filter((method) => method !== 'CONNECT' && method !== 'HEAD'))(
    '%s is routed where a route takes all, and told what is taken where not',
    async (method) => {
      const routed = await say(`${method} /any/x HTTP/1.1\r\n${HOST}`);
      expect(routed.status).toBe(200);
      expect(routed.json<Echo>()).toMatchObject({ method, url: '/any/x' });
      const told = await say(`${method} /some HTTP/1.1\r\n${HOST}`);
      const isTaken = ['GET', 'PUT'].includes(method);
      expect([told.status, told.headers['allow']]).toEqual(
        isTaken ? [200, undefined] : [405, 'GET, HEAD, PUT'],
      );
    },
  );

  it('of no handler is told what handlers take', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'QUERY']) {
      const answer = await say(`${method} /api/homepage HTTP/1.1\r\n${HOST}`);
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
    }
  });
});
