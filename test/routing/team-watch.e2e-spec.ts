import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../support/client.ts';
import { fixed, mainFile, TeamFiles, type RunningTeams } from '../support/team-files.ts';

let files: TeamFiles;
let running: RunningTeams | undefined;

beforeEach(() => void (files = new TeamFiles()));
afterEach(async () => {
  await running?.gateway.close();
  running = undefined;
  files.remove();
});

const main = (more: object = {}, entry: object = {}): object => mainFile('http://127.0.0.1:1', more, entry);
const textOf = async (path: string): Promise<string | undefined> => running?.text(path);

describe('files that come and go', () => {
  it('takes up a new file, a changed one and one that a link leads to elsewhere, and lets go of one that is gone', async () => {
    const version = (name: string, body: string): void =>
      files.write(`teams/..${name}/one.yaml`, { routes: [fixed('a', '/one', body)] });
    version('v1', 'first');
    version('v2', 'second');
    symlinkSync('..v1', join(files.folder, 'teams/..data'));
    symlinkSync('..data/one.yaml', join(files.folder, 'teams/one.yaml'));
    files.write('gateway.yaml', main());
    running = await files.start();
    running.watch();
    expect(await textOf('/one')).toBe('first');
    symlinkSync('..v2', join(files.folder, 'teams/..new'));
    renameSync(join(files.folder, 'teams/..new'), join(files.folder, 'teams/..data'));
    await running.until(async () => (await textOf('/one')) === 'second');
    files.write('teams/two.yaml', { routes: [fixed('b', '/two')] });
    await running.until(async () => (await running?.status('/two')) === 200);
    files.remove('teams/two.yaml');
    await running.until(async () => (await running?.status('/two')) === 404);
    const headers = { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec' };
    await call(`${running.gateway.adminUrl}/config/rollback`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ generation: 1 }),
    });
    expect(await textOf('/one')).toBe('first');
    expect(await running.admin('/config')).toMatchObject({ differsFromFile: { why: 'rollback' } });
    await running.gateway.reload('SIGHUP');
    expect(await textOf('/one')).toBe('second');
    // The third had another file, the fourth has it no more.
    expect(JSON.stringify(await running.admin('/config/history/3'))).toContain('# file: teams/two.yaml');
    expect(JSON.stringify(await running.admin('/config/diff?from=3&to=4'))).toContain('two.b');
  });
});
