import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { startDev, type Dev } from '../support/dev.ts';
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
  it('prints the routes, and fakes whom nobody listens for', async () => {
    expect(dev.text).toMatch(/ID +METHODS +PATH[\s\S]*users +\* +\/users\/\* +users +public/);
    expect(await dev.get('/users/7')).toEqual({ fake: 'users', method: 'GET', path: '/users/7' });
    expect(await dev.get('/hello')).toEqual({ hello: 'one' });
  });

  it('restarts when a file changes that the code imports, at the same address', async () => {
    project.write('src/.word.ts.swp', `export const word: string = 'two';`);
    // As editors write that want no half a file to be seen.
    renameSync(join(project.folder, 'src/.word.ts.swp'), join(project.folder, 'src/word.ts'));
    expect(await dev.says(/restarted in .*\n/)).toContain('src/word.ts changed: restarting');
    expect(await dev.get('/hello')).toEqual({ hello: 'two' });
  }, 120_000);

  it('ends at once, and leaves no process behind', async () => {
    const children = [...dev.children];
    expect(children.length).toBeGreaterThan(0);
    dev.process.kill('SIGINT');
    const [code] = (await once(dev.process, 'close')) as [number | null];
    expect(code).toBe(0);
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 120_000);
});
