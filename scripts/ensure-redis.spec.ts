import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('ensure-redis', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-path-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(): { status: number | null; stdout: string; stderr: string } {
    const script = join(process.cwd(), 'scripts/ensure-redis.ts');
    return spawnSync(process.execPath, [script], { env: { PATH: folder }, encoding: 'utf8' });
  }

  function command(name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  it('prints one line when redis-server is on PATH', () => {
    command('redis-server', 'exit 0');
    const { status, stdout, stderr } = run();
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `redis-server: ${join(folder, 'redis-server')}\n`,
      stderr: '',
    });
  });

  it('does not take a file that cannot be run', () => {
    writeFileSync(join(folder, 'redis-server'), '', { mode: 0o644 });
    expect(run().status).toBe(1);
  });

  it('says what to type on each system where it cannot install anything', () => {
    const { status, stderr } = run();
    expect(status).toBe(1);
    for (const advice of [
      'apt-get install redis-server',
      'apk add redis',
      'dnf install redis',
      'brew install redis',
    ]) {
      expect(stderr).toContain(advice);
    }
  });

  it('says why installing failed and what to type', () => {
    command('apt-get', 'echo "E: no network" >&2; exit 100');
    command('sh', 'exec /bin/sh "$@"');
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain('sudo apt-get install redis-server');
    if (process.getuid?.() === 0) expect(stderr).toContain('E: no network');
    else expect(stderr).toContain('needs root');
  });
});
