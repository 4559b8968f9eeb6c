import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

describe('ensure-grpc-peer', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-path-'));
    for (const each of ['first', 'second']) mkdirSync(join(folder, each));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(): { status: number | null; stdout: string; stderr: string } {
    const script = join(process.cwd(), 'scripts/ensure-grpc-peer.ts');
    const env = { PATH: [join(folder, 'first'), join(folder, 'second')].join(delimiter) };
    return spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  }

  function command(name: string, script: string): string {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  }

  it('takes the first python3 on PATH that has the modules, not simply the first one', () => {
    command('first/python3', 'exit 1');
    const python = command('second/python3', 'exit 0');
    const { status, stdout, stderr } = run();
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `python3 with grpcio and protobuf: ${python}\n`,
      stderr: '',
    });
  });

  it('installs the packages of the system, and looks again', () => {
    const python = join(folder, 'second/python3');
    command('second/sh', 'exec /bin/sh "$@"');
    command('second/sudo', 'shift; if [ "$1" = true ]; then exit 0; fi; shift; exec /bin/sh "$@"');
    command(
      'second/apk',
      `echo "$@" >${folder}/asked; printf '#!/bin/sh\\n' >${python}; /bin/chmod 755 ${python}`,
    );
    const { status, stdout } = run();
    expect([status, stdout]).toEqual([
      0,
      `python3 with grpcio and protobuf: ${python} (installed with apk)\n`,
    ]);
  });

  it('says why installing failed and what to type', () => {
    command('second/sh', 'exec /bin/sh "$@"');
    command('second/dnf', 'echo "no network" >&2; exit 1');
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain('sudo dnf install python3-grpcio python3-protobuf');
    expect(stderr).toContain(process.getuid?.() === 0 ? 'no network' : 'needs root');
  });

  it('says what to type on each system where it cannot install anything', () => {
    const { status, stderr } = run();
    expect(status).toBe(1);
    for (const advice of [
      'apt-get install python3-grpcio',
      'apk add py3-grpcio',
      'pacman -S',
      'nix-shell',
      'pip',
    ]) {
      expect(stderr).toContain(advice);
    }
  });
});
