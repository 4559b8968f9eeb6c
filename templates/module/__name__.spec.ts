import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startGateway } from 'gatehouse/testing';
import { __camel__ } from './__name__.module.ts';

describe('__name__', () => {
  let upstream: Server;
  let gateway: Awaited<ReturnType<typeof startGateway>>;

  before(async () => {
    upstream = createServer((request, response) => {
      const found = request.url === '/__name__/7';
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(found ? '{"id":"7","name":"Seven"}' : '{}');
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

  it('answers with what the upstream knows', async () => {
    const response = await fetch(`${gateway.url}/api/v1/__name__/7`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { id: '7', title: 'Seven' });
  });

  it('answers a problem for what the upstream does not know', async () => {
    const response = await fetch(`${gateway.url}/api/v1/__name__/8`);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.ok(response.status >= 400);
  });
});
