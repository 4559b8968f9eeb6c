import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN, COMPILED } from './child.ts';
import { makeProject, type Project } from './project.ts';

/** The configuration of the project, with the path of its one route. */
export const CONFIG = (path: string): string => `version: 1
modules: [hello]
upstreams: { users: { targets: ['http://127.0.0.1:9'] } }
routes:
  - { id: users, match: { path: '${path}' }, upstream: users, policies: { authentication: public } }
`;
/** Its module, with the expression that it says. */
export const MODULE = (text: string): string => `import { Controller, Get, Module } from '@nestjs/common';
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
export class Dev {
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
      NODE_COMPILE_CACHE: COMPILED,
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

/** A project with a gateway of one module, under development. */
export async function startDev(): Promise<{ readonly project: Project; readonly dev: Dev }> {
  const project = await makeProject();
  project.write(
    'gatehouse.config.js',
    `export default { config: 'gateway.yaml', modules: 'src/modules.ts' };`,
  );
  project.write('gateway.yaml', CONFIG('/users/*'));
  project.write('src/word.ts', `export const word: string = 'one';`);
  project.write('src/modules.ts', MODULE('word'));
  const dev = new Dev(project.folder, '--fake-missing');
  await dev.says(/started in .*\n/);
  return { project, dev };
}
