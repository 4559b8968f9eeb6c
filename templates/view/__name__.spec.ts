import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startGateway } from 'gatehouse/testing';
import { __camel__ } from './__name__.module.ts';

const ANSWERS: Record<string, object> = {
  '/owners/7': { id: '7', name: 'Ann' },
  '/owners/7/items': { items: [{ id: 'a' }] },
  '/owners/8': { id: '8', name: 'Bob' },
};

describe('the view __name__', () => {
  let upstream: Server;
  let gateway: Awaited<ReturnType<typeof startGateway>>;

  before(async () => {
    upstream = createServer((request, response) => {
      const found = ANSWERS[request.url ?? ''];
      response.writeHead(found ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ?? {}));
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const config = {
      version: 1,
      modules: ['__name__'],
      upstreams: { __upstreamKey__: { targets: [`http://127.0.0.1:${port}`] } },
    };
    gateway = await startGateway({ text: JSON.stringify(config), modules: [__camel__] });
  });
  after(async () => {
    await gateway?.stop();
    upstream.close();
  });

  it('answers with all of its sections', async () => {
    const response = await fetch(`${gateway.url}/api/v1/__name__/7`);
    assert.equal(response.status, 200);
    const { owner, items } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual({ owner, items }, { owner: ANSWERS['/owners/7'], items: ANSWERS['/owners/7/items'] });
  });

  it('falls back where it may do without', async () => {
    const response = await fetch(`${gateway.url}/api/v1/__name__/8`);
    assert.equal(response.status, 200);
    assert.deepEqual(((await response.json()) as Record<string, unknown>)['items'], { items: [] });
  });
});
