import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { open } from '../support/client.ts';
import { startShop, type Shop } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const GIGABYTE = 2 ** 30;
let shop: Shop;

beforeAll(async () => {
  shop = await startShop({
    upstreams: ({ payments }) => ({
      // One failure would open it, so that it shows when a client's leaving is counted against the target.
      files: { targets: [payments.url], circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
    }),
    routes: [
      {
        id: 'files',
        match: { path: '/files/*' },
        upstream: 'files',
        rewrite: { stripPrefix: '/files' },
        policies: { authentication: 'public' },
      },
      { id: 'echo', match: { path: '/echo' }, upstream: 'echo', policies: { authentication: 'public' } },
    ],
  });
});
afterAll(() => shop.stop());

async function expectTargetIsFine(): Promise<void> {
  expect((await shop.call('/files/downloads/10')).status).toBe(200);
}

describe('a client that disconnects', () => {
  it('in the middle of a download ends it at the upstream, as 499, and is not held against the target', async () => {
    const { payments } = shop.services;
    const aborted = payments.requests.aborted;
    const incoming = await open(`${shop.gateway.url}/files/downloads/${GIGABYTE}`, {
      headers: { 'x-request-id': 'download-1' },
    });
    await once(incoming, 'data');
    incoming.destroy();
    const line = await shop.lineOfId('download-1');
    expect(line).toMatchObject({ status: 499, cut: true, refused: { code: 'client-closed' } });
    expect(Number(line['bytes'])).toBeLessThan(GIGABYTE);
    await until(() => payments.requests.aborted === aborted + 1);
    expect(payments.traffic.sent).toBeLessThan(GIGABYTE);
    await expectTargetIsFine();
  });

  it('in the middle of an upload ends it at the upstream, as 499, and is not held against the target', async () => {
    const { payments } = shop.services;
    for (let i = 0; i < 10; i += 1) {
      const [aborted, received] = [payments.requests.aborted, payments.traffic.received];
      const { hostname, port } = new URL(shop.gateway.url);
      const socket = connect(Number(port), hostname);
      const head = `PUT /files/uploads/x HTTP/1.1\r\nHost: x\r\nX-Request-Id: upload-${i}\r\nContent-Length: 1000000\r\n\r\n`;
      // More than is held back until it is whole.
      socket.write(head + 'x'.repeat(70_000));
      await until(() => payments.traffic.received > received);
      if (i % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
      expect(await shop.lineOfId(`upload-${i}`)).toMatchObject({
        status: 499,
        refused: { code: 'client-closed' },
      });
      await until(() => payments.requests.aborted > aborted);
      await expectTargetIsFine();
    }
  });

  it('before the upstream answers ends the attempt there', async () => {
    const seen = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    shop.echo.listener = (request, response) => {
      response.once('close', () => left.resolve());
      seen.resolve();
      request.resume();
    };
    const gone = new AbortController();
    const asking = fetch(`${shop.gateway.url}/echo`, { signal: gone.signal });
    await seen.promise;
    gone.abort();
    await expect(asking).rejects.toThrow('abort');
    await left.promise;
    shop.echo.listener = echo;
    expect((await shop.call('/echo')).status).toBe(200);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const started = Date.now();
  const look = (): void => {
    if (condition()) resolve();
    else if (Date.now() - started > 5000) reject(new Error(`waited in vain for ${String(condition)}`));
    else setImmediate(look);
  };
  look();
  return promise;
}
