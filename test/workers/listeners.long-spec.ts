import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { freePort } from '../../src/listeners/free-port.ts';
import { certificate } from '../support/certificates.ts';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import type { LogLine } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Processes that are started again.
jest.setTimeout(60_000);

const LONG = 'x'.repeat(1000);
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-worker-listeners-'));
const file = join(folder, 'gateway.yaml');
let redis: RedisServer;
let upstream: TestUpstream;
let sockets: SocketService;
let gateway: ChildGateway;
let [secure, redirecting, added] = [0, 0, 0];

/** Writes the certificate of a host; its subject is the name. */
function certify(host: string, name: string): void {
  const { cert, key } = certificate({ name, hosts: [host] });
  writeFileSync(join(folder, `${host}.key`), key);
  writeFileSync(join(folder, `${host}.pem`), cert);
}

function configure(more: object): void {
  const pair = (host: string) => ({ cert: join(folder, `${host}.pem`), key: join(folder, `${host}.key`) });
  const tls = { certificates: [pair('one.test'), pair('two.test')] };
  const policies = { authentication: 'public' };
  const routes = [
    { id: 'ws', match: { path: '/ws' }, upstream: 'it', webSocket: 'on', policies },
    { id: 'all', match: { path: '/*' }, upstream: 'it', policies },
  ];
  const upstreams = { it: { targets: [upstream.url] } };
  const listeners = [{ port: secure, tls }, more];
  writeFileSync(file, JSON.stringify({ version: 1, floodLimit: 'off', listeners, upstreams, routes }));
}

beforeAll(async () => {
  [secure, redirecting, added] = [await freePort(), await freePort(), await freePort()];
  redis = await startRedis();
  upstream = await startUpstream((incoming, response) => {
    if (incoming.url === '/slow') setTimeout(() => response.end('slow'), 300);
    else response.end('answer');
  });
  sockets = echoSockets(upstream.server);
  certify('one.test', 'first');
  certify('two.test', 'second');
  configure({ port: redirecting, redirectToHttps: true });
  await ensureBuilt();
  const env = { WORKERS: '2', REDIS_URL: redis.url, DRAIN_DELAY: '200ms' };
  gateway = await startChild(file, env);
}, 60_000);

afterAll(async () => {
  await gateway?.end('SIGKILL');
  sockets.stop();
  await redis.stop();
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

const linesWith = (msg: string): readonly LogLine[] => gateway.lines().filter((line) => line.msg === msg);
const access = (path: string): readonly LogLine[] =>
  linesWith('exchange').filter((line) => line['path'] === path);

/** Which workers have answered requests of a path, once so many lines are there. */
async function servedBy(path: string, count: number): Promise<ReadonlySet<unknown>> {
  await until(() => access(path).length >= count);
  return new Set(access(path).map(({ worker }) => worker));
}

const BOTH = new Set([1, 2]);

interface Asking {
  readonly port?: number;
  readonly servername?: string;
  readonly session?: Buffer | undefined;
}

/** Asks over a connection of its own. */
async function exchange(path: string, asking: Asking = {}): Promise<{ status: number; socket: TLSSocket }> {
  const { port = secure, servername = 'one.test', session } = asking;
  const options = { port, path, servername, session, agent: false, rejectUnauthorized: false } as const;
  const outgoing = request({ host: '127.0.0.1', ...options }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode ?? 0, socket: answer.socket as TLSSocket };
}

const ask = async (path: string): Promise<number> => (await exchange(path)).status;

async function nameAt(servername: string, port = secure): Promise<unknown> {
  const outgoing = request({ host: '127.0.0.1', port, servername, agent: false, rejectUnauthorized: false });
  const [socket] = (await once(outgoing, 'socket')) as [TLSSocket];
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  const [answer] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
  await once(answer.resume(), 'end');
  return subject.CN;
}

async function namesAt(servername: string, port = secure): Promise<readonly unknown[]> {
  const names = [];
  for (let time = 0; time < 4; time += 1) names.push(await nameAt(servername, port));
  return names;
}

function openHttp2(): ClientHttp2Session {
  return connectHttp2(`https://127.0.0.1:${secure}`, { servername: 'one.test', rejectUnauthorized: false });
}

async function askOver(session: ClientHttp2Session, path: string): Promise<unknown> {
  const stream = session.request({ ':path': path });
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
  await once(stream.resume(), 'close');
  return head[':status'];
}

describe('two workers behind listeners', () => {
  it('speak TLS with the certificate of each name, and go on with the sessions of each other', async () => {
    expect(await namesAt('one.test')).toEqual(['first', 'first', 'first', 'first']);
    expect(await namesAt('two.test')).toEqual(['second', 'second', 'second', 'second']);
    const outgoing = request({
      host: '127.0.0.1',
      port: secure,
      servername: 'one.test',
      agent: false,
      rejectUnauthorized: false,
    });
    const [socket] = (await once(outgoing, 'socket')) as [TLSSocket];
    const kept = once(socket, 'session') as Promise<[Buffer]>;
    const [answer] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
    answer.resume();
    const [session] = await kept;
    for (let time = 0; time < 4; time += 1)
      expect((await exchange('/again', { session })).socket.isSessionReused()).toBe(true);
    expect(await servedBy('/again', 4)).toEqual(BOTH);
    for (let time = 0; time < 4; time += 1) expect(await ask('/each')).toBe(200);
    expect(await servedBy('/each', 4)).toEqual(BOTH);
  });

  it('speak HTTP/2, of which a connection stays with its worker', async () => {
    const sessions = [openHttp2(), openHttp2()];
    for (const [index, session] of sessions.entries()) {
      const asked = Array.from({ length: 10 }, () => askOver(session, `/h2/${index}`));
      expect(new Set(await Promise.all(asked))).toEqual(new Set([200]));
    }
    const by = await Promise.all(sessions.map((_, index) => servedBy(`/h2/${index}`, 10)));
    expect(by.map((one) => one.size)).toEqual([1, 1]);
    expect(new Set(by.flatMap((one) => [...one]))).toEqual(BOTH);
    for (const session of sessions) session.destroy();
  });

  it('forward WebSockets', async () => {
    for (let time = 0; time < 2; time += 1) {
      const options = { headers: {}, servername: 'one.test', rejectUnauthorized: false };
      const socket = new WebSocket(`wss://127.0.0.1:${secure}/ws`, [], options);
      await once(socket, 'open');
      socket.send('hello');
      const [heard] = (await once(socket, 'message')) as [Buffer];
      expect(heard.toString()).toBe('hello');
      socket.close();
      await once(socket, 'close');
    }
    expect(await servedBy('/ws', 2)).toEqual(BOTH);
  });

  it('redirect to HTTPS', async () => {
    for (let time = 0; time < 2; time += 1) {
      const headers = { host: 'one.test' };
      const outgoing = requestPlain({ port: redirecting, path: '/to', headers, agent: false }).end();
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      answer.resume();
      expect([answer.statusCode, answer.headers.location]).toEqual([308, `https://one.test:${secure}/to`]);
    }
  });

  it('write whole lines, however long', async () => {
    const paths = Array.from({ length: 40 }, (_, index) => `/long/${index}/${LONG}`);
    await Promise.all(paths.map((path) => ask(path)));
    // What is torn apart is no JSON, and fails where lines are read.
    await until(() => access(paths[0] as string).length > 0 && linesWith('exchange').length > 40);
    await until(() => paths.every((path) => access(path).length === 1));
  });

  it('open and close listeners, and renew certificates, together when files change', async () => {
    const session = openHttp2();
    expect(await askOver(session, '/before')).toBe(200);
    certify('one.test', 'renewed');
    configure({ port: added });
    await until(async () => {
      const names = await namesAt('one.test').catch(() => []);
      return (
        names.every((name) => name === 'renewed') && linesWith('another configuration is in force').length > 0
      );
    });
    expect(await namesAt('two.test')).toEqual(['second', 'second', 'second', 'second']);
    const plain = async (port: number): Promise<number> => {
      const outgoing = requestPlain({ host: '127.0.0.1', port, path: '/added', agent: false }).end();
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode ?? 0;
    };
    for (let time = 0; time < 4; time += 1) expect(await plain(added)).toBe(200);
    expect(await servedBy('/added', 4)).toEqual(BOTH);
    await expect(plain(redirecting)).rejects.toThrow('ECONNREFUSED');
    expect(await askOver(session, '/after')).toBe(200);
    session.destroy();
  });

  it('have one that comes later listen where they do', async () => {
    const { workers } = (await (await fetch(`${gateway.adminUrl}/workers`)).json()) as {
      workers: { pid: number }[];
    };
    process.kill(workers[1]?.pid ?? 0, 'SIGKILL');
    const serving = linesWith('a worker serves').length;
    await until(() => linesWith('a worker serves').length > serving);
    expect(await namesAt('one.test')).toEqual(['renewed', 'renewed', 'renewed', 'renewed']);
    for (let time = 0; time < 4; time += 1) expect(await ask('/later')).toBe(200);
    expect(await servedBy('/later', 4)).toEqual(BOTH);
  });

  it('are drained together: what is under way is answered, and the process ends with 0', async () => {
    const before = upstream.requests.length;
    const slow = [ask('/slow'), ask('/slow'), ask('/slow')];
    await until(() => upstream.requests.length === before + 3);
    const { workers } = (await (await fetch(`${gateway.adminUrl}/workers`)).json()) as {
      workers: { pid: number }[];
    };
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(await Promise.all(slow)).toEqual([200, 200, 200]);
    expect(access('/slow')).toHaveLength(3);
    for (const { pid } of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(gateway.stderr()).toBe('');
  });
});
