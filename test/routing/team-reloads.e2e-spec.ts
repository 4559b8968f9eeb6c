import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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

describe('a faulty file of a team', () => {
  const good = (body: string): object => ({ routes: [fixed('a', '/one', body)] });
  const bad = { routes: [fixed('a', '/elsewhere')] };

  it('has the whole reload refused, unless the gateway says otherwise', async () => {
    files.write('gateway.yaml', main());
    files.write('teams/one.yaml', good('first'));
    files.write('teams/two.yaml', { routes: [fixed('b', '/two')] });
    running = await files.start();
    files.write('teams/one.yaml', bad);
    files.write('teams/two.yaml', { routes: [fixed('b', '/two/more')] });
    const { outcome, faults } = await running.gateway.reload('SIGHUP');
    expect([outcome, faults.length]).toEqual(['faulty', 1]);
    expect([await textOf('/one'), await running.status('/two'), await running.status('/two/more')]).toEqual([
      'first',
      200,
      404,
    ]);
  });

  it('is left out where the gateway says so: what it said before serves, the others reload, and operators are told', async () => {
    files.write('gateway.yaml', main({}, { onFault: 'leaveOut' }));
    files.write('teams/one.yaml', good('first'));
    files.write('teams/two.yaml', { routes: [fixed('b', '/two')] });
    running = await files.start();
    running.watch();
    expect(await running.admin('/health/ready')).not.toHaveProperty('details.configuration');
    files.write('teams/one.yaml', bad);
    files.write('teams/two.yaml', { routes: [fixed('b', '/two/more')] });
    await running.until(async () => (await running?.status('/two/more')) === 200);
    expect([await textOf('/one'), await running.status('/elsewhere')]).toEqual(['first', 404]);
    expect(await running.admin('/config')).toMatchObject({
      leftOut: [{ team: 'one', serves: 'last-good', faults: [{ key: 'routes[one.a].match.path', line: 6 }] }],
    });
    expect(await running.admin('/metrics')).toMatch(
      /gatehouse_config_left_out\{team="one",file="[^"]*one.yaml",serves="last-good"\} 1/,
    );
    const ready = await call(`${running.gateway.url}/health/ready`);
    expect([ready.status, ready.json()]).toMatchObject([
      200,
      { details: { configuration: { state: 'degraded', leftOut: ['one'] } } },
    ]);
    expect(running.lines.find(({ msg }) => /left out; what it said before/.test(String(msg)))).toMatchObject({
      team: 'one',
    });
    // Not even its syntax has to be right; and it comes back by itself.
    files.write('teams/one.yaml', 'routes: [');
    await running.until(async () => JSON.stringify(await running?.admin('/config')).includes('not YAML'));
    expect(await textOf('/one')).toBe('first');
    files.write('teams/one.yaml', good('second'));
    await running.until(async () => (await textOf('/one')) === 'second');
    expect(await running.admin('/config')).not.toHaveProperty('leftOut');
    expect(await running.admin('/metrics')).not.toContain('config_left_out{');
  });

  it('is left out at the start as well, and nothing of it serves', async () => {
    files.write('gateway.yaml', main({}, { onFault: 'leaveOut' }));
    files.write('teams/one.yaml', bad);
    files.write('teams/two.yaml', { routes: [fixed('b', '/two')] });
    running = await files.start();
    expect([
      await running.status('/one'),
      await running.status('/elsewhere'),
      await running.status('/two'),
    ]).toEqual([404, 404, 200]);
    expect(await running.admin('/config')).toMatchObject({ leftOut: [{ team: 'one', serves: 'nothing' }] });
    expect((await files.faults()).size).toBe(1);
  });

  it('takes no route from a team that was there before', async () => {
    files.write('gateway.yaml', main({}, { onFault: 'leaveOut', rights: { paths: ['/'] } }));
    files.write('teams/two.yaml', { routes: [fixed('b', '/two', 'mine')] });
    running = await files.start();
    files.write('teams/one.yaml', { routes: [fixed('b', '/two', 'stolen')] });
    const { outcome, leftOut } = await running.gateway.reload('SIGHUP');
    expect([outcome, leftOut?.map(({ team, serves }) => [team, serves])]).toEqual([
      'reloaded',
      [['one', 'nothing']],
    ]);
    expect(await textOf('/two')).toBe('mine');
  });
});
