import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { checkGateway, startGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Processes that are started, and thousands of requests.
jest.setTimeout(60_000);

let upstream: TestUpstream;
let folder: string;
let file: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-logs-'));
  file = join(folder, 'gateway.yaml');
  upstream = await startUpstream((incoming, response) => {
    response.statusCode = incoming.url === '/fails' ? 500 : 200;
    response.end('answer');
  });
});

afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

function config(logs: object): string {
  return JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { it: { targets: [upstream.url], circuitBreaker: {} } },
    routes: [{ id: 'any', match: { path: '/{what}' }, upstream: 'it' }],
    logs,
  });
}

describe('access lines of a gateway', () => {
  it('have fields, and are in the Elastic Common Schema', async () => {
    const fields = { agent: '{request.header.user-agent}', at: '{route.id}', secret: '{query.token}' };
    const gateway = await startGateway({ config: config({ format: 'ecs', fields }) });
    await call(`${gateway.url}/a?token=t0ps3cret`, { headers: { 'user-agent': 'me"\\' } });
    await call(`${gateway.url}/no/route`);
    const lines = await gateway.linesWhere((line) => '@timestamp' in line, 2);
    await gateway.stop();
    expect(JSON.stringify(lines)).not.toContain('t0ps3cret');
    const of = (path: string) => lines.find((line) => (line['url'] as { path: string }).path === path);
    expect(of('/a')).toMatchObject({
      message: 'GET /a 200',
      http: {
        version: '1.1',
        request: { method: 'GET' },
        response: { status_code: 200, body: { bytes: 6 } },
      },
      url: { scheme: 'http', path: '/a', query: 'token=' },
      client: { ip: '127.0.0.1' },
      service: { target: { name: 'it', address: new URL(upstream.url).host } },
      labels: { agent: 'me"\\', at: 'any', secret: '[redacted]' },
      gatehouse: { route: 'any', attempts: [{ outcome: '200' }] },
    });
    expect(of('/no/route')).toMatchObject({
      event: { outcome: 'failure' },
      error: { code: 'route-not-found' },
    });
  });

  it('are all of errors and refusals, and none of successes, if that is what the file says', async () => {
    const gateway = await startGateway({ config: config({ sample: { successes: '0%', slow: '1h' } }) });
    for (const path of ['/a', '/b', '/fails', '/no/route']) await call(gateway.url + path);
    const lines = await gateway.accessLines(2);
    await gateway.stop();
    expect(lines.map(({ path, status, standsFor }) => [path, status, standsFor])).toEqual([
      ['/fails', 500, 1],
      ['/no/route', 404, 1],
    ]);
  });

  it.each<[string, object, RegExp]>([
    ['a format', { format: 'csv' }, /logs\.format.*json.*ecs.*combined/s],
    ['a value', { fields: { a: '{principal.tennant}' } }, /logs\.fields\.a.*tenant/s],
    ['a parameter of the path', { fields: { a: '{what}' } }, /logs\.fields\.a.*there is no "what"/s],
    ['a credential', { fields: { a: '{header.authorization}' } }, /credential/],
    ['the name of a field', { fields: { 'a"b': 'x' } }, /letters, digits and underscores/],
    ['a share', { sample: { successes: 0.01 } }, /logs\.sample\.successes.*percentage/s],
    ['a buffer', { buffer: '1KiB' }, /logs\.buffer.*between 256KiB and 1GiB/s],
  ])('refuse %s that makes no sense, with its place', async (_, logs, told) => {
    await expect(checkGateway({ config: config(logs) })).rejects.toThrow(told);
  });
});

describe('a log of a process', () => {
  let gateway: ChildGateway | undefined;

  beforeAll(ensureBuilt, 60_000);
  afterAll(() => gateway?.end('SIGKILL'));

  /** Asks many times over a few connections. */
  async function load(count: number, agent: Agent): Promise<number> {
    let answered = 0;
    const one = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const options = { agent, headers: { 'user-agent': 'u'.repeat(150) } };
        request(`${gateway?.url}/a`, options, (answer) => {
          if (answer.statusCode === 200) answered += 1;
          answer.resume().once('end', resolve);
        })
          .once('error', reject)
          .end();
      });
    for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, one));
    return answered;
  }

  const dropped = async (): Promise<number> => {
    const { text } = await call(`${gateway?.adminUrl}/metrics`);
    return Number(/^gatehouse_log_lines_dropped_total (\d+)$/m.exec(text)?.[1]);
  };

  it('holds nobody up while nobody reads it, counts what it drops, and says so later', async () => {
    writeFileSync(file, config({ buffer: '256KiB', fields: { agent: '{header.user-agent}' } }));
    gateway = await startChild(file);
    const { stdout } = gateway.process;
    expect(await dropped()).toBe(0);
    stdout?.pause();
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    let sent = 0;
    while ((await dropped()) === 0 && sent < 20_000) {
      expect(await load(500, agent)).toBe(500);
      sent += 500;
    }
    const lost = await dropped();
    expect(lost).toBeGreaterThan(0);
    stdout?.resume();
    const linesOf = (msg: string) => gateway?.lines().filter((line) => line.msg === msg) ?? [];
    while (linesOf('log lines were dropped').length === 0) await sleep(20);
    while (linesOf('exchange').length + lost < sent) await sleep(20);
    const told = linesOf('log lines were dropped').reduce((sum, line) => sum + Number(line['lines']), 0);
    expect(told).toBe(lost);
    agent.destroy();
    expect(await gateway.end()).toBe(0);
    expect(linesOf('exchange').length + lost).toBe(sent);
  });

  it('does not keep a process from ending', async () => {
    gateway = await startChild(file);
    gateway.process.stdout?.pause();
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    while ((await dropped()) === 0) await load(500, agent);
    agent.destroy();
    const exited = new Promise((resolve) => gateway?.process.once('exit', resolve));
    gateway.process.kill('SIGTERM');
    expect(await exited).toBe(0);
  });
});
