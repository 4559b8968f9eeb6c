import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDocument } from '../policies/validation/openapi-document.ts';
import { readDescriptorSet } from '../upstreams/grpc/descriptors/descriptor-files.ts';
import { readNamedFile } from './named-file.ts';
import { PemFiles } from './pem-files.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'gatehouse-named-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
};

describe('readNamedFile', () => {
  it('reads a file as it is, up to so many bytes', () => {
    const path = join(folder, 'a');
    for (const text of ['', 'x', 'x'.repeat(200_000)]) {
      writeFileSync(path, text);
      expect(readNamedFile(path, 200_000).toString()).toBe(text);
    }
    expect(codeOf(() => readNamedFile(path, 199_999))).toBe('EFBIG');
  });

  it('reads nothing else, and waits for nobody', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(
      [pipe, '/dev/zero', folder, join(folder, 'none')].map((path) => codeOf(() => readNamedFile(path))),
    ).toEqual(['ENOTFILE', 'ENOTFILE', 'EISDIR', 'ENOENT']);
  });
});

describe('files that a configuration names', () => {
  it('are told to be none where a pipe is in their place', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const pem = new PemFiles(['tls'], folder, Date.now());
    pem.certificates('ca', 'pipe');
    expect(pem.faults.map(({ message }) => message)).toEqual([
      `expected a file, not ${join(folder, 'pipe')}`,
    ]);
    expect(() => readDocument(join(folder, 'pipe'))).toThrow('is no file');
    expect(() => readDescriptorSet(join(folder, 'pipe'))).toThrow('is no file');
  });

  it('are not quoted where they are no description of an API', () => {
    writeFileSync(join(folder, 'keys'), 'token-of-somebody: [else\n');
    expect(() => readDocument(join(folder, 'keys'))).toThrow(/keys: cannot be read: \S/);
    expect(() => readDocument(join(folder, 'keys'))).not.toThrow(/token-of-somebody/);
  });
});
