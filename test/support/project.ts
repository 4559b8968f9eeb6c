import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BIN, COMPILED, ensureBuilt, HOME } from './child.ts';

/** A folder of a team's own outside of the repository, in which the gateway is a package. */
export interface Project {
  readonly folder: string;
  write(file: string, text: string): void;
  /** Runs the bin there. */
  run(...args: string[]): SpawnSyncReturns<string>;
  /** Runs `gatehouse start` there until it listens, and asks for a path. */
  ask(path: string, ...args: string[]): Promise<{ readonly status: number; readonly text: string }>;
  remove(): void;
}

/** Packages of the repository that a project depends on. */
const PACKAGES = ['@nestjs', 'zod', 'typescript', '@types', 'rxjs', 'reflect-metadata'];

/** Makes a project; what it has installed are links to what there is. */
export async function makeProject(): Promise<Project> {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-project-'));
  mkdirSync(join(folder, 'node_modules'));
  const link = (from: string, name: string) => symlinkSync(from, join(folder, 'node_modules', name));
  link(HOME, 'gatehouse');
  for (const name of PACKAGES) link(join(process.cwd(), 'node_modules', name), name);
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    NODE_COMPILE_CACHE: COMPILED,
    PORT: '0',
    ADMIN_PORT: '0',
    HOST: '127.0.0.1',
    DRAIN_DELAY: '0s',
  };
  return {
    folder,
    write(file, text) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    },
    run: (...args) => spawnSync(process.execPath, [BIN, ...args], { cwd: folder, env, encoding: 'utf8' }),
    async ask(path, ...args) {
      const child = spawn(process.execPath, [BIN, 'start', ...args], { cwd: folder, env });
      let out = '';
      try {
        for await (const chunk of child.stdout.setEncoding('utf8')) {
          out += chunk as string;
          const listening = out.split('\n').find((line) => line.includes('"listening"'));
          if (listening === undefined) continue;
          const { url } = JSON.parse(listening) as { url: string };
          const response = await fetch(url + path);
          return { status: response.status, text: await response.text() };
        }
        throw new Error(`the gateway ended: ${out}`);
      } finally {
        child.kill();
        if (child.exitCode === null) await once(child, 'exit');
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
