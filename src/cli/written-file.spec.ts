import { afterAll, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTo } from './written-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-written-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a file is written as it was asked for', async () => {
  const file = join(folder, 'own');
  await writeTo(file, 'text', { mode: 0o600 });
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['text', 0o600]);
});

it('of one that cannot be written people are told which one, and why', async () => {
  writeFileSync(join(folder, 'there'), '');
  for (const [file, why] of [
    ['none/file', 'there is no such folder'],
    ['there/file', 'there is no such folder'],
    ['', 'it is a folder'],
  ] as const)
    await expect(writeTo(join(folder, file), '')).rejects.toThrow(
      `${join(folder, file)} cannot be written: ${why}`,
    );
  await expect(writeTo(join(folder, 'there'), '', { flag: 'wx' })).rejects.toThrow('it is there already');
});
