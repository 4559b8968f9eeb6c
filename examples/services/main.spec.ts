import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_PORTS } from './start.ts';

const COUNT = Object.keys(DEFAULT_PORTS).length;

function start(): ChildProcess {
  const env = { ...process.env, PORTS: 'free', HOST: '0.0.0.0', NODE_OPTIONS: '' };
  return spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function addresses(child: ChildProcess): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (child.stdout === null) throw new Error('stdout is a pipe');
  for await (const line of createInterface({ input: child.stdout })) {
    const [name = '', url = ''] = line.split(/ +/);
    found.set(name, url);
    if (found.size === COUNT) break;
  }
  return found;
}

describe('main', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('runs all services until %s', async (signal) => {
    const child = start();
    const found = await addresses(child);
    const response = await fetch(`${found.get('users-2')}/users/1`);
    expect([response.status, response.headers.get('x-served-by')]).toEqual([200, 'users-2']);
    const exited = once(child, 'exit');
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  });
});
