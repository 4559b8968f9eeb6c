import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { Collector, otelVariables } from '../support/collector.ts';
import type { LogLine } from '../support/gateway.ts';
import { OPENMETRICS, readMetrics } from '../support/metrics-page.ts';
import { promtool } from '../support/promtool.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Processes that are started again and again.
jest.setTimeout(60_000);

let folder: string;
let file: string;
let redis: RedisServer;
let upstream: TestUpstream;
let collector: Collector;
let gateway: ChildGateway;
/** Requests that clients have sent to `any`. */
let sent = 0;
let asked = 0;

function config(ids: readonly string[] = []): string {
  const routes = ['any', ...ids].map((id) => ({ id, match: { path: `/${id}/{what}` }, upstream: 'it' }));
  const policies = { authentication: 'public' };
  const it = { targets: [upstream.url], circuitBreaker: {} };
  return JSON.stringify({ version: 1, floodLimit: 'off', defaults: { policies }, upstreams: { it }, routes });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-workers-'));
  file = join(folder, 'gateway.yaml');
  redis = await startRedis();
  collector = await new Collector().start();
  upstream = await startUpstream((_, response) => {
    asked += 1;
    response.end('answer');
  });
  writeFileSync(file, config());
  await ensureBuilt();
  gateway = await startChild(file, {
    WORKERS: '2',
    REDIS_URL: redis.url,
    GATEHOUSE_WATCH: 'off',
    ...otelVariables(collector.url),
    // Long enough for clients on a machine that has much else to do to be told.
    DRAIN_DELAY: '300ms',
  });
}, 60_000);

afterAll(async () => {
  await gateway?.end('SIGKILL');
  await Promise.all([redis.stop(), upstream.stop(), collector.stop()]);
  rmSync(folder, { recursive: true });
});

/** Asks over a connection of its own, or over one that lives on. */
function ask(path: string, agent: Agent | false = false): Promise<number> {
  if (path.startsWith('/any/')) sent += 1;
  return attempt(path, agent);
}

function attempt(path: string, agent: Agent | false): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(gateway.url + path, { agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      // A connection at rest may be ended just as it is used again; clients repeat the request (RFC 9112 section 9.3.1).
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(attempt(path, agent));
      else reject(error);
    });
    outgoing.end();
  });
}

const admin = (path: string, options: CallOptions = {}): Promise<Answer> =>
  call(gateway.adminUrl + path, options);

type UpstreamPage = readonly {
  readonly targets: readonly { readonly breaker: { readonly state: string } }[];
}[];

interface Shown {
  readonly worker: number;
  readonly pid: number;
  readonly state: string;
}

async function workers(): Promise<readonly Shown[]> {
  return (await admin('/workers')).json<{ workers: Shown[] }>().workers;
}

const pids = async (): Promise<readonly number[]> => (await workers()).map(({ pid }) => pid);

/** The processes that a gateway has started. */
function childrenOf({ process: { pid } }: ChildGateway): readonly number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return text === '' ? [] : text.split(' ').map(Number);
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

const isWhole = async (): Promise<boolean> => {
  const shown = await workers();
  return shown.length === 2 && shown.every(({ state }) => state === 'serving');
};

/** Adds up the series of a metric that have all of these labels. */
async function metric(name: string, ...labels: readonly string[]): Promise<number> {
  const lines = (await admin('/metrics')).text.split('\n');
  const mine = lines.filter(
    (line) => line.startsWith(`${name}{`) && labels.every((one) => line.includes(one)),
  );
  return mine.map((line) => Number(line.slice(line.lastIndexOf(' ')))).reduce((sum, one) => sum + one, 0);
}

const counted = (): Promise<number> => metric('gatehouse_request_duration_seconds_count', 'route="any"');
const linesWith = (msg: string): readonly LogLine[] => gateway.lines().filter((line) => line.msg === msg);

/** What pages say, by worker. */
const ofAll = async <Page>(path: string): Promise<readonly Page[]> =>
  Object.values((await admin(`${path}?worker=all`)).json<Record<string, Page>>());

describe('two workers', () => {
  it('share a port, and say so', async () => {
    expect(linesWith('listening')).toEqual([expect.objectContaining({ workers: 2, serving: 2 })]);
    const shown = await workers();
    expect(shown.map(({ worker, state }) => ({ worker, state }))).toEqual([
      { worker: 1, state: 'serving' },
      { worker: 2, state: 'serving' },
    ]);
    expect(new Set(shown.map(({ pid }) => pid)).add(gateway.process.pid ?? 0).size).toBe(3);
    const ready = await call(`${gateway.url}/health/ready`);
    expect(ready.json()).toMatchObject({ details: { workers: { state: 'ok', serving: 2, wanted: 2 } } });
  });

  it('take connections in turn, with lines that say whose they are', async () => {
    for (let i = 0; i < 10; i += 1) expect(await ask('/any/x')).toBe(200);
    await until(() => linesWith('exchange').filter(({ path }) => path === '/any/x').length === 10);
    const by = linesWith('exchange').filter(({ path }) => path === '/any/x').map(({ worker }) => worker); // prettier-ignore
    expect([1, 2].map((worker) => by.filter((one) => one === worker).length)).toEqual([5, 5]);
  });

  it('are one scrape: counters and histograms added up, gauges by worker', async () => {
    expect(await counted()).toBe(sent);
    expect(await metric('gatehouse_request_duration_seconds_bucket', 'route="any"', 'le="+Inf"')).toBe(sent);
    expect(await metric('gatehouse_upstream_attempts_total', 'upstream="it"')).toBe(asked);
    for (const worker of [1, 2])
      expect(await metric('gatehouse_target_available', `worker="${worker}"`)).toBe(1);
  });

  it('have every series once in both formats, and exemplars of both of them', async () => {
    const text = (await admin('/metrics')).text;
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
    const names = readMetrics(text, 'text').map(({ name }) => name);
    const open = (await admin('/metrics', { headers: { accept: OPENMETRICS } })).text;
    const samples = readMetrics(open, 'openmetrics');
    expect(new Set(samples.map(({ name }) => name))).toEqual(new Set(names));
    const traces = samples.flatMap(({ exemplar }) => exemplar?.['trace_id'] ?? []);
    expect(traces.length).toBeGreaterThan(0);
    const known = new Set(collector.spans.map(({ traceId }) => traceId));
    for (const one of traces) expect(known).toContain(one);
    // Whose spans are whose is told by the process that sends them.
    expect(new Set(collector.batches.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);
  });

  it('record what one of them serves, as far as that can be told at its end', async () => {
    const headers = { 'content-type': 'application/json' };
    const record = (order: object) =>
      admin('/record', { method: 'POST', headers, body: JSON.stringify(order) });
    const sample = record({ max: 3, for: '30s' });
    let isOver = false;
    const over = sample.finally(() => (isOver = true));
    while (!isOver) await Promise.all([ask('/any/recorded'), ask('/any/recorded'), sleep(20)]);
    const lines = (await over).text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    expect(lines[0]).toMatchObject({ format: 'gatehouse-sample', of: 'one worker' });
    expect(lines.slice(1, -1).map(({ route }) => route)).toEqual(['any', 'any', 'any']);
    expect(lines.at(-1)).toMatchObject({ end: 'max', recorded: 3 });
    const tooLong = await record({ for: '10m' });
    expect([tooLong.status, tooLong.json<{ error: string }>().error]).toEqual([
      400,
      expect.stringMatching(/for.*workers.*4m/),
    ]);
  });

  it('answer operators each for itself, and carry orders out together', async () => {
    const target = new URL(upstream.url).host;
    const path = `/upstreams/it/targets/${target}/breaker`;
    const headers = { 'content-type': 'application/json' };
    const force = (state: string): object => (state === 'open' ? { state, force: true } : { state });
    const put = (state: string) =>
      admin(path, { method: 'PUT', headers, body: JSON.stringify(force(state)) });
    const isOpen = async () =>
      (await ofAll<UpstreamPage>('/upstreams')).map(([it]) => it?.targets[0]?.breaker.state === 'open');
    expect((await put('open')).headers['gatehouse-worker']).toBe('all');
    expect(await isOpen()).toEqual([true, true]);
    expect((await put('closed')).status).toBe(200);
    expect(await isOpen()).toEqual([false, false]);
    expect((await admin('/routes?worker=2')).headers['gatehouse-worker']).toBe('2');
    expect((await admin('/routes?worker=3')).status).toBe(404);
    const page = { origin: 'http://evil.example' };
    for (const one of ['/metrics', '/workers', '/routes?worker=all'])
      expect((await admin(one, { headers: page })).status).toBe(403);
    expect((await admin('/workers', { headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await admin('/workers/restart', { method: 'POST' })).status).toBe(403);
  });

  it('put a configuration into force together, or not at all', async () => {
    const digests = async () => (await ofAll<{ id: string }[]>('/routes')).map((page) => page.map(({ id }) => id).filter((id) => /^(any|new|bad)$/.test(id))); // prettier-ignore
    writeFileSync(file, config(['new']));
    gateway.process.kill('SIGHUP');
    await until(() => linesWith('another configuration is in force').length > 0);
    await until(async () => (await metric('gatehouse_config_reloads_total', 'reloaded')) === 1);
    expect(await digests()).toEqual([
      ['any', 'new'],
      ['any', 'new'],
    ]);
    writeFileSync(file, config(['bad']).replace('"upstream":"it"', '"upstream":"none"'));
    gateway.process.kill('SIGHUP');
    await until(async () => (await metric('gatehouse_config_reloads_total', 'faulty')) === 1);
    expect((await digests())[1]).toEqual(['any', 'new']);
    expect(linesWith('another configuration is in force')).toHaveLength(1);
  });

  it('lose one to kill -9 without losing what was counted, and without a new start under a faulty file', async () => {
    const [first, second = 0] = await pids();
    const before = await counted();
    process.kill(second, 'SIGKILL');
    await until(async () => !(await pids()).includes(second));
    expect(await ask('/any/y')).toBe(200);
    await until(isWhole);
    const now = await pids();
    expect(now[0]).toBe(first);
    for (let i = 0; i < 4; i += 1) expect(await ask('/any/y')).toBe(200);
    expect(await counted()).toBe(before + 5);
    expect(await metric('gatehouse_worker_ends_total', 'worker="2"', 'crashed')).toBe(1);
    expect((await ofAll<object[]>('/routes'))[1]).toEqual((await ofAll<object[]>('/routes'))[0]);
    expect(linesWith('a worker has ended')).toEqual([
      expect.objectContaining({ worker: 2, signal: 'SIGKILL' }),
    ]);
  });

  it('are restarted one after the other under load, without a request that fails', async () => {
    writeFileSync(file, config(['new']));
    const before = await pids();
    let isDone = false;
    const faults: unknown[] = [];
    const load = async (agent: Agent | false): Promise<void> => {
      while (!isDone) {
        const status = await ask('/any/z', agent).catch((error: unknown) => error);
        if (status !== 200) faults.push(status);
        await sleep(2);
      }
    };
    const agent = new Agent({ keepAlive: true });
    const clients = [agent, agent, agent, false, false].map((one) => load(one as Agent | false));
    const ready: number[] = [];
    const order = await admin('/workers/restart', { method: 'POST', headers: { 'x-gatehouse-admin': 'x' } });
    expect(order.status).toBe(202);
    while (linesWith('all workers were restarted').length === 0) {
      ready.push(await ask('/health/ready'));
      await sleep(20);
    }
    isDone = true;
    await Promise.all(clients);
    agent.destroy();
    expect(faults).toEqual([]);
    expect(new Set(ready)).toEqual(new Set([200]));
    const now = await pids();
    expect(now).toHaveLength(2);
    expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    expect(await counted()).toBe(sent);
  });

  it('end with 1 once none lives and each has ended again and again', async () => {
    const ended = once(gateway.process, 'close');
    while (gateway.process.exitCode === null) {
      for (const pid of childrenOf(gateway)) killed(pid);
      await sleep(5);
    }
    expect(await ended).toEqual([1, null]);
    expect(
      linesWith('a worker ends again and again')
        .map(({ worker }) => worker)
        .toSorted(),
    ).toEqual([1, 2]);
    expect(linesWith('no worker lives, and none starts: the gateway ends')).toHaveLength(1);
    expect(gateway.stderr()).toBe('');
  });

  it('do not outlive a primary that is killed', async () => {
    const other = await startChild(file, { WORKERS: '2', REDIS_URL: redis.url });
    const left = childrenOf(other);
    expect(left).toHaveLength(2);
    await other.end('SIGKILL');
    await until(() => left.every((pid) => !isThere(pid)));
  });
});
