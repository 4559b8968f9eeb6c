import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, MODULE, startDev, type Dev } from '../support/dev.ts';
import type { Project } from '../support/project.ts';

let project: Project;
let dev: Dev;

beforeAll(async () => {
  ({ project, dev } = await startDev());
}, 120_000);

afterAll(() => {
  dev.process.kill('SIGKILL');
  project.remove();
});

describe('gatehouse dev', () => {
  it('refuses nobody while one gateway takes over from another', async () => {
    project.write('src/word.ts', `export const word: string = 'three';`);
    const restarted = dev.says(/restarted in .*\n/).then(() => true);
    const heard = new Set<unknown>();
    while (!(await Promise.race([restarted, sleep(5, false)])))
      heard.add(JSON.stringify(await dev.get('/hello')));
    heard.add(JSON.stringify(await dev.get('/hello')));
    expect([...heard]).toEqual(['{"hello":"one"}', '{"hello":"three"}']);
  }, 60_000);

  it('tells faults of code with file and line, and goes on', async () => {
    project.write('src/modules.ts', MODULE('word +'));
    expect(await dev.says(/not restarted.*\n/)).toMatch(/src\/modules\.ts:9:\d+ {2}Expression expected/);
    project.write('src/modules.ts', MODULE('word').replace('./word.ts', './wrod.ts'));
    expect(await dev.says(/not restarted.*\n/)).toMatch(/src\/modules\.ts:3:\d+ {2}there is no file src\/wrod\.ts/);
    expect(await dev.get('/hello')).toEqual({ hello: 'three' });
    project.write('src/wrod.ts', `export const word: string = 'four';`);
    await dev.says(/restarted in .*\n/);
    expect(await dev.get('/hello')).toEqual({ hello: 'four' });
  }, 60_000); // prettier-ignore

  it('reloads the configuration in the same process, and prints what changed', async () => {
    project.write('gateway.yaml', CONFIG('/people/*'));
    expect(await dev.says(/\bdev {2}reloaded\n/)).toContain('~ * /people/*  users (users): path /users/* → /people/*');
    project.write('gateway.yaml', CONFIG('people'));
    expect(await dev.says(/not reloaded.*\n/)).toMatch(/gateway\.yaml:5:\d+ {2}routes\[users\]\.match\.path/);
    expect(await dev.get('/people/7')).toMatchObject({ fake: 'users' });
    project.write('gateway.yaml', CONFIG('/people/*'));
    await dev.says(/\bdev {2}reloaded\n|nothing has changed\n/);
  }, 60_000); // prettier-ignore

  it('restarts where a configuration cannot be reloaded', async () => {
    project.write('gateway.yaml', CONFIG('/people/*').replace('modules: [hello]\n', ''));
    const told = await dev.says(/restarted in .*\n/);
    expect(told).toContain('that takes a restart');
    expect(told).toContain('- GET /hello');
    project.write('gateway.yaml', CONFIG('/people/*'));
    expect(await dev.says(/restarted in .*\n/)).toContain('+ GET /hello');
  }, 60_000);

  it('tells that the gateway has crashed, and starts it again on the next change', async () => {
    project.write('src/modules.ts', `${MODULE('word')}setTimeout(() => { throw new Error('boom'); }, 300);\n`);
    expect(await dev.says(/the gateway has crashed.*\n/)).toMatch(/src\/modules\.ts:15.*[\s\S]*boom/);
    project.write('src/modules.ts', MODULE('word'));
    await dev.says(/restarted in .*\n/);
    expect(await dev.get('/hello')).toEqual({ hello: 'three' });
  }, 60_000); // prettier-ignore
});
