import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SecretFolder } from './secret-folder.ts';

describe('SecretFolder', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
  });

  afterEach(() => rmSync(home, { recursive: true }));

  it('keeps a text as a file that nobody else may read, and the same text once', () => {
    const folder = new SecretFolder();
    const path = folder.fileOf('key', 'key');
    expect(readFileSync(path, 'utf8')).toBe('key');
    expect([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(folder.fileOf('key', 'key')).toBe(path);
    expect(folder.fileOf('other', 'key')).not.toBe(path);
    folder.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('removes what is not used any more, and nothing that is not its own', () => {
    const folder = new SecretFolder(join(home, 'secrets'));
    writeFileSync(join(home, 'secrets', 'notes.txt'), '');
    const [old, kept] = [folder.fileOf('old', 'crt'), folder.fileOf('kept', 'crt')];
    folder.begin();
    folder.fileOf('kept', 'crt');
    folder.tidy();
    expect([existsSync(old), existsSync(kept)]).toEqual([false, true]);
    folder.close();
    expect(readdirSync(join(home, 'secrets'))).toEqual(['notes.txt']);
  });
});
