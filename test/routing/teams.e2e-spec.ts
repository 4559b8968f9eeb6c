import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { call } from '../support/client.ts';
import { fixed, mainFile, TeamFiles, type RunningTeams } from '../support/team-files.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let files: TeamFiles;
let service: TestUpstream;
let running: RunningTeams | undefined;

beforeAll(async () => void (service = await startUpstream()));
afterAll(() => service.stop());
beforeEach(() => void (files = new TeamFiles()));
afterEach(async () => {
  await running?.gateway.close();
  running = undefined;
  files.remove();
});

describe('two teams with one gateway', () => {
  it('serves the routes of each, under names with the team before them, and says everywhere whose they are', async () => {
    files.write('gateway.yaml', mainFile(service.url, { routes: [fixed('home', '/home')] }));
    files.write('teams/orders.yaml', {
      team: 'orders',
      upstreams: { db: { targets: [service.url] } },
      routes: [
        { id: 'list', match: { path: '/orders' }, upstream: 'db', rewrite: { path: '/echo' } },
        { id: 'one', match: { path: '/orders/{id}' }, upstream: 'shared' },
      ],
    });
    files.write('teams/users.yaml', { routes: [fixed('list', '/users/list')] });
    running = await files.start();
    expect(
      await Promise.all(
        ['/home', '/orders', '/orders/7', '/users/list', '/users'].map((path) => running?.status(path)),
      ),
    ).toEqual([200, 200, 200, 200, 404]);
    const routes = (await running.admin('/routes')) as {
      id: string;
      team: string;
      origin: string;
      upstream: string;
    }[];
    expect(
      routes.filter(({ team }) => team !== '-').map(({ id, team, upstream }) => [id, team, upstream]),
    ).toEqual([
      ['orders.list', 'orders', 'orders.db'],
      ['orders.one', 'orders', 'shared'],
      ['users.list', 'users', '200'],
    ]);
    expect(routes.find(({ id }) => id === 'users.list')?.origin).toBe(
      `${join(files.folder, 'teams/users.yaml')}:3:3`,
    );
    expect(await running.admin('/routes/orders.list')).toMatchObject({ team: 'orders' });
    const metrics = String(await running.admin('/metrics'));
    expect(metrics).toMatch(/gatehouse_requests_total\{route="orders.list",[^}]*team="orders"\} 1/);
    expect(metrics).toMatch(/gatehouse_requests_total\{route="home",method="GET",code="200"\} 1/);
    expect(metrics).toMatch(/upstream="orders.db"[^}]*team="orders"/);
    await running.until(() => running?.lines.some(({ route }) => route === 'users.list') === true);
    const line = running.lines.find(({ route }) => route === 'users.list');
    expect(line?.['team']).toBe('users');
    expect(running.lines.find(({ route }) => route === 'home')).not.toHaveProperty('team');
    const document = (await call(`${running.gateway.url}/openapi.json`)).json<{
      paths: Record<string, { get: Record<string, unknown> }>;
    }>();
    expect(document.paths['/users/list']?.get['x-gatehouse-team']).toBe('users');
    expect(document.paths['/home']?.get).not.toHaveProperty('x-gatehouse-team');
    expect(await running.admin('/config')).toMatchObject({ teams: [{ team: 'orders' }, { team: 'users' }] });
    expect(await running.admin('/traffic/routes?q=team:orders')).toMatchObject({ total: 2 });
  });

  it('has no team in any place where the configuration includes nothing', async () => {
    files.write('gateway.yaml', {
      ...mainFile(service.url),
      include: undefined,
      routes: [fixed('home', '/home')],
    });
    running = await files.start();
    expect(await running.status('/home')).toBe(200);
    expect(JSON.stringify(await running.admin('/routes'))).not.toContain('"team"');
    expect(await running.admin('/metrics')).not.toContain('team=');
    expect(await running.admin('/config')).not.toHaveProperty('teams');
  });
});
