import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { createGunzip } from 'node:zlib';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const GOODBYE = ': the gateway restarts\n\n';

let upstream: TestUpstream;
let kinds: KindsServer;
let gateway: TestGateway;
/** The answers that the service has begun. */
let begun: ServerResponse[];

beforeEach(async () => {
  begun = [];
  kinds = await new KindsServer().start();
  kinds.hold = new Promise(() => undefined);
  upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write('id: 1\ndata: 1\n\n');
    begun.push(response);
  });
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      listeners: [{ port: 0, http2: true }],
      defaults: { policies: { authentication: 'public' } },
      upstreams: {
        echo: { targets: [upstream.url] },
        kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
      },
      routes: [
        { id: 'events', match: { path: '/events' }, upstream: 'echo' },
        { id: 'coded', match: { path: '/coded' }, upstream: 'echo', policies: { compression: {} } },
        { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
      ],
    }),
    environment: { DRAIN_DELAY: '0s', SHUTDOWN_TIMEOUT: '1h' },
  });
});

afterEach(async () => {
  await gateway.stop();
  await upstream.stop();
  kinds.stop();
});

/** Begins to listen. @returns the answer, and its text once it has ended, whole or not. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const asked = get(gateway.gateway.urls[0] + path, {
    agent: false,
    headers: { accept: 'text/event-stream', ...headers },
  });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const body = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer;
  let text = '';
  body.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = once(body, 'end').then(() => ({ text, isWhole: answer.complete }));
  await once(body, 'data');
  return { answer, ended };
}

// The time that exchanges have is an hour: what is not told to end fails the test by its time.
describe('a stream of events, when the gateway leaves', () => {
  it.each(['/events', '/coded'])('ends as a whole, after a whole event (%s)', async (path) => {
    const { ended } = await listen(path, { 'accept-encoding': 'gzip' });
    await gateway.stop();
    expect(await ended).toEqual({ text: `id: 1\ndata: 1\n\n${GOODBYE}`, isWhole: true });
    const [line] = await gateway.accessLines(1);
    expect(line).toMatchObject({ path, status: 200 });
    expect(line).not.toHaveProperty('cut');
    expect(line).not.toHaveProperty('refused');
  });

  it('ends over HTTP/2 as well', async () => {
    const session = connect(gateway.gateway.urls[0] as string);
    const stream = session.request({ ':path': '/events' }).setEncoding('utf8');
    let text = '';
    stream.on('data', (piece: string) => (text += piece));
    await once(stream, 'data');
    await gateway.stop();
    if (!stream.closed) await once(stream, 'close');
    expect([text, stream.rstCode]).toEqual([`id: 1\ndata: 1\n\n${GOODBYE}`, 0]);
  });

  it('waits for the end of an event that is on its way, and leaves the next one to whoever it comes back to', async () => {
    const { ended, answer } = await listen('/events');
    begun[0]?.write('id: 2\nda');
    await once(answer, 'data');
    const stopped = gateway.stop();
    // Until it was told, or well after.
    await new Promise((resolve) => setTimeout(resolve, 2200));
    begun[0]?.write('ta: 2\n\nid: 3\nda');
    await stopped;
    expect(await ended).toEqual({ text: `id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n${GOODBYE}`, isWhole: true });
  });

  it('leaves its service, too', async () => {
    const { ended } = await listen('/events');
    const left = once(begun[0] as ServerResponse, 'close');
    await gateway.stop();
    await Promise.all([left, ended]);
  });

  it('ends where it is translated from a call of gRPC', async () => {
    const { ended } = await listen('/test/count/9');
    await gateway.stop();
    const { text, isWhole } = await ended;
    expect(text).toMatch(/^: open\n\n/);
    expect(text.endsWith(GOODBYE)).toBe(true);
    expect(isWhole).toBe(true);
  });
});
