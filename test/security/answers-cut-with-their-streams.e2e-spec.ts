import { constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LINGER_BYTES } from '../../src/listeners/http2/early-end.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { END_HEADERS, END_STREAM, field, frame, FRAME, FrameClient } from '../support/http2-frames.ts';

// An answer that precedes the end of its request over HTTP/2: clients that are still sending drop it with their stream.

let gateway: TestGateway;
const clients: FrameClient[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    config: JSON.stringify({ version: 1, listeners: [{ port: 0, http2: true }] }),
  });
});
afterAll(async () => {
  for (const { socket } of clients) socket.destroy();
  await gateway.stop();
});

const HEAD = ['POST', 'http', '/nowhere', 'a.test'] as const;
const NAMES = [':method', ':scheme', ':path', ':authority'] as const;

/** Sends a head, and waits for the whole answer; the body is still to come. */
async function answered(...more: [string, string][]): Promise<FrameClient> {
  const client = new FrameClient(gateway.gateway.urls[0] as string);
  clients.push(client);
  const own = NAMES.map((name, at) => field(name, HEAD[at] as string));
  const fields = Buffer.concat([...own, ...more.map(([name, value]) => field(name, value))]);
  client.socket.write(frame(FRAME.headers, END_HEADERS, 1, fields));
  await client.until(() => client.count(FRAME.headers) === 1);
  return client;
}

describe.each<[string, [string, string][]]>([
  ['a problem', []],
  ['a status of gRPC', [['content-type', 'application/grpc']]],
])('an early answer over HTTP/2 that is %s', (_, more) => {
  it('leaves a small request the time to end, and wakes its client then', async () => {
    const client = await answered(...more);
    client.socket.write(frame(FRAME.data, 0, 1, Buffer.alloc(1000)));
    client.socket.write(frame(FRAME.data, END_STREAM, 1));
    await client.until(() => client.count(FRAME.ping) > 0);
    expect([client.count(FRAME.reset), client.count(FRAME.goaway)]).toEqual([0, 0]);
  });

  it('is followed by the end of a stream that goes on', async () => {
    const client = await answered(...more);
    const piece = frame(FRAME.data, 0, 1, Buffer.alloc(8192));
    for (let sent = 0; sent + 8192 < 65_535; sent += 8192) client.socket.write(piece);
    expect(client.count(FRAME.reset)).toBe(0);
    await client.until(() => client.count(FRAME.windowUpdate) > 0);
    const goesOnAt = performance.now();
    for (let sent = 0; sent < LINGER_BYTES / 2; sent += 8192) client.socket.write(piece);
    await client.until(() => client.count(FRAME.reset) > 0);
    // Clients drop an answer whose end they hear of together with it: grpc-js made its own status of that.
    expect(performance.now() - goesOnAt).toBeGreaterThan(300);
    expect(client.reset).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('is followed by the end of a stream that is silent', async () => {
    const client = await answered(...more);
    await client.until(() => client.count(FRAME.reset) > 0);
    expect(client.reset).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
