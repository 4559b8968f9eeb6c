import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { fixed, mainFile, TeamFiles } from '../support/team-files.ts';

jest.setTimeout(60_000);

let files: TeamFiles;
let redis: RedisServer;
let gateway: ChildGateway;

beforeAll(async () => {
  files = new TeamFiles();
  files.write('gateway.yaml', mainFile('http://127.0.0.1:1', {}, { onFault: 'leaveOut' }));
  files.write('teams/one.yaml', { routes: [fixed('a', '/one', 'first')] });
  redis = await startRedis();
  await ensureBuilt();
  gateway = await startChild(files.file, { WORKERS: '2', REDIS_URL: redis.url });
}, 60_000);
afterAll(async () => {
  await gateway.end();
  await redis.stop();
  files.remove();
});

const answers = (path: string) =>
  Promise.all(
    Array.from({ length: 20 }, async () => {
      const { status, text } = await call(gateway.url + path, { headers: { connection: 'close' } });
      return status === 200 ? text : String(status);
    }),
  );

async function untilAll(path: string, wanted: string): Promise<void> {
  while (!(await answers(path)).every((one) => one === wanted)) await sleep(50);
}

describe('files of teams, of several workers', () => {
  it('come into force in all of them, and are left out of all of them', async () => {
    await untilAll('/one', 'first');
    files.write('teams/two.yaml', { routes: [fixed('b', '/two')] });
    await untilAll('/two', 'b');
    files.write('teams/one.yaml', { routes: [fixed('a', '/elsewhere')] });
    files.write('teams/two.yaml', { routes: [fixed('b', '/two/more')] });
    await untilAll('/two/more', 'b');
    expect(new Set(await answers('/one'))).toEqual(new Set(['first']));
    const page = (await call(`${gateway.adminUrl}/metrics`)).text;
    expect(page).toMatch(/gatehouse_config_left_out\{[^}]*team="one"/);
    expect(page).toMatch(/gatehouse_requests_total\{[^}]*route="two.b"[^}]*team="two"/);
  });

  it('are what they were for a worker that comes later, the last good ones included', async () => {
    const headers = { 'x-gatehouse-admin': 'spec' };
    const before = await pids();
    await call(`${gateway.adminUrl}/workers/restart`, { method: 'POST', headers });
    while ((await pids()).some((pid) => before.includes(pid)) || (await pids()).length < 2) await sleep(50);
    expect(new Set(await answers('/one'))).toEqual(new Set(['first']));
    files.write('teams/one.yaml', { routes: [fixed('a', '/one', 'second')] });
    await untilAll('/one', 'second');
  });
});

async function pids(): Promise<readonly unknown[]> {
  const { workers } = (await call(`${gateway.adminUrl}/workers`)).json<{
    workers: readonly { pid: number }[];
  }>();
  return workers.map(({ pid }) => pid);
}
