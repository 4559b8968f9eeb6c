import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { once } from 'node:events';
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import { call, open } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { asIs, encoded, grpcClient } from '../support/pass-gateway.ts';
import { startTcpUpstream, type TcpUpstream } from '../support/upstream.ts';

/** What a target does after a good beginning. */
type Ending = 'cut' | 'well';
let ending: Ending = 'cut';
/** Time for the beginning to be passed on, in ms. */
const PASSED_MS = 10;

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n';

async function answerHttp(socket: Socket): Promise<void> {
  socket.write(`${CHUNKED}content-type: text/event-stream\r\n\r\n9\r\ndata: 1\n\n\r\n`);
  await sleep(PASSED_MS);
  if (ending === 'cut') socket.resetAndDestroy();
  else socket.write('0\r\n\r\n');
}

async function answerGrpc(stream: ServerHttp2Stream): Promise<void> {
  stream.on('error', () => {}).resume();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.write(framed(encoded('Tick', { number: 1n })));
  await sleep(PASSED_MS);
  if (ending === 'cut') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else stream.end();
}

let gateway: TestGateway;
let http: TcpUpstream;
const grpc: Http2Server = createServer();
const sessions = new Set<{ destroy(): void }>();

const BREAKER = { consecutiveFailures: 3, errorRate: '100%', window: 100, openFor: '1h' };
const calm = { circuitBreaker: BREAKER, retry: { attempts: 1 } };

beforeAll(async () => {
  http = await startTcpUpstream((socket) => void answerHttp(socket));
  grpc.on('session', (session) => sessions.add(session.on('error', () => {})));
  grpc.on('stream', (stream: ServerHttp2Stream) => void answerGrpc(stream)).listen(0, '127.0.0.1');
  await once(grpc, 'listening');
  const targets = [`grpc://127.0.0.1:${(grpc.address() as AddressInfo).port}`];
  const kinds = { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets, ...calm };
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      listeners: [{ port: 0 }, { port: 0, http2: true }],
      defaults: { policies: { authentication: 'public' } },
      upstreams: {
        proxied: { targets: [http.url], ...calm },
        passed: kinds,
        translated: kinds,
      },
      routes: [
        { id: 'proxied', match: { path: '/proxied' }, upstream: 'proxied' },
        { id: 'passed', match: { path: '/test.v1.Kinds/*' }, upstream: 'passed', passGrpc: true },
        { id: 'translated', upstream: 'translated', grpc: { service: 'test.v1.Kinds' } },
      ],
    }),
  });
});

afterAll(async () => {
  await gateway.stop();
  for (const session of sessions) session.destroy();
  grpc.close();
  await http.stop();
});

function finished(answer: Awaited<ReturnType<typeof open>>): Promise<void> {
  return new Promise(
    (resolve) =>
      void answer
        .on('error', () => {})
        .once('close', resolve)
        .resume(),
  );
}

const get =
  (path: string): (() => Promise<void>) =>
  async () =>
    finished(await open(`${gateway.url}${path}`, { headers: { accept: 'text/event-stream' } }));

async function pass(): Promise<void> {
  const client = grpcClient(gateway.gateway.urls[1] as string);
  const stream = client.makeServerStreamRequest(
    '/test.v1.Kinds/Count',
    asIs,
    asIs,
    Buffer.alloc(0),
    new Metadata(),
  );
  await new Promise<void>(
    (resolve) =>
      void stream
        .on('error', () => {})
        .once('status', () => resolve())
        .resume(),
  );
  client.close();
}

interface View {
  readonly upstream: string;
  readonly targets: readonly { target: string; breaker: { state: string; history: { state: string }[] } }[];
}

async function breakerOf(name: string): Promise<{ host: string; state: string; history: string[] }> {
  const views = (await call(`${gateway.adminUrl}/upstreams`)).json<View[]>();
  const [target] = views.find(({ upstream }) => upstream === name)?.targets ?? [];
  if (target === undefined) throw new Error(name);
  const { state, history } = target.breaker;
  return { host: target.target, state, history: history.map((change) => change.state) };
}

const order = (body: object): Parameters<typeof call>[1] => ({
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const DOORS: Readonly<Record<string, readonly [upstream: string, ask: () => Promise<void>]>> = {
  'a forwarded stream of events': ['proxied', get('/proxied')],
  'a call that is passed on': ['passed', pass],
  'a translated stream': ['translated', get('/test/count/2')],
};

beforeEach(() => void (ending = 'cut'));

describe.each(Object.entries(DOORS))('%s', (_, [upstream, ask]) => {
  it('that is cut is a failure and nothing else: three in a row open the breaker', async () => {
    for (let i = 0; i < 3; i += 1) {
      expect((await breakerOf(upstream)).state).toBe('closed');
      await ask();
    }
    expect((await breakerOf(upstream)).state).toBe('open');
  });

  it.each<[Ending, string]>([
    ['cut', 'open'],
    ['well', 'closed'],
  ])('that ends %s as a probe leaves the breaker %s', async (how, state) => {
    const { host } = await breakerOf(upstream);
    const url = `${gateway.adminUrl}/upstreams/${upstream}/targets/${host}/breaker`;
    await call(url, order({ state: 'closed' }));
    await call(url, order({ state: 'open', for: '5ms', force: true }));
    while ((await breakerOf(upstream)).state !== 'half-open') await sleep(2);
    ending = how;
    await ask();
    const { history } = await breakerOf(upstream);
    expect(history.slice(-2)).toEqual(['half-open', state]);
  });
});
