import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;

// A checkout in which nothing has been built yet.
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-helm-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  cpSync('scripts', join(folder, 'scripts'), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules/yaml'), join(folder, 'node_modules/yaml'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(commands: Readonly<Record<string, string>>) {
  for (const [name, script] of Object.entries(commands))
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const script = join(folder, 'scripts/ensure-helm.ts');
  return spawnSync(process.execPath, [script], { env: { PATH: join(folder, 'bin') }, encoding: 'utf8' });
}

it('takes the tools on PATH, and says what brings the schemas where nothing can be fetched', () => {
  const { status, stdout, stderr } = run({ helm: 'exit 0', kubeconform: 'exit 0' });
  expect(stdout).toContain(`helm: ${join(folder, 'bin/helm')}\n`);
  expect(stdout).toContain(`kubeconform: ${join(folder, 'bin/kubeconform')}\n`);
  expect(status).toBe(1);
  expect(stderr).toContain('python3 cannot be run');
  expect(stderr).toContain('kubernetes-validate==');
});

it('says what to type where there is no Go', () => {
  const { status, stderr } = run({});
  expect(status).toBe(1);
  expect(stderr).toContain('The specs of the chart need helm: go cannot be run');
  expect(stderr).toContain('GOFLAGS=-mod=mod go install helm.sh/helm/v3/cmd/helm@v3.22.0');
  expect(stderr).toContain('npm run test:kubernetes');
});

it('says what Go has said where it cannot build', () => {
  const { status, stderr } = run({ go: 'echo "first" >&2; echo "no such host" >&2; exit 1' });
  expect(status).toBe(1);
  expect(stderr).toContain('need helm: no such host.');
});
