import { afterEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { useShop, type RouteInput } from '../support/shop.ts';
import { echo, type Echo } from '../support/upstream.ts';

const route = (id: string, transform: object, upstream = 'echo'): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream,
  rewrite: { stripPrefix: `/${id}` },
  policies: { authentication: 'public', transform },
});

const holder = useShop({
  routes: [
    route('headers', {
      request: {
        setHeaders: { 'x-internal-request': 'true', 'X-Replaced': 'ours' },
        removeHeaders: ['Cookie'],
      },
      response: {
        setHeaders: { 'strict-transport-security': 'max-age=1' },
        removeHeaders: ['Server', 'X-Powered-By'],
      },
    }),
    route('masked', { response: { maskFields: ['internal', 'owner.email', 'id'], maxBody: '1KiB' } }),
    route('users', { response: { maskFields: ['internal'] } }, 'users'),
  ],
});

function answer(body: string | Buffer, headers: Record<string, string> = {}): void {
  holder.shop.echo.listener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', etag: '"v1"', ...headers }).end(body);
  };
}

afterEach(() => {
  holder.shop.echo.listener = echo;
});

describe('header transforms', () => {
  it('set and remove fields on the way to the upstream', async () => {
    const headers = { cookie: 'a=1', 'x-replaced': 'theirs', 'x-kept': 'yes' };
    const seen = (await holder.shop.call('/headers/x', { headers })).json<Echo>().headers;
    expect(seen).toMatchObject({ 'x-internal-request': 'true', 'x-replaced': 'ours', 'x-kept': 'yes' });
    expect(seen).not.toHaveProperty('cookie');
  });

  it('set and remove fields on the way to the client', async () => {
    answer('{}', { server: 'secret/1.0', 'x-powered-by': 'secret' });
    const { headers } = await holder.shop.call('/headers/x');
    expect(headers).toMatchObject({ 'strict-transport-security': 'max-age=1', etag: '"v1"' });
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('x-powered-by');
  });
});

describe('field masking', () => {
  it('removes what the sample service says is internal', async () => {
    const masked = await holder.shop.call('/users/users/1');
    expect(masked.json()).toMatchObject({ id: '1', name: 'Ada Admin' });
    expect(masked.text).not.toContain('riskScore');
    expect((await holder.shop.call('/users/users')).text).not.toContain('riskScore');
  });

  it('leaves every other byte of meaning as it was, with a length that fits', async () => {
    answer(
      '{"big":12345678901234567890,"rate":1.10,"e":1e400,"list":[{"id":1,"a":1},{"internal":{}}],"owner":{"email":"x","name":"Ü"},"email":"kept","__proto__":{"a":1}}',
    );
    const masked = await holder.shop.call('/masked/x');
    expect(masked.text).toBe(
      '{"big":12345678901234567890,"rate":1.10,"e":1e400,"list":[{"a":1},{}],"owner":{"name":"Ü"},"email":"kept","__proto__":{"a":1}}',
    );
    expect(masked.headers['content-length']).toBe(String(masked.body.length));
    expect(masked.headers).not.toHaveProperty('etag');
  });

  it.each([
    ['is not JSON', '{"internal": ', {}],
    ['is larger than the route allows', JSON.stringify({ a: 'x'.repeat(2000) }), {}],
    ['is compressed twice', gzipSync(gzipSync('{"internal":1}')), { 'content-encoding': 'gzip, gzip' }],
  ] as const)('sends nothing of an answer that %s: 502', async (_what, body, headers) => {
    answer(body, headers);
    const refused = await holder.shop.call('/masked/x');
    expect(refused.status).toBe(502);
    expect(refused.json()).toMatchObject({ code: 'upstream-response-invalid' });
  });

  it('lets through what has no fields, and answers without a body', async () => {
    answer('internal', { 'content-type': 'text/plain' });
    expect((await holder.shop.call('/masked/x')).text).toBe('internal');
    answer('');
    expect((await holder.shop.call('/masked/x')).status).toBe(200);
    expect((await holder.shop.call('/masked/x', { method: 'HEAD' })).status).toBe(200);
  });
});
