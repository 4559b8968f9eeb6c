import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const KEY = 'gh_test_0123456789abcdef0123456789';
const OTHER = 'gh_test_other6789abcdef0123456789';

let upstream: TestUpstream;
let sockets: SocketService;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  });
  sockets = echoSockets(upstream.server);
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  const ops = { serverTiming: { for: { anyRole: ['support'] } }, authentication: { schemes: ['apiKey'] } };
  const once = { rateLimit: [{ key: 'ip', rate: 1, per: '1h', burst: 1 }] };
  const to = { upstream: 'it', webSocket: 'on' };
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      upstreams: { it: { targets: [upstream.url] }, none: { targets: ['http://127.0.0.1:9'] } },
      identity: {
        apiKeys: [
          { sha256: sha256(KEY), clientId: 'ops', roles: ['support'] },
          { sha256: sha256(OTHER), clientId: 'other', roles: [] },
        ],
      },
      routes: [
        { id: 'open', match: { path: '/open' }, ...to, policies: ops },
        { id: 'once', match: { path: '/once' }, ...to, policies: { ...ops, ...once } },
        { id: 'gone', match: { path: '/gone' }, ...to, upstream: 'none', policies: ops },
      ],
    }),
  });
});
afterAll(async () => {
  sockets.stop();
  await gateway.stop();
  await upstream.stop();
});

/** The status of a handshake, and the names of the parts that its answer tells. */
async function shake(path: string, key: string): Promise<[number | undefined, readonly string[]]> {
  const socket = new WebSocket(gateway.url.replace('http', 'ws') + path, [], {
    headers: { 'x-api-key': key },
  });
  socket.on('error', () => undefined);
  const [head] = (await Promise.race<unknown[]>([
    once(socket, 'upgrade'),
    once(socket, 'unexpected-response').then(([, response]) => [response as IncomingMessage]),
  ])) as [IncomingMessage];
  socket.terminate();
  return [head.statusCode, partsOf(head.headers['server-timing'])];
}

function partsOf(field: string | string[] | undefined): readonly string[] {
  const all = String(field ?? '').matchAll(/([\w-]+);dur=[\d.]+(?:, |$)/g);
  return [...all].map(([, name = '']) => name);
}

describe('Server-Timing of handshakes', () => {
  it('is on the answer that opens a socket, up to its head', async () => {
    const [status, parts] = await shake('/open', KEY);
    expect(status).toBe(101);
    expect(parts).toEqual(expect.arrayContaining(['parse', 'authentication', 'handle', 'upstream', 'total']));
  });

  it('is on those that are refused, by a stage and by a target that is not there', async () => {
    await shake('/once', KEY);
    const [limited, ofLimit] = await shake('/once', KEY);
    expect([limited, ofLimit.includes('rateLimit'), ofLimit.includes('upstream')]).toEqual([
      429,
      true,
      false,
    ]);
    const [gone, ofGone] = await shake('/gone', KEY);
    expect(gone).toBeGreaterThanOrEqual(502);
    expect(ofGone).toContain('upstream');
  });

  it('is for whom it is meant, and nobody else', async () => {
    expect(await shake('/open', OTHER)).toEqual([101, []]);
    expect(await shake('/open', 'gh_test_unknown')).toEqual([401, []]);
  });

  it('is on the head of an event stream', async () => {
    const ask = async (key: string): Promise<readonly string[]> => {
      const answer = await fetch(`${gateway.url}/open`, { headers: { 'x-api-key': key } });
      await answer.body?.cancel();
      return partsOf(answer.headers.get('server-timing') ?? undefined);
    };
    expect(await ask(KEY)).toEqual(expect.arrayContaining(['upstream', 'total']));
    expect(await ask(OTHER)).toEqual([]);
    expect((await call(`${gateway.url}/open`)).status).toBe(401);
  });
});
