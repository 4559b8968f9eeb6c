import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingImport } from './missing-import.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-import-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function thrown(wanted: string, kind: 'module' | 'package', from: string): Error {
  const message = `Cannot find ${kind} '${wanted}' imported from ${from}`;
  return Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
}

it('has the line of an import of a file, and of a package', () => {
  const file = join(folder, 'a.ts');
  writeFileSync(file, `// other\nimport { b } from './other.ts';\nimport c from 'package-c';\n`);
  const missing = join(folder, 'other.ts');
  expect(missingImport(thrown(missing, 'module', file))).toMatchObject({
    file,
    line: 2,
    column: 22,
    message: `there is no file ${missing}, which it imports`,
  });
  expect(missingImport(thrown('package-c', 'package', file))).toMatchObject({
    line: 3,
    message: 'the package package-c is not installed, which it imports',
  });
});

it('is about nothing else', () => {
  expect(missingImport(new Error('no'))).toBeUndefined();
  expect(missingImport(undefined)).toBeUndefined();
});
