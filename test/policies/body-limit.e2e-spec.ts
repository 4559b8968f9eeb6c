import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { parseAnswer, speak, type Answer } from '../support/client.ts';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  upstreams: ({ payments }) => ({
    strict: { targets: [payments.url], circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
  }),
  routes: [
    {
      id: 'small',
      match: { path: '/small' },
      upstream: 'echo',
      policies: { authentication: 'public', bodyLimit: '1KiB' },
    },
    {
      id: 'strict',
      match: { path: '/uploads/{name}' },
      upstream: 'strict',
      policies: { authentication: 'public', bodyLimit: '1KiB' },
    },
  ],
});

async function expectRefusal(answer: Answer): Promise<void> {
  expect(answer.status).toBe(413);
  expect(answer.json()).toMatchObject({ code: 'body-too-large' });
  expect(await holder.shop.lineOf(answer)).toMatchObject({ status: 413 });
}

describe('a body limit', () => {
  it('takes a body of exactly its size, declared and chunked', async () => {
    for (const body of [Buffer.alloc(1024), Readable.from([Buffer.alloc(1000), Buffer.alloc(24)])]) {
      expect((await holder.shop.call('/small', { method: 'POST', body })).status).toBe(200);
    }
  });

  it('refuses a declared length before a byte of the body is there', async () => {
    const before = holder.shop.echo.requests.length;
    const head = 'POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n\r\n';
    const answer = parseAnswer(await speak(holder.shop.gateway.url, head));
    await expectRefusal(answer);
    expect(answer.headers['connection']).toBe('close');
    expect(holder.shop.echo.requests).toHaveLength(before);
  });

  it('refuses a chunked body once it is too large, and the target is not to blame', async () => {
    for (let i = 0; i < 3; i += 1) {
      const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
      const head = 'PUT /uploads/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
      await expectRefusal(parseAnswer(await speak(holder.shop.gateway.url, head + chunk + chunk)));
    }
    expect((await holder.shop.call('/uploads/a', { method: 'PUT', body: 'small' })).status).toBe(200);
  });

  it('of a handler is that of its parser', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ a: 'x'.repeat(2 ** 20) });
    await expectRefusal(
      await holder.shop.call('/api/v1/orders', { method: 'POST', as: 'user', body, headers }),
    );
  });
});
