import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN, HOME } from '../support/child.ts';
import { makeProject, type Project } from '../support/project.ts';

const CONFIG = (path: string): string => `version: 1
modules: [hello]
upstreams: { users: { targets: ['http://127.0.0.1:9'] } }
routes:
  - { id: users, match: { path: '${path}' }, upstream: users, policies: { authentication: public } }
`;
const MODULE = (text: string): string => `import { Controller, Get, Module } from '@nestjs/common';
import { Public } from 'gatehouse';
import { word } from './word.ts';

@Controller('hello')
@Public()
class HelloController {
  @Get()
  show(): { hello: string } { return { hello: ${text} }; }
}

@Module({ controllers: [HelloController] })
class HelloModule {}
export const modules = [{ name: 'hello', module: HelloModule }];
`;

/** `gatehouse dev` in a process of its own, and what it has said. */
class Dev {
  readonly process: ChildProcess;
  text = '';
  #from = 0;

  constructor(folder: string, ...args: readonly string[]) {
    const { PATH = '' } = process.env;
    const env = {
      PATH,
      PORT: '0',
      ADMIN_PORT: '0',
      HOST: '127.0.0.1',
      NODE_COMPILE_CACHE: `${HOME}.compiled`,
    };
    this.process = spawn(process.execPath, [BIN, 'dev', ...args], { cwd: folder, env });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    process.once('exit', () => this.process.kill('SIGKILL'));
  }

  /** Waits for what is said from now on, and gives back all until then. */
  async says(wanted: RegExp): Promise<string> {
    for (;;) {
      const rest = this.text.slice(this.#from);
      const found = wanted.exec(rest);
      if (found !== null) {
        this.#from += found.index + found[0].length;
        return rest.slice(0, found.index + found[0].length);
      }
      if (this.process.exitCode !== null) throw new Error(`it has ended: ${this.text}`);
      await sleep(20);
    }
  }

  get url(): string {
    return [...this.text.matchAll(/started in .* s: (\S+),/g)].at(-1)?.[1] ?? '';
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.url + path)).json();
  }

  /** The processes that it has started. */
  get children(): readonly number[] {
    const { pid } = this.process;
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  }
}

let project: Project;
let dev: Dev;

beforeAll(async () => {
  project = await makeProject();
  project.write('gatehouse.config.js', `export default { config: 'gateway.yaml', modules: 'src/modules.ts' };`);
  project.write('gateway.yaml', CONFIG('/users/*'));
  project.write('src/word.ts', `export const word: string = 'one';`);
  project.write('src/modules.ts', MODULE('word'));
  dev = new Dev(project.folder, '--fake-missing');
  await dev.says(/started in .*\n/);
}, 120_000); // prettier-ignore

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
  }, 60_000);

  it('refuses nobody while one gateway takes over from another', async () => {
    project.write('src/word.ts', `export const word: string = 'three';`);
    const restarted = dev.says(/restarted in .*\n/).then(() => true);
    const heard = new Set<unknown>();
    while (!(await Promise.race([restarted, sleep(5, false)])))
      heard.add(JSON.stringify(await dev.get('/hello')));
    heard.add(JSON.stringify(await dev.get('/hello')));
    expect([...heard]).toEqual(['{"hello":"two"}', '{"hello":"three"}']);
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

  it('ends at once, and leaves no process behind', async () => {
    const children = [...dev.children];
    expect(children.length).toBeGreaterThan(0);
    dev.process.kill('SIGINT');
    const [code] = (await once(dev.process, 'close')) as [number | null];
    expect(code).toBe(0);
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);
});
