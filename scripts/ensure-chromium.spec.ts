import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('ensure-chromium', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-path-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(environment: Record<string, string> = {}): {
    status: number | null;
    stdout: string;
    stderr: string;
  } {
    const script = join(process.cwd(), 'scripts/ensure-chromium.ts');
    return spawnSync(process.execPath, [script], { env: { PATH: folder, ...environment }, encoding: 'utf8' });
  }

  function command(name: string, script = 'exit 0'): string {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  }

  it.each(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])(
    'takes %s from PATH, and says so in one line',
    (name) => {
      const file = command(name);
      const { status, stdout, stderr } = run();
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `chromium: ${file}\n`, stderr: '' });
    },
  );

  it('takes the one that CHROMIUM names before any other', () => {
    command('chromium');
    const file = command('my-browser');
    expect(run({ CHROMIUM: file }).stdout).toBe(`chromium: ${file}\n`);
  });

  it('does not take another one when the one that CHROMIUM names is not there', () => {
    command('chromium');
    const { status, stderr } = run({ CHROMIUM: join(folder, 'gone') });
    expect([status, stderr]).toEqual([1, `CHROMIUM=${folder}/gone is not a file that can be run.\n`]);
  });

  it('installs the package of the system, and says that it did', () => {
    const file = join(folder, 'chromium');
    command('apk', `[ "$1" = add ] && printf '#!/bin/sh\\n' >${file} && /bin/chmod 755 ${file}`);
    command('sh', 'exec /bin/sh "$@"');
    const { status, stdout, stderr } = run();
    if (process.getuid?.() === 0) {
      expect({ status, stdout }).toEqual({ status: 0, stdout: `chromium: ${file} (installed with apk)\n` });
    } else expect(stderr).toContain('needs root');
  });

  it('says what to type on each system where it cannot install anything', () => {
    const { status, stderr } = run();
    expect(status).toBe(1);
    for (const advice of ['apt-get install chromium', 'apk add chromium', 'dnf install', 'brew', 'CHROMIUM='])
      expect(stderr).toContain(advice);
  });
});
