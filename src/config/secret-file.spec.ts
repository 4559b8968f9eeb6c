import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LARGEST_SECRET, readSecretFile } from './secret-file.ts';

let folder: string;
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'));
  writeFileSync(path('lines'), ' one\ntwo\r\n');
  writeFileSync(path('two-ends'), 'one\n\n');
  writeFileSync(path('largest'), 'x'.repeat(LARGEST_SECRET));
  writeFileSync(path('larger'), 'x'.repeat(LARGEST_SECRET + 1));
  mkdirSync(path('folder'));
  spawnSync('mkfifo', [path('pipe')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is read without the end of its last line, and of that one only', () => {
  expect(readSecretFile(path('lines'))).toBe(' one\ntwo');
  expect(readSecretFile(path('two-ends'))).toBe('one\n');
});

it('may have 64 KiB, and is not read when it is larger', () => {
  expect(readSecretFile(path('largest'))).toHaveLength(LARGEST_SECRET);
  expect(() => readSecretFile(path('larger'))).toThrow(
    `expected ${path('larger')} to have ${LARGEST_SECRET} bytes at most for a secret`,
  );
});

it.each(['folder', 'pipe'])('is no %s, which nobody waits for', (name) => {
  expect(() => readSecretFile(path(name))).toThrow(`expected ${path(name)} to be a file`);
});

it('is no device that never ends', () => {
  expect(() => readSecretFile('/dev/zero')).toThrow('expected /dev/zero to be a file');
});

it('that is not there is named', () => {
  expect(() => readSecretFile(path('none'))).toThrow(`cannot read ${path('none')} (ENOENT)`);
});
