import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPT = join(process.cwd(), 'bin/stale-build.js');
const BUILT_AT = 1_800_000_000;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gatehouse-stale-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, at: number): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  utimesSync(path, at, at);
}

function notice(): { readonly runs: string; readonly said: string } {
  const code = `import { noticeStaleBuild } from ${JSON.stringify(SCRIPT)}; console.log(noticeStaleBuild(${JSON.stringify(root)}))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  return { runs: stdout.trim(), said: stderr.trim() };
}

it('warns of a source that is newer than the build', () => {
  write('dist/cli/main.js', BUILT_AT);
  write('src/old.ts', BUILT_AT - 1);
  write('src/proxy/new.ts', BUILT_AT + 1);
  const { runs, said } = notice();
  expect(runs).toBe('true');
  expect(said).toContain('this is an old build, src/proxy/new.ts is newer than dist/; run `npm run build`');
});

it('says nothing of a build that is newer than its sources, nor of what is in no build', () => {
  write('dist/cli/main.js', BUILT_AT);
  write('src/old.ts', BUILT_AT - 1);
  for (const file of ['a.spec.ts', 'a.fixture.ts', 'a.d.ts', 'console/page/a.ts'])
    write(`src/${file}`, BUILT_AT + 1);
  expect(notice()).toEqual({ runs: 'true', said: '' });
});

it('says nothing of a package, which has no sources', () => {
  write('dist/cli/main.js', BUILT_AT);
  expect(notice()).toEqual({ runs: 'true', said: '' });
});

it('runs nothing where there is no build', () => {
  write('src/a.ts', BUILT_AT);
  expect(notice()).toEqual({
    runs: 'false',
    said: 'gatehouse: there is no build in dist/; run `npm run build`',
  });
});
