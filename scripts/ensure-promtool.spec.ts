import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-path-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(...commands: readonly string[]) {
  for (const name of commands) writeFileSync(join(folder, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  const script = join(process.cwd(), 'scripts/ensure-promtool.ts');
  return spawnSync(process.execPath, [script], { env: { PATH: folder }, encoding: 'utf8' });
}

it('takes the one on PATH, and says so in one line', () => {
  const { status, stdout, stderr } = run('promtool', 'prometheus');
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: `promtool: ${join(folder, 'promtool')}\n`,
    stderr: '',
  });
});

it.each([[[]], [['promtool']]])(
  'says what to type where there is only %j, and nothing can be installed',
  (some) => {
    const { status, stderr } = run(...some);
    expect(status).toBe(1);
    for (const advice of ['apt-get install prometheus', 'apk add prometheus', 'brew install prometheus'])
      expect(stderr).toContain(advice);
  },
);
