import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import type { LogLine } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { open as openSocket } from '../support/socket-client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const WAIT_MS = 400;
let folder: string;
let config: string;
let upstream: TestUpstream;
let kinds: KindsServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-drain-'));
  config = join(folder, 'gateway.yaml');
  kinds = await new KindsServer().start();
  upstream = await startUpstream((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://x');
    const ms = Number(searchParams.get('ms'));
    if (pathname === '/hang') return;
    if (pathname === '/stream') return void response.writeHead(200).write('first ');
    setTimeout(() => response.end('whole'), ms);
  });
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      floodLimit: 'off',
      upstreams: {
        any: { targets: [upstream.url], maxConnections: 500 },
        kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
      },
      routes: [
        { id: 'any', match: { path: '/{what}' }, upstream: 'any' },
        { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
      ],
    }),
  );
  await ensureBuilt();
}, 60_000);
afterAll(async () => {
  await upstream.stop();
  kinds.stop();
  rmSync(folder, { recursive: true });
});

/** Starts a gateway whose time bounds are short. */
const start = (env: Record<string, string> = {}): Promise<ChildGateway> =>
  startChild(config, { DRAIN_DELAY: `${WAIT_MS}ms`, ...env });

interface Outcome {
  /** The status, or the code of what went wrong. */
  readonly got: number | string;
  /** Whether the client was told to ask elsewhere from now on. */
  readonly told: boolean;
}

/** One request over the agent's connections. */
function ask(url: string, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const failed = ({ code }: NodeJS.ErrnoException): void => resolve({ got: code ?? 'failed', told: false });
    const outgoing = request(url, { agent }, (incoming: IncomingMessage) => {
      const told = incoming.headers.connection === 'close';
      incoming.resume().once('error', failed);
      incoming.once('end', () => resolve({ got: incoming.statusCode ?? 0, told }));
    });
    outgoing.once('error', failed).end();
  });
}

/** A connection on which nothing has been said. */
async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/**
 * What stands in front of a gateway: asks again and again, over one connection or over a new one each time, and opens no
 * new one once readiness has said no.
 */
class Client {
  /** What came instead of 200. */
  readonly odd: (number | string)[] = [];
  readonly #agent: Agent;
  answers = 0;

  constructor(keepAlive: boolean) {
    this.#agent = new Agent({ keepAlive, maxSockets: 1 });
  }

  async run(url: string, pauseMs: number, isReady: () => boolean): Promise<void> {
    for (let told = false; isReady() || !told;) {
      const outcome = await ask(url, this.#agent);
      ({ told } = outcome);
      if (outcome.got === 200) this.answers += 1;
      else return void this.odd.push(outcome.got);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    this.#agent.destroy();
  }
}

/** Asks whether the gateway is ready, until it says no; the answer is kept. */
function watchReadiness(url: string): () => boolean {
  let ready = true;
  void (async () => {
    while (ready) {
      ready = (await call(`${url}/health/ready`)).status === 200;
      await sleep(10);
    }
  })();
  return () => ready;
}

describe('a drain', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'loses no request of those who keep asking (%s)',
    async (signal) => {
      const gateway = await start();
      const isReady = watchReadiness(gateway.url);
      const runs: Promise<void>[] = [];
      const clients: Client[] = [];
      const begin = (keepAlive: boolean, path: string, pauseMs: number): void => {
        const client = new Client(keepAlive);
        clients.push(client);
        runs.push(client.run(gateway.url + path, pauseMs, isReady));
      };
      for (const pauseMs of [0, 0, 1, 5, 20, 50]) begin(true, '/quick', pauseMs);
      for (const pauseMs of [0, 3, 10]) begin(false, '/quick', pauseMs);
      // Their answers begin before the signal and end while it drains, or after the listener is gone.
      for (const ms of [30, WAIT_MS / 2, WAIT_MS, WAIT_MS * 2]) begin(true, `/slow?ms=${ms}`, 0);
      // And while it closes: told nothing, and at rest for a moment when those at rest are closed.
      for (let ms = WAIT_MS + 90; ms < WAIT_MS + 130; ms += 2) begin(true, `/slow?ms=${ms}`, 0);
      await sleep(100);
      const code = gateway.end(signal);
      await Promise.all(runs);
      expect(clients.map(({ odd }) => odd)).toEqual(clients.map(() => []));
      expect(await code).toBe(0);
      const lines = gateway.lines().filter((line) => line['route'] === 'any');
      expect(lines).toHaveLength(clients.reduce((sum, { answers }) => sum + answers, 0));
      expect(lines.filter((line) => line['status'] !== 200)).toEqual([]);
    },
  );

  it('answers what comes on a connection whose last answer could not say goodbye any more', async () => {
    const gateway = await start({ SHUTDOWN_TIMEOUT: '10s' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const slow = ask(`${gateway.url}/slow?ms=${WAIT_MS * 3}&untold`, agent);
    await until(() => upstream.requests.at(-1)?.url?.endsWith('&untold') === true);
    const code = gateway.end();
    expect(await slow).toMatchObject({ got: 200, told: false });
    await sleep(WAIT_MS / 4);
    expect(await ask(`${gateway.url}/quick`, agent)).toMatchObject({ got: 200, told: true });
    expect(await code).toBe(0);
    agent.destroy();
  });

  it('answers the first request of a connection that was opened just before the listener closed', async () => {
    const gateway = await start({ SHUTDOWN_TIMEOUT: '10s' });
    const port = Number(new URL(gateway.url).port);
    const silent = await opened(port);
    const code = gateway.end();
    await until(async () => (await opened(port).catch(() => undefined))?.destroy() === undefined);
    silent.write('GET /quick HTTP/1.1\r\nhost: a\r\n\r\n');
    const [head] = (await once(silent, 'data')) as [Buffer];
    expect(String(head)).toMatch(/^HTTP\/1.1 200 /);
    expect(await code).toBe(0);
  });

  it('does not wait for connections on which nobody ever said a word', async () => {
    const gateway = await start({ SHUTDOWN_TIMEOUT: '1h' });
    const silent = await opened(Number(new URL(gateway.url).port));
    expect((await call(`${gateway.url}/quick`)).status).toBe(200);
    expect(await gateway.end()).toBe(0);
    silent.destroy();
  });

  it('leaves the line of everything that it cuts off', async () => {
    const gateway = await start({ DRAIN_DELAY: '0s', SHUTDOWN_TIMEOUT: '200ms' });
    const before = upstream.requests.length;
    const agent = new Agent();
    const cut = ['/hang', '/stream', '/stream'].map((path) => ask(gateway.url + path, agent));
    const socket = await openSocket('/test/chat/1', { url: gateway.url });
    await until(() => upstream.requests.length === before + 3);
    expect(await gateway.end()).toBe(0);
    expect(await Promise.all(cut)).toMatchObject(cut.map(() => ({ got: 'ECONNRESET' })));
    await socket.closed;
    const lines = exchangesOf(gateway);
    const refused = { stage: 'open', code: 'shutting-down' };
    expect(lines.filter((line) => line['path'] === '/hang')).toMatchObject([
      { status: 503, cut: true, refused },
    ]);
    expect(lines.filter((line) => line['path'] === '/stream')).toMatchObject([
      { status: 200, cut: true, refused, bytes: 6 },
      { status: 200, cut: true, refused, bytes: 6 },
    ]);
    expect(lines.filter((line) => line['path'] === '/test/chat/1')).toMatchObject([{ status: 101 }]);
  });

  it('that is cut short by a second signal leaves the lines too, and ends with 1', async () => {
    const gateway = await start({ DRAIN_DELAY: '1h' });
    const before = upstream.requests.length;
    const cut = ask(`${gateway.url}/hang`, new Agent());
    await until(() => upstream.requests.length === before + 1);
    const code = gateway.end();
    await until(async () => (await call(`${gateway.url}/health/ready`)).status === 503);
    gateway.process.kill('SIGTERM');
    expect(await code).toBe(1);
    expect(await cut).toMatchObject({ got: 'ECONNRESET' });
    expect(exchangesOf(gateway).filter((line) => line['path'] === '/hang')).toHaveLength(1);
  });
});

describe('SIGHUP', () => {
  it('ends nothing, and has the configuration read again', async () => {
    const gateway = await start();
    gateway.process.kill('SIGHUP');
    await until(() => gateway.lines().some((line) => line['trigger'] === 'SIGHUP'));
    expect((await call(`${gateway.url}/quick`)).status).toBe(200);
    expect(await gateway.end()).toBe(0);
  });
});

describe('an error that nobody caught', () => {
  /** Has the process do something on SIGUSR2. From a file, because its name shows in stacks. */
  function script(what: string): Record<string, string> {
    const file = join(folder, 'on-signal.mjs');
    writeFileSync(file, `process.on('SIGUSR2', () => { ${what} })`);
    return { NODE_OPTIONS: `--import=${file}` };
  }

  it.each([
    ['thrown', `setTimeout(() => { throw new Error('s3cret of a body') })`, 'uncaughtException'],
    ['a rejection', `Promise.reject(new Error('s3cret of a body'))`, 'unhandledRejection'],
    ['no error', `Promise.reject('s3cret of a body')`, 'unhandledRejection'],
  ])('(%s) leaves one line of JSON, and the gateway drains and ends with 1', async (_how, what, origin) => {
    const gateway = await start(script(what));
    const before = upstream.requests.length;
    const slow = ask(`${gateway.url}/slow?ms=${WAIT_MS * 2}`, new Agent());
    await until(() => upstream.requests.length === before + 1);
    expect(await gateway.end('SIGUSR2')).toBe(1);
    expect(await slow).toMatchObject({ got: 200 });
    const fatal = gateway.lines().filter((line) => line['level'] === 60);
    expect(fatal).toMatchObject([{ origin, msg: 'nobody caught an error; the gateway drains and ends' }]);
    expect(exchangesOf(gateway)).toMatchObject([{ path: '/slow?ms=', status: 200 }]);
    expect(gateway.stderr()).toBe('');
    expect(JSON.stringify(gateway.lines())).not.toContain('s3cret');
  });

  it('does not stop the drain that an earlier one began, and is logged as well', async () => {
    const gateway = await start(script(`for (let i = 0; i < 3; i += 1) Promise.reject(new Error('x'))`));
    expect(await gateway.end('SIGUSR2')).toBe(1);
    expect(gateway.lines().filter((line) => Number(line['level']) >= 50)).toHaveLength(3);
    expect(gateway.lines().filter((line) => line['level'] === 60)).toHaveLength(1);
  });

  it('a warning of Node is a line of JSON as well', async () => {
    const gateway = await start(script(`process.emitWarning('careful', 'TestWarning')`));
    gateway.process.kill('SIGUSR2');
    await until(() => gateway.lines().some((line) => line.msg === 'careful'));
    expect(gateway.stderr()).toBe('');
    expect(await gateway.end()).toBe(0);
  });
});

function exchangesOf(gateway: ChildGateway): LogLine[] {
  return gateway.lines().filter((line) => line.msg === 'exchange' && line['path'] !== '/health/ready');
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}
