import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import { call, speak, type Answer } from '../support/client.ts';
import { startShop, type Shop } from '../support/shop.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await startShop({
    environment: () => ({ DRAIN_DELAY: '400ms', SHUTDOWN_TIMEOUT: '5s' }),
    routes: [
      { id: 'echo', match: { path: '/echo' }, upstream: 'echo', policies: { authentication: 'public' } },
    ],
  });
});
afterEach(() => shop.stop());

/** An exchange that stays open until the test lets it go. */
async function openExchange(): Promise<{
  answer: Promise<Answer>;
  finish: () => void;
}> {
  const arrived = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  shop.echo.listener = (_request, response) => {
    response.writeHead(200).write('first ');
    arrived.resolve();
    void finished.promise.then(() => response.end('last'));
  };
  const answer = call(`${shop.gateway.url}/echo`);
  await arrived.promise;
  return { answer, finish: finished.resolve };
}

/** Asks until the listener is gone. Each time over a connection of its own, so that none is left behind. */
async function untilRefused(): Promise<void> {
  const ask = async (): Promise<boolean> =>
    (await speak(shop.gateway.url, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')) === '';
  while (!(await ask()));
}

describe('health', () => {
  it('is live and ready, also without upstreams', async () => {
    await Promise.all([shop.services['users-1'].fault('dead'), shop.services.orders.fault('dead')]);
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await shop.call(path);
      expect(answer.status).toBe(200);
      expect(answer.json()).toMatchObject({ status: 'ok' });
    }
  });
});

describe('a gateway that drains', () => {
  it('says that it is not ready, still lives, still serves, and tells connections to go', async () => {
    const closing = shop.gateway.gateway.close();
    const ready = await shop.call('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.json()).toMatchObject({ code: 'shutting-down' });
    expect((await shop.call('/health/live')).status).toBe(200);
    const served = await shop.call('/echo');
    expect(served.status).toBe(200);
    expect(served.headers['connection']).toBe('close');
    await closing;
    await expect(call(`${shop.gateway.url}/echo`)).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  });

  it('finishes an exchange that is under way before it ends', async () => {
    const { answer, finish } = await openExchange();
    let closed = false;
    const closing = shop.gateway.gateway.close().then(() => (closed = true));
    // The listener is gone, the exchange is not.
    await untilRefused();
    expect(closed).toBe(false);
    finish();
    expect(await answer).toMatchObject({ status: 200, text: 'first last' });
    await closing;
    const lines = await shop.gateway.linesWhere((line) => line['route'] === 'echo');
    expect(lines).toEqual([expect.objectContaining({ status: 200 })]);
  });

  it('ends as soon as the last exchange has, although its client would keep the connection', async () => {
    const { answer, finish } = await openExchange();
    let cutOff = false;
    const server = shop.gateway.gateway.app.getHttpServer() as Server;
    const closeAll = server.closeAllConnections.bind(server);
    server.closeAllConnections = () => {
      cutOff = true;
      closeAll();
    };
    const closing = shop.gateway.gateway.close();
    await untilRefused();
    finish();
    expect((await answer).headers['connection']).toBe('keep-alive');
    await closing;
    expect(cutOff).toBe(false);
  });
});
