import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import type { CallsUnderWay } from '../../src/upstreams/balancing/calls-under-way.ts';
import { RawClient, statusIn } from '../support/body-doors.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';
import { connect as connectSocket, open as openSocket } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let service: TestUpstream;
let sockets: SocketService;
let gateway: TestGateway;
let session: ClientHttp2Session;
/** What is under way behind the gateway. */
let held: ServerResponse[] = [];

/** Two routes with one place each: one of their own, and one of their upstream. */
function configOf(more: object = {}): object {
  const upstream = { targets: [service.url], circuitBreaker: 'off', retry: { attempts: 1 } };
  const queue = { timeouts: { queue: '10s' }, ...more };
  const open = { authentication: 'public' };
  const route = (id: string, policies: object, name = id) => ({
    id,
    match: { path: `/${id}` },
    upstream: name,
    webSocket: 'on',
    policies: { ...open, ...policies },
  });
  return {
    version: 1,
    listeners: [{ port: 0, http2: true }],
    upstreams: { capped: upstream, behind: { ...upstream, maxInFlight: 1, ...queue } },
    routes: [
      route('capped', { concurrency: { max: 1, queue: 10, wait: '10s' } }),
      route('behind', {}),
      route('soon', { deadline: '100ms' }, 'behind'),
    ],
  };
}

beforeAll(async () => {
  service = await startUpstream((request, response) => {
    if (request.headers['x-now'] !== undefined) return void response.end('now');
    held.push(response);
    response.once('close', () => (held = held.filter((one) => one !== response)));
    if (request.headers['x-stream'] !== undefined) response.write('begun');
  });
  sockets = echoSockets(service.server);
  gateway = await startGateway({ config: JSON.stringify(configOf()) });
  session = connect(gateway.url);
  await once(session, 'connect');
});
afterAll(async () => {
  session.destroy();
  sockets.stop();
  await gateway.stop();
  await service.stop();
});

const callsAt = (name: string): CallsUnderWay =>
  gateway.gateway.app.get(Snapshots).current.upstreams.get(name).calls;
const metrics = async (): Promise<string> => (await call(`${gateway.adminUrl}/metrics`)).text;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

const isQueued = async (path: string, count = 1): Promise<boolean> => {
  if (path === '/behind') return callsAt('behind').isAwaited;
  return (await metrics()).includes(`gatehouse_concurrency_queued{route="capped",key="route"} ${count}\n`);
};
const queued = (path: string, count = 1): Promise<void> => until(() => isQueued(path, count));

/** A request over a connection of its own. */
const send = (path: string, fields = ''): RawClient => {
  const client = new RawClient(gateway.url);
  client.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${fields}\r\n`);
  return client;
};
const stream = (path: string): ClientHttp2Stream =>
  session.request({ ':path': path }).on('error', () => undefined);

/** A request that has the place. */
async function taken(path: string, fields = ''): Promise<RawClient> {
  const client = send(path, fields);
  await until(() => held.length === 1);
  return client;
}

function release(): void {
  for (const response of held.splice(0)) response.end();
}

/** Ways in which requests end, under way or while they wait. */
const WAYS: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'a client that leaves within its answer': async (path) => {
    const client = await taken(path, 'x-stream: 1\r\n');
    await client.until((heard) => heard.includes('begun'));
    client.socket.destroy();
  },
  'a stream of HTTP/2 that is reset under way': async (path) => {
    const one = stream(path);
    await until(() => held.length === 1);
    one.close(constants.NGHTTP2_CANCEL);
  },
  'streams of HTTP/2 that are reset in the queue': async (path) => {
    await taken(path);
    const waiting = [stream(path), stream(path)];
    await queued(path, 2);
    for (const one of waiting) one.close(constants.NGHTTP2_CANCEL);
    await Promise.all(waiting.map((one) => one.closed || once(one, 'close')));
    release();
  },
  'a WebSocket that is cut': async (path) => {
    const { socket } = await openSocket(path, { url: gateway.url });
    const next = send(path);
    await queued(path);
    expect(held).toHaveLength(0);
    socket.terminate();
    await until(() => held.length === 1);
    release();
    expect(statusIn(await next.answer())).toBe(200);
  },
  'a handshake that is left in the queue': async (path) => {
    await taken(path);
    const { socket } = connectSocket(path, { url: gateway.url });
    await queued(path);
    socket.terminate();
    // It is heard at once, and not when its turn comes.
    await until(async () => !(await isQueued(path)));
    expect(sockets.open).toEqual([]);
    release();
  },
  'another configuration while some wait': async (path) => {
    const first = await taken(path);
    const waiting = [send(path), send(path)];
    await queued(path, 2);
    // Of the same targets, and then of others.
    await reload(gateway, configOf({ maxQueued: 5 }));
    await reload(gateway, configOf({ maxQueued: 5, maxConnections: 7 }));
    const late = send(path);
    for (const one of [first, ...waiting, late]) {
      await until(() => held.length === 1);
      release();
      if (one === first) expect(statusIn(await one.answer())).toBe(200);
    }
    for (const one of [...waiting, late]) expect(statusIn(await one.answer())).toBe(200);
    await reload(gateway, configOf());
  },
};

afterEach(release);

describe.each(['/capped', '/behind'])('the one place of %s', (path) => {
  it.each(Object.entries(WAYS))('is there again after %s', async (_way, ends) => {
    await ends(path);
    expect((await call(gateway.url + path, { headers: { 'x-now': '1' } })).status).toBe(200);
    await until(() => callsAt('behind').count === 0 && !callsAt('behind').isAwaited);
    await until(async () => !(await metrics()).includes('gatehouse_concurrency_in_flight{'));
  });
});

describe('the queue of an upstream', () => {
  it('lets nobody wait beyond the deadline', async () => {
    await taken('/behind');
    expect((await call(`${gateway.url}/soon`)).json()).toMatchObject({ code: 'deadline-exceeded' });
    expect(await isQueued('/behind')).toBe(false);
  });
});

describe('a gateway that ends while requests wait', () => {
  it('serves them first', async () => {
    const path = '/behind';
    await until(() => callsAt('behind').count === 0);
    const first = await taken(path);
    const waiting = send(path);
    await queued(path);
    session.destroy();
    const stopped = gateway.stop();
    await new Promise(setImmediate);
    release();
    expect(statusIn(await first.answer())).toBe(200);
    await until(() => held.length === 1);
    release();
    expect(statusIn(await waiting.answer())).toBe(200);
    await stopped;
  });
});
