import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { MOST_WAITING } from '../../src/pipeline/pipelined-requests.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let upstream: TestUpstream;
let gateway: TestGateway;
/** Answers that the upstream owes, by path. */
const owed = new Map<string, ServerResponse>();
const clients: Socket[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.listener = (request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/held')) owed.set(url, response);
    else request.resume().once('end', () => response.end(url));
  };
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: 20s } }
upstreams:
  users: { targets: ['${upstream.url}'], maxConnections: 4, circuitBreaker: off }
routes:
  - { id: all, match: { path: '/*' }, upstream: users }
  - id: composed
    match: { path: '/composed' }
    aggregate: { calls: { a: { upstream: users, path: /held, required: true } } }`,
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  // Of a client whose socket is not read, the gateway hears by the next answer that it is gone.
  for (let round = 0; round < 3; round += 1) {
    for (const response of owed.values()) response.end('late');
    owed.clear();
    await settled();
  }
  upstream.requests.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

/** A client that sends this, and what it has got. */
function client(text: string): { socket: Socket; heard: () => string } {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1').on('error', () => undefined);
  clients.push(socket);
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
  socket.write(text);
  return { socket, heard: () => heard };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
const all = (count: number, path: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => get(path(index))).join('');

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds() && waited < 2000; waited += 1) await new Promise((go) => setTimeout(go, 5));
}

/** Long enough for everything that could still be sent to arrive. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

describe('a client that pipelines', () => {
  it.each([
    ['a proxied route', '/held'],
    ['an aggregated route', '/composed'],
  ])('has one request under way at a time, and takes no connection of the others: %s', async (_, path) => {
    client(all(256, () => path));
    await until(() => owed.size === 1);
    await settled();
    expect(upstream.requests).toHaveLength(1);
    expect((await call(`${gateway.url}/other`)).text).toBe('/other');
  });

  it('gets all its answers, in order', async () => {
    const { heard } = client(all(256, (index) => `/${index}`));
    await until(() => heard().endsWith('/255'));
    expect(heard().match(/\r\n\r\n\/\d+/g)).toEqual(Array.from({ length: 256 }, (_, i) => `\r\n\r\n/${i}`));
    await gateway.accessLines(256);
  });

  it('may send bodies, and is refused in its turn', async () => {
    const body = 'x'.repeat(100_000);
    const post = `POST /post HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const bad = 'GET /bad HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n';
    const { heard } = client(post + get('/one') + post + bad);
    await until(() => heard().includes('HTTP/1.1 400'));
    expect(heard().match(/HTTP\/1\.1 \d+|\/post|\/one/g)).toEqual([
      'HTTP/1.1 200', '/post', 'HTTP/1.1 200', '/one', 'HTTP/1.1 200', '/post', 'HTTP/1.1 400',
    ]); // prettier-ignore
  });

  it('asks for nothing more when it is gone', async () => {
    const { socket } = client(all(10, (index) => `/held/${index}`));
    await until(() => owed.size === 1);
    const closed = once(owed.get('/held/0') as ServerResponse, 'close');
    socket.destroy();
    await closed;
    await settled();
    expect(upstream.requests).toHaveLength(1);
  });

  it('may have 1000 requests waiting, and loses its connection with more', async () => {
    const patient = client(get('/held/0') + all(MOST_WAITING, (index) => `/${index}`));
    await until(() => owed.size === 1);
    await settled();
    expect(patient.socket.destroyed).toBe(false);
    owed.get('/held/0')?.end('now');
    await until(() => patient.heard().endsWith(`/${MOST_WAITING - 1}`));
    const greedy = client(get('/held/1') + all(MOST_WAITING + 1, (index) => `/${index}`));
    await until(() => greedy.socket.destroyed);
    expect(greedy.heard()).toBe('');
  });

  it('is not read while it waits', async () => {
    const text = `GET /x HTTP/1.1\r\nhost: a\r\nx-pad: ${'p'.repeat(8000)}\r\n\r\n`;
    const { socket } = client(get('/held/2'));
    await until(() => owed.size === 1);
    for (let i = 0; i < 5000 && !socket.destroyed; i += 1) socket.write(text);
    await settled();
    // 40 MB were sent: what the system's buffers do not hold is still with the client.
    expect(socket.destroyed).toBe(false);
    expect(socket.writableLength).toBeGreaterThan(20_000_000);
  });
});
