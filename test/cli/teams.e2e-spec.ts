import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { runCommand } from '../support/command.ts';
import { fixed, mainFile, TeamFiles } from '../support/team-files.ts';

let files: TeamFiles;

const ENVIRONMENT = { ADMIN_PORT: '0', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info' };
const run = (...args: readonly string[]) => runCommand(args, ENVIRONMENT);

beforeEach(() => {
  files = new TeamFiles();
  files.write('gateway.yaml', mainFile('http://127.0.0.1:1', { routes: [fixed('home', '/home')] }));
  files.write('teams/orders.yaml', { routes: [fixed('list', '/orders'), fixed('one', '/orders/{id}')] });
  files.write('teams/users.yaml', { routes: [fixed('list', '/users')] });
});
afterEach(() => files.remove());

describe('commands, of a configuration of several files', () => {
  it('list the routes of one team, and whose those of all are', async () => {
    const all = await run('routes', '--config', files.file);
    expect(all.stdout).toMatch(/^ID\s+TEAM\s+METHODS/m);
    expect(all.stdout).toMatch(/^home\s+-\s/m);
    const own = await run('routes', '--team', 'orders', '--json', '--config', files.file);
    expect((JSON.parse(own.stdout) as { id: string }[]).map(({ id }) => id)).toEqual([
      'orders.list',
      'orders.one',
    ]);
    const unknown = await run('routes', '--team', 'order', '--config', files.file);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean "orders"?')]);
  });

  it('check all files at once, and say as data which one is wrong', async () => {
    const fine = await run('validate', '--config', files.file);
    expect([fine.code, fine.stdout]).toEqual([
      0,
      expect.stringContaining('valid, 4 routes in the file and 2 files of teams'),
    ]);
    files.write('teams/users.yaml', { routes: [fixed('list', '/else')] });
    const { code, stdout } = await run('validate', '--json', '--config', files.file);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      {
        valid: false,
        faults: [
          {
            file: join(files.folder, 'teams/users.yaml'),
            line: 6,
            column: 5,
            key: 'routes[users.list].match.path',
          },
        ],
      },
    ]);
    const told = await run('validate', '--config', files.file);
    expect([told.code, told.stderr]).toEqual([1, expect.stringContaining('teams/users.yaml:6:5')]);
  });

  it('compare and explain what the files say together', async () => {
    const next = new TeamFiles();
    next.write('gateway.yaml', mainFile('http://127.0.0.1:1', { routes: [fixed('home', '/home')] }));
    next.write('teams/orders.yaml', { routes: [fixed('list', '/orders')] });
    next.write('teams/users.yaml', { routes: [fixed('list', '/users/all')] });
    const diff = await run('diff', files.file, next.file);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/- route\s+orders\.one/);
    expect(diff.stdout).toMatch(/~ route\s+users\.list/);
    const explained = await run('explain', 'GET /orders/7', '--config', files.file);
    expect(explained.stdout).toMatch(/orders\.one .*teams\/orders\.yaml:\d+:\d+ \(team orders\)/);
    next.remove();
  });

  it('record, and replay against what the files say now', async () => {
    const gateway = await files.start();
    const sample = join(files.folder, 'sample.ndjson');
    const recording = run('record', '--out', sample, '--max', '2', '--admin', gateway.gateway.adminUrl);
    await gateway.until(async () => {
      await Promise.all([gateway.status('/orders/7'), gateway.status('/users')]);
      return Promise.race([recording.then(() => true), setImmediate().then(() => false)]);
    });
    await gateway.gateway.close();
    files.write('next.yaml', mainFile('http://127.0.0.1:1', {}, { files: 'next/*.yaml', team: 'orders' }));
    files.write('next/orders.yaml', { routes: [fixed('list', '/orders')] });
    const { stdout } = await run('replay', files.file, join(files.folder, 'next.yaml'), sample, '--json');
    expect(stdout).toContain('orders.one');
  });
});
