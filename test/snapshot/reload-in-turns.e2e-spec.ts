import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { fixed, mainFile, TeamFiles, type RunningTeams } from '../support/team-files.ts';

const COUNT = 2000;
/** Of 5 ms each; all of it takes hundreds of them. At once it would be two or three. */
const TURNS = 10;

let files: TeamFiles;
let running: RunningTeams;

beforeEach(() => void (files = new TeamFiles()));
afterEach(async () => {
  await running.gateway.close();
  files.remove();
});

/** How many turns of the loop others have while something is done. */
async function turnsOf<Result>(act: () => Promise<Result>): Promise<[turns: number, result: Result]> {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  try {
    const result = await act();
    return [turns, result];
  } finally {
    clearImmediate(timer);
  }
}

/** As people write it, one route of `prefix` after the other. */
const routes = (prefix: string, last = 'it'): string => {
  const one = (at: number, upstream: string): string =>
    `  - id: r${at}\n    match: { path: '${prefix}/r${at}' }\n    upstream: ${upstream}\n`;
  return `routes:\n${Array.from({ length: COUNT }, (_, at) => one(at, at === COUNT - 1 ? last : 'it')).join('')}`;
};
const whole = (last?: string): string => `version: 1
floodLimit: off
defaults: { policies: { authentication: public } }
upstreams: { it: { targets: ['http://127.0.0.1:1'] } }
${routes('', last)}`;

it('lets requests have their turn while many routes are put into force', async () => {
  files.write('gateway.yaml', { version: 1, floodLimit: 'off', routes: [] });
  running = await files.start();
  files.write('gateway.yaml', whole());
  let answered = 0;
  let isOver = false;
  const asking = (async () => {
    for (; !isOver; answered += 1) expect([404, 502]).toContain(await running.status('/r1'));
  })();
  const [turns, { outcome }] = await turnsOf(() => running.gateway.reload('SIGHUP'));
  isOver = true;
  await asking;
  expect([outcome, turns > TURNS, answered > 3]).toEqual(['reloaded', true, true]);
  expect(await running.status('/r1')).toBe(502);
});

it('refuses what has a fault as it would at a start, and tells where', async () => {
  files.write('gateway.yaml', { version: 1, routes: [] });
  running = await files.start();
  files.write('gateway.yaml', whole('nobody'));
  const [turns, { outcome, faults }] = await turnsOf(() => running.gateway.reload('SIGHUP'));
  expect([outcome, turns > TURNS]).toEqual(['faulty', true]);
  expect(faults).toEqual(
    (await files.faults()).get('gateway.yaml')?.map((one) => ({ ...one, file: files.file })),
  );
  expect(faults).toMatchObject([{ line: 5 + 3 * COUNT, key: `routes[r${COUNT - 1}].upstream` }]);
  files.write('gateway.yaml', whole().replace('r7\n', 'r6\n'));
  expect((await running.gateway.reload('SIGHUP')).faults).toMatchObject([{ key: 'routes[r6].id' }]);
});

it('does so with the files of teams', async () => {
  const teams = Array.from({ length: 20 }, (_, at) => `team${at}`);
  const main = mainFile('http://127.0.0.1:1');
  const write = (text: string): void => {
    for (const team of teams)
      files.write(`teams/${team}.yaml`, {
        routes: Array.from({ length: COUNT / 20 }, (_, at) => ({
          ...fixed(`r${at}`, `/${team}/r${at}`, text),
        })),
      });
  };
  files.write('gateway.yaml', main);
  write('first');
  running = await files.start();
  write('second');
  const [turns, { outcome }] = await turnsOf(() => running.gateway.reload('SIGHUP'));
  expect([outcome, turns > TURNS]).toEqual(['reloaded', true]);
  expect(await running.text('/team3/r7')).toBe('second');
});

it('is not begun with what the gateway has no time for: it is closed', async () => {
  files.write('gateway.yaml', { version: 1, routes: [] });
  running = await files.start();
  files.write('gateway.yaml', whole());
  const reloading = running.gateway.reload('SIGHUP');
  await running.gateway.close();
  expect((await reloading).outcome).not.toBe('reloaded');
});
