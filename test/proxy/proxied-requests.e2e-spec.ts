import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    {
      id: 'echo',
      match: { path: '/api/*' },
      upstream: 'echo',
      rewrite: { stripPrefix: '/api' },
      policies: { authentication: 'public' },
    },
    {
      id: 'report',
      match: { methods: ['GET'], path: '/reports/{year}/{name}' },
      upstream: 'echo',
      rewrite: { path: '/files/{name}?year={year}' },
      policies: { authentication: 'public' },
    },
  ],
});

const BODIES: readonly [string, Buffer][] = [
  ['a number beyond 2^53', Buffer.from('{"id":12345678901234567890123,"price":1.10,"a":1,"a":2}')],
  ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80])],
  ['one byte', Buffer.from('x')],
  ['what looks like a chunk', Buffer.from('5\r\nhello\r\n0\r\n\r\n')],
  ['300 KiB', Buffer.alloc(300 * 1024, 'gatehouse\n')],
];

describe('a proxied request', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'arrives with the method %s',
    async (method) => {
      const answer = await holder.shop.call('/api/things', { method });
      expect(answer.status).toBe(200);
      expect(answer.json<Echo>()).toMatchObject({ method, url: '/things' });
    },
  );

  it('arrives with its query as it was written', async () => {
    const query = '?a=1&a=2&empty=&flag&sp=a+b%20c&enc=%2F%3f%26&utf=%C3%A4&q=a?b';
    const { url } = (await holder.shop.call(`/api/things${query}`)).json<Echo>();
    expect(url).toBe(`/things${query}`);
  });

  it('has its path rewritten with parameters into path and query', async () => {
    const { url } = (await holder.shop.call('/reports/2026/q%26a?format=csv')).json<Echo>();
    expect(url).toBe('/files/q%26a?year=2026&format=csv');
  });

  it.each(BODIES)('arrives with its body byte by byte: %s', async (_what, body) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const declared = await holder.shop.call('/api/b', { method: 'POST', body, headers });
    expect(declared.json<Echo>().base64).toBe(body.toString('base64'));
    const chunked = await holder.shop.call('/api/b', { method: 'POST', body: Readable.from([body]) });
    expect(chunked.json<Echo>().base64).toBe(body.toString('base64'));
  });

  it('keeps an empty body empty', async () => {
    const headers = { 'content-length': '0' };
    const answer = await holder.shop.call('/api/b', { method: 'POST', headers });
    expect(answer.json<Echo>()).toMatchObject({ body: '' });
    expect(answer.json<Echo>().headers['content-length']).toBe('0');
  });

  it.each(['GET', 'DELETE', 'OPTIONS'])('takes the body of %s along', async (method) => {
    const headers = { 'content-length': '5' };
    const answer = await holder.shop.call('/api/b', { method, body: 'hello', headers });
    expect(answer.json<Echo>().body).toBe('hello');
  });

  it.each(['foo', 'application/json; charset=utf-16', 'text/plain;;', '', 'multipart/form-data', 'a/b, c/d'])(
    'keeps the content type %p, whatever it means',
    async (type) => {
      const headers = { 'content-type': type, 'content-length': '2' };
      const answer = await holder.shop.call('/api/b', { method: 'POST', body: 'hi', headers });
      expect(answer.status).toBe(200);
      expect(answer.json<Echo>().headers['content-type']).toBe(type);
    },
  );
});

describe('the header of a proxied request', () => {
  it('keeps what is between client and service, several values included', async () => {
    const headers = {
      'x-custom': ['one', 'two'],
      cookie: 'a=1; b=2',
      'accept-language': 'de',
      'x-empty': '',
    };
    const { rawHeaders } = (await holder.shop.call('/api/h', { headers })).json<Echo>();
    const fields = rawHeaders.flatMap((name, i) =>
      i % 2 ? [] : [`${name.toLowerCase()}: ${rawHeaders[i + 1]}`],
    );
    expect(fields).toEqual(
      expect.arrayContaining(['x-custom: one', 'x-custom: two', 'cookie: a=1; b=2', 'x-empty: ']),
    );
  });

  it('says where the request came from', async () => {
    const headers = { host: 'api.example.com:8080' };
    const seen = (await holder.shop.call('/api/h', { headers })).json<Echo>().headers;
    expect(seen).toMatchObject({
      host: new URL(holder.shop.echo.url).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api.example.com:8080',
    });
  });
});
