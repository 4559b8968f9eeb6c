import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigError } from '../../config/config-fault.ts';
import { readAccessFile } from './access-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-access-file-'));
  file = join(folder, 'operators.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

const [ONE, TWO, THREE] = ['1', '2', '3'].map((digit) => digit.repeat(64));
const token = (sha256: string | undefined, more = 'name: a, role: read'): string =>
  `  - { ${more}, sha256: '${sha256}' }\n`;

function faultsOf(text: string | Buffer): readonly string[] {
  writeFileSync(file, text);
  try {
    readAccessFile(file);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ key, message }) => `${key} ${message}`);
  }
}

describe('a file of who may come', () => {
  it('may hold two tokens of a name, and patterns of certificates', () => {
    const certificates = "certificates:\n  - { name: b, role: admin, dns: '*.Ops.example' }\n";
    expect(faultsOf(`tokens:\n${token(ONE)}${token(TWO)}${certificates.replace('Ops', 'ops')}`)).toEqual([]);
    const { tokens, certificates: known } = readAccessFile(file);
    expect(tokens.map(({ sha256 }) => sha256)).toEqual([ONE, TWO]);
    expect(known[0]?.matches('a.ops.example')).toBe(true);
    expect(known[0]?.matches('a.b.ops.example')).toBe(false);
  });

  it.each<[string, RegExp]>([
    ['', /expected a map/],
    ['tokens: []\n', /at least one of/],
    [`tokens:\n${token(ONE)}${token(ONE)}`, /listed before/],
    [`tokens:\n${token(ONE)}${token(TWO)}${token(THREE)}`, /two tokens of a name at most/],
    [`tokens:\n${token(ONE)}${token(TWO, 'name: a, role: admin')}`, /same role/],
    [`tokens:\n${token(ONE, 'name: a, role: root')}`, /role/],
    [`tokens:\n${token(ONE, 'name: "a\\nb", role: read')}`, /letters, digits/],
    [`tokens:\n${token('A'.repeat(64))}`, /lower case/],
    ['certificates:\n  - { name: a, role: read, dns: a.example, email: a@b.example }\n', /exactly one/],
    ["certificates:\n  - { name: a, role: read, dns: '*' }\n", /of the kind dns/],
  ])('lets nobody in by %j', (text, message) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(message)]);
  });

  it('is read in UTF-8, or not at all', () => {
    expect(faultsOf(Buffer.from([0xff, 0xfe]))).toEqual([expect.stringContaining('in UTF-8')]);
    expect(() => readAccessFile(join(folder, 'none'))).toThrow(/ENOENT/);
  });
});
