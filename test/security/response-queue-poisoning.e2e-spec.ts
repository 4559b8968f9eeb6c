import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { answer, RawService } from '../../src/upstreams/transport/http1/raw-service.fixture.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

let service: RawService;
let gateway: TestGateway;

beforeAll(async () => {
  const json = 'content-type: application/json\r\n';
  service = await RawService.start(({ socket }) => void socket.write(answer('"true"', json)));
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
upstreams:
  odd: { targets: ['http://127.0.0.1:${service.port}'], circuitBreaker: off, retry: { attempts: 1 } }
routes:
  - { id: proxied, match: { path: /proxied }, upstream: odd }
  - id: composed
    match: { path: /composed }
    aggregate: { calls: { a: { upstream: odd, path: /a, required: true } } }`,
  });
});
afterAll(async () => {
  await gateway.stop();
  await service.close();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A client that is connected, and has been answered once. */
async function clientOf(path: string): Promise<{ client: Socket; ask: () => void; heard: () => string }> {
  const client = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  await once(client, 'connect');
  let text = '';
  client.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  return {
    client,
    ask: () => client.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`),
    heard: () => text,
  };
}

describe.each(['/proxied', '/composed'])(
  'an answer that nobody asked for, on a connection that rests: %s',
  (path) => {
    it('reaches no client: its connection ends', async () => {
      expect((await call(gateway.url + path)).text).toContain('true');
      const { client, ask, heard } = await clientOf(path);
      await turn();
      // Both are there when the gateway looks at its sockets next.
      for (const socket of service.sockets) if (!socket.destroyed) socket.write(answer('"forged"'));
      ask();
      for (let waited = 0; !heard().includes('"') && waited < 2000; waited += 1)
        await new Promise((go) => setTimeout(go, 5));
      expect(heard()).toContain('HTTP/1.1 200');
      expect(heard()).toContain('true');
      expect(heard()).not.toContain('forged');
      client.destroy();
    });
  },
);
