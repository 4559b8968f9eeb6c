import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { runCommand } from '../support/command.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

// Processes that are started again.
jest.setTimeout(60_000);

/** One page of the workers. */
interface Workers {
  readonly workers?: readonly { readonly pid: number; readonly state: string }[];
}

interface Shown {
  readonly level: string;
  readonly configured: string;
  readonly until?: string;
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-level-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const headers = { 'content-type': 'application/json' };

const config = (more: object): string =>
  JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    routes: [{ id: 'any', match: { path: '/any' }, respond: { status: 200, body: 'x' } }],
    ...more,
  });

describe('the level of the log of a gateway', () => {
  let gateway: TestGateway;
  let audit: string;

  beforeAll(async () => {
    audit = join(folder, 'audit.log');
    gateway = await startGateway({ config: config({ audit: { to: 'file', file: audit } }) });
  });

  afterAll(() => gateway.stop());

  const order = (method: string, body?: object, more: object = {}) =>
    call(`${gateway.adminUrl}/log-level`, {
      method,
      headers: { ...(body && headers), ...more },
      ...(body && { body: JSON.stringify(body) }),
    });

  it('is shown, changed for a while, and set back', async () => {
    expect((await order('GET')).json<Shown>()).toEqual({ level: 'info', configured: 'info' });
    const answer = await order('PUT', { level: 'warn', for: '1h' });
    expect(answer.json<Shown>()).toMatchObject({ level: 'warn', configured: 'info' });
    const leftMs = Date.parse(answer.json<Shown>().until ?? '') - Date.now();
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
    await call(`${gateway.url}/any?quiet=1`);
    expect((await order('DELETE')).json<Shown>()).toEqual({ level: 'info', configured: 'info' });
    await call(`${gateway.url}/any?loud=1`);
    const lines = await gateway.accessLines(1);
    expect(lines.map(({ path }) => path)).toEqual(['/any?loud=']);
  });

  it('goes back by itself, and says so', async () => {
    await order('PUT', { level: 'error', for: '50ms' });
    const said = await gateway.linesWhere(({ msg, logLevel }) => msg.includes('again what it was') && logLevel !== undefined); // prettier-ignore
    expect(said.length).toBeGreaterThan(0);
    while ((await order('GET')).json<Shown>().level !== 'info') await sleep(5);
  });

  it.each([
    [{ level: 'loud' }, /level.*trace.*silent/s],
    [{ level: 'debug', for: '2d' }, /1d at most/],
    [{ level: 'debug', for: '0s' }, /more than nothing/],
    [{ level: 'debug', for: 10 }, /duration/],
    [{ level: 'debug', fro: '1m' }, /fro/],
  ])('refuses %j', async (body, told) => {
    const answer = await order('PUT', body);
    expect(answer.status).toBe(400);
    expect(answer.json<{ error: string }>().error).toMatch(told);
    expect((await order('GET')).json<Shown>().level).toBe('info');
  });

  it('takes no orders of pages', async () => {
    const page = { origin: 'http://evil.example' };
    expect((await order('PUT', { level: 'silent' }, page)).status).toBe(403);
    expect((await order('DELETE', undefined, page)).status).toBe(403);
    expect((await order('GET')).json<Shown>().level).toBe('info');
  });

  it('is accounted for', async () => {
    await order('PUT', { level: 'debug', for: '2m' });
    await order('DELETE');
    const events = () =>
      readFileSync(audit, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    // A page's is there as well, and was refused.
    const isDone = (event: Record<string, unknown>): boolean =>
      event['action'] === 'DELETE /log-level' && event['outcome'] === 'done';
    while (events().filter(isDone).length < 2) await sleep(10);
    expect(events()).toContainEqual(
      expect.objectContaining({
        kind: 'admin',
        action: 'PUT /log-level',
        outcome: 'done',
        details: { level: 'debug', before: 'info', forMs: 120_000 },
      }),
    );
    expect(events()).toContainEqual(
      expect.objectContaining({ action: 'PUT /log-level', outcome: 'refused', status: 400 }),
    );
  });
});

describe('the level of the log of two workers', () => {
  let redis: RedisServer;
  let gateway: ChildGateway;

  beforeAll(async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, config({}));
    redis = await startRedis();
    await ensureBuilt();
    gateway = await startChild(file, { WORKERS: '2', REDIS_URL: redis.url });
  }, 60_000);

  afterAll(async () => {
    await gateway?.end('SIGKILL');
    await redis.stop();
  });

  const levels = async (): Promise<readonly string[]> => {
    const page = (await call(`${gateway.adminUrl}/log-level?worker=all`)).json<Record<string, Shown>>();
    return Object.values(page).map(({ level }) => level);
  };
  const bin = (...args: string[]) => runCommand(['log-level', ...args, '--admin', gateway.adminUrl]);

  it('is changed in all of them by the command line, and shown by it', async () => {
    expect((await bin()).stdout).toBe('info\n');
    const changed = await bin('warn', '--for', '5m');
    expect(changed).toMatchObject({ code: 0, stderr: '' });
    expect(changed.stdout).toMatch(/^warn until \d{4}-.*Z, then info\n$/);
    expect(await levels()).toEqual(['warn', 'warn']);
    expect(JSON.parse((await bin('--json')).stdout)).toMatchObject({ level: 'warn', configured: 'info' });
    // The primary has said so too, and two workers.
    const said = () => gateway.lines().filter(({ msg }) => msg === 'the level of the log has changed');
    while (said().length < 3) await sleep(20);
    expect(said().map(({ worker }) => worker).toSorted()).toEqual([1, 2, undefined]); // prettier-ignore
  });

  it('holds for a worker that takes the place of another', async () => {
    // Nobody answers for the moment in which one has ended and the primary has not heard of it.
    const pids = async () => (await call(`${gateway.adminUrl}/workers`)).json<Workers>().workers ?? [];
    const [first] = await pids();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    const isWhole = async () => {
      const shown = await pids();
      return shown.length === 2 && shown.every(({ pid, state }) => pid !== first?.pid && state === 'serving');
    };
    while (!(await isWhole())) await sleep(50);
    while ((await levels()).join() !== 'warn,warn') await sleep(20);
  });

  it('goes back in all of them', async () => {
    expect((await bin('--reset')).stdout).toBe('info\n');
    expect(await levels()).toEqual(['info', 'info']);
  });

  it('is not changed by what makes no sense', async () => {
    expect(await bin('loud')).toMatchObject({ code: 2 });
    const refused = await bin('debug', '--for', '3d');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/log-level: --for: .*1d at most/);
    expect(await levels()).toEqual(['info', 'info']);
  });
});
