import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const INTERIM = 'HTTP/1.1 103 Early Hints\r\n\r\n';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

let service: Server;
let gateway: TestGateway;
let answer: (socket: Socket) => void = () => undefined;
const timers = new Set<NodeJS.Timeout>();

beforeAll(async () => {
  service = createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: off } }
upstreams:
  odd:
    targets: ['${target}']
    circuitBreaker: off
    retry: { attempts: 1 }
    timeouts: { firstByte: 700ms, idle: 700ms }
routes:
  - { id: proxied, match: { path: /proxied }, upstream: odd }
  - id: composed
    match: { path: /composed }
    aggregate: { calls: { a: { upstream: odd, path: /a, required: true } } }`,
  });
});
afterEach(() => {
  for (const timer of timers) clearInterval(timer);
  timers.clear();
});
afterAll(async () => {
  await gateway.stop();
  service.close();
});

/** Sends something, and a piece after it again and again. */
function drip(start: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(start);
    timers.add(setInterval(() => socket.write(piece), 30));
  };
}

const DOORS = ['/proxied', '/composed'] as const;

describe.each(DOORS)('without a deadline, an upstream holds no exchange with %s', (path) => {
  it('more than 64 interim answers', async () => {
    answer = (socket) => socket.write(INTERIM.repeat(64) + OK);
    expect((await call(gateway.url + path)).status).toBe(200);
    answer = (socket) => socket.write(INTERIM.repeat(65) + OK);
    expect((await call(gateway.url + path)).json()).toMatchObject({
      status: 502, code: 'upstream-response-invalid',
    }); // prettier-ignore
  });

  it('interim answers that go on and on', async () => {
    answer = drip('', INTERIM);
    expect((await call(gateway.url + path)).json()).toMatchObject({ status: 504, code: 'upstream-timeout' });
  });
});

describe('without a deadline, trailers that go on and on', () => {
  it.each([
    ['slowly', drip(CHUNKED, 'x: y\r\n')],
    ['in a flood', (socket: Socket) => void socket.write(CHUNKED + 'x: y\r\n'.repeat(20_000))],
  ])('end a composed answer: %s', async (_, how) => {
    answer = how;
    const { status } = await call(`${gateway.url}/composed`);
    expect([502, 504]).toContain(status);
  });

  it.each([
    ['slowly', drip(CHUNKED, 'x: y\r\n')],
    ['in a flood', (socket: Socket) => void socket.write(CHUNKED + 'x: y\r\n'.repeat(20_000))],
  ])('cut a proxied answer: %s', async (_, how) => {
    answer = how;
    // What nothing was sent of yet can still be refused.
    const ending = await call(`${gateway.url}/proxied`).then(
      ({ status }) => status,
      () => 'cut',
    );
    expect([502, 'cut']).toContain(ending);
  });
});
