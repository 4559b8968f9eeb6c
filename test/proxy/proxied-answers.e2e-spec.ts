import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { useShop } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'users', match: { path: '/users/*' }, upstream: 'users' },
  ],
});

function answerWith(listener: RequestListener): void {
  holder.shop.echo.listener = listener;
}

afterEach(() => answerWith(echo));

describe('a proxied answer', () => {
  it('keeps status, fields and body as the upstream wrote them', async () => {
    const body = gzipSync('{"id":12345678901234567890}');
    answerWith((_request, response) => {
      const fields = ['Content-Type', 'application/json', 'Content-Encoding', 'gzip', 'ETag', '"v1"'];
      response.writeHead(203, [...fields, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Empty', '']);
      response.end(body);
    });
    const answer = await holder.shop.call('/api/x');
    expect(answer.status).toBe(203);
    expect(answer.headers).toMatchObject({ etag: '"v1"', 'set-cookie': ['a=1', 'b=2'], 'x-empty': '' });
    expect(gunzipSync(answer.body).toString()).toBe('{"id":12345678901234567890}');
  });

  it('loses the fields that concern the upstream connection only', async () => {
    answerWith((_request, response) => {
      response.writeHead(200, {
        connection: 'x-hop, close',
        'x-hop': 'secret',
        'keep-alive': 'timeout=9',
        'proxy-authenticate': 'Basic',
        'x-request-id': 'made-up-by-the-upstream',
      });
      response.end('x');
    });
    const { headers } = await holder.shop.call('/api/x');
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-hop', 'proxy-authenticate']));
    expect(headers['keep-alive']).not.toBe('timeout=9');
    expect(headers['x-request-id']).not.toBe('made-up-by-the-upstream');
  });

  it('to HEAD has the length of the body and no body', async () => {
    const get = await holder.shop.call('/users/1', { as: 'user' });
    const head = await holder.shop.call('/users/1', { as: 'user', method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(String(get.body.length));
    expect(head.body).toHaveLength(0);
    expect(await holder.shop.lineOf(head)).toMatchObject({ method: 'HEAD', status: 200 });
  });

  it.each([204, 304])('%s ends without a body, on a connection that stays good', async (status) => {
    answerWith((_request, response) => response.writeHead(status, { etag: '"v1"' }).end());
    for (let i = 0; i < 2; i += 1) {
      const answer = await holder.shop.call('/api/x', { headers: { 'if-none-match': '"v1"' } });
      expect(answer.status).toBe(status);
      expect(answer.headers['etag']).toBe('"v1"');
      expect(answer.body).toHaveLength(0);
    }
  });

  it('304 that states the length of what it does not send is complete', async () => {
    answerWith((_request, response) => response.writeHead(304, { 'content-length': '1234' }).end());
    const answer = await holder.shop.call('/api/x');
    expect(answer.status).toBe(304);
    expect(await holder.shop.lineOf(answer)).not.toHaveProperty('cut');
  });

  it.each([400, 404, 500, 503])("is the upstream's own, when it says %s", async (status) => {
    answerWith((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/plain' }).end('words of the upstream');
    });
    const answer = await holder.shop.call('/api/x', { method: 'POST' });
    expect(answer.status).toBe(status);
    expect(answer.text).toBe('words of the upstream');
    expect(await holder.shop.lineOf(answer)).not.toHaveProperty('refused');
  });

  it('starts to arrive before the upstream has finished it', async () => {
    const second = Promise.withResolvers<void>();
    answerWith((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      void second.promise.then(() => response.end('data: 2\n\n'));
    });
    const answer = await fetch(`${holder.shop.gateway.url}/api/x`);
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n');
    second.resolve();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 2\n\n');
  });
});

describe('an interim answer', () => {
  it('103 is not mistaken for the answer', async () => {
    answerWith((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('final'));
    });
    const answer = await holder.shop.call('/api/x');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('final');
  });
});
