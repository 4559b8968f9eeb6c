import { beforeEach, describe, expect, it } from '@jest/globals';
import { call, speak, statusOf } from '../support/client.ts';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
});

const HOST = 'Host: gateway\r\n';
const SMUGGLED = 'GET /api/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const POST = `POST /api/x HTTP/1.1\r\n${HOST}`;
const GET = `GET /api/x HTTP/1.1\r\n${HOST}`;

/** What two servers could read differently, or what no HTTP/1.1 client sends. */
const REFUSED: readonly [what: string, bytes: string, status: number][] = [
  ['Content-Length beside Transfer-Encoding', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  ['Transfer-Encoding beside Content-Length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  ['two lengths', `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, 400],
  ['the same length twice', `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, 400],
  ['a list of lengths', `${POST}Content-Length: 5, 5\r\n\r\nhello`, 400],
  ['a signed length', `${POST}Content-Length: +5\r\n\r\nhello`, 400],
  ['a negative length', `${POST}Content-Length: -1\r\n\r\n`, 400],
  ['a hexadecimal length', `${POST}Content-Length: 0x5\r\n\r\nhello`, 400],
  ['Transfer-Encoding: identity', `${POST}Transfer-Encoding: identity\r\n\r\n${SMUGGLED}`, 400],
  ['Transfer-Encoding: xchunked', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
  ['chunked that is not last', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
  ['chunked twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['a space before the colon', `${POST}Content-Length : 5\r\n\r\nhello`, 400],
  ['obs-fold', `${GET}X-A: one\r\n two\r\n\r\n`, 400],
  ['a folded Transfer-Encoding', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`, 400],
  ['bare LF between fields', `GET /api/x HTTP/1.1\n${HOST}X-A: one\nX-B: two\n\n`, 400],
  ['bare LF at the end', `${GET}X-A: one\r\n\n`, 400],
  ['bare CR in a value', `${GET}X-A: one\rX-B: two\r\n\r\n`, 400],
  ['NUL in a value', `${GET}X-A: o\0ne\r\n\r\n`, 400],
  ['NUL in a name', `${GET}X-\0A: one\r\n\r\n`, 400],
  ['a name that is no token', `${GET}X(A): one\r\n\r\n`, 400],
  ['a field without a name', `${GET}: one\r\n\r\n`, 400],
  ['a field without a colon', `${GET}X-A\r\n\r\n`, 400],
  ['a bad chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`, 400],
  ['HTTP/0.9', 'GET /api/x\r\n\r\n', 400],
  ['HTTP/2.0 in clear', `GET /api/x HTTP/2.0\r\n${HOST}\r\n`, 400],
  ['HTTP/1.2', `GET /api/x HTTP/1.2\r\n${HOST}\r\n`, 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['an unknown method', `BREW /api/x HTTP/1.1\r\n${HOST}\r\n`, 501],
  ['a method in lower case', `get /api/x HTTP/1.1\r\n${HOST}\r\n`, 501],
  ['no Host', 'GET /api/x HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `GET /api/x HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`, 400],
  ['an empty Host', 'GET /api/x HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ['a Host that is a path', 'GET /api/x HTTP/1.1\r\nHost: a/../b\r\n\r\n', 400],
  ['a Host with an empty label', 'GET /api/x HTTP/1.1\r\nHost: a.test..\r\n\r\n', 400],
  ['a Host that begins with a dot', 'GET /api/x HTTP/1.1\r\nHost: .a.test\r\n\r\n', 400],
  ['a Host with something encoded', 'GET /api/x HTTP/1.1\r\nHost: a%2etest\r\n\r\n', 400],
  ['a Host with a user', 'GET /api/x HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
  ['a Host with a space', 'GET /api/x HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['an absolute-form target with a user', `GET http://a:b@gateway/api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target without a host', `GET http:///api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target with something encoded in its host', `GET http://a%2etest/api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target that backslashes lead elsewhere', `GET http://gateway\\@other/api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target beside no Host', 'GET http://gateway/api/x HTTP/1.1\r\n\r\n', 400],
  ['an absolute-form target beside two Hosts', `GET http://gateway/api/x HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ['an absolute-form target beside a broken Host', 'GET http://gateway/api/x HTTP/1.1\r\nHost: a/../b\r\n\r\n', 400],
  ['an absolute-form target with a dot segment', `GET http://gateway/api/../x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target of another scheme', `GET ftp://gateway/api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute-form target of https in clear', `GET https://gateway/api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an asterisk-form target of another method', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target without a slash', `GET api/x HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target with a fragment', `GET /api/x#part HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target with raw bytes', `GET /api/\xff HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a space in the target', `GET /api/x y HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['TLS on the clear port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['a huge header', `${GET}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['a huge target', `GET /api/${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
]; // prettier-ignore

const smuggled = (): number =>
  holder.shop.echo.requests.filter(({ url }) => url?.includes('smuggled')).length;

describe('a message that two servers could read differently', () => {
  let before = 0;

  beforeEach(() => {
    before = holder.shop.echo.requests.length;
  });

  it.each(REFUSED)('is refused and ends its connection: %s', async (_what, bytes, status) => {
    const answer = await speak(holder.shop.gateway.url, Buffer.from(bytes, 'latin1'));
    expect(statusOf(answer)).toBe(status);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toMatch(
      /"code":"(request-malformed|headers-too-large|uri-too-long|method-not-implemented)"/,
    );
    expect(smuggled()).toBe(0);
    expect(holder.shop.echo.requests.length - before).toBeLessThanOrEqual(Number(bytes.includes('zz\r\n')));
  });
});

describe('the gateway', () => {
  it('frames every message anew, so that a body cannot become a request', async () => {
    const headers = { 'content-length': String(SMUGGLED.length), connection: 'close, content-length' };
    const answer = await call(`${holder.shop.gateway.url}/api/x`, {
      method: 'POST',
      body: SMUGGLED,
      headers,
    });
    expect(answer.json<Echo>().body).toBe(SMUGGLED);
  });

  it('does not pass trailers and chunk extensions on', async () => {
    const bytes = `${POST}Transfer-Encoding: chunked\r\nTrailer: X-User-Id\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-User-Id: 1\r\n\r\n`;
    const answer = await speak(holder.shop.gateway.url, bytes);
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('"body":"hello"');
    expect(answer.toLowerCase()).not.toContain('x-user-id');
  });

  it('answers HTTP/1.0', async () => {
    const answer = await speak(holder.shop.gateway.url, `GET /api/x HTTP/1.0\r\n${HOST}\r\n`);
    expect(statusOf(answer)).toBe(200);
  });

  it('still answers the next client', async () => {
    expect((await call(`${holder.shop.gateway.url}/api/x`)).status).toBe(200);
    const codes = holder.shop.gateway.lines.map((line) => (line['refused'] as { code?: string })?.code);
    expect(codes).not.toContain('internal');
    expect(smuggled()).toBe(0);
  });
});
