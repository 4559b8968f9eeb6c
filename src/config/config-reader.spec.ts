import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readConfig, readConfigFile } from './config-reader.ts';
import { duration } from './units.ts';

const schema = z.strictObject({ deadline: duration, note: z.string().optional() });

describe('readConfig', () => {
  it('returns the parsed value and the document', () => {
    const { value, document } = readConfig(schema, 'note: x\ndeadline: ${D}\n', 'g.yaml', { D: '5s' });
    expect(value).toEqual({ note: 'x', deadline: 5000 });
    expect(document.locate(['deadline'])).toEqual({ line: 2, column: 1 });
  });

  it('throws when the document is at fault even though the schema is content', () => {
    const anything = z.unknown();
    expect(() => readConfig(anything, 'a: 1\na: 2\n', 'g.yaml', {})).toThrow('g.yaml:2:1  a  duplicate key');
  });
});

describe('readConfigFile', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-config-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('reads a file', async () => {
    const file = join(folder, 'good.yaml');
    await writeFile(file, 'deadline: 5s\n');
    expect((await readConfigFile(schema, file)).value).toEqual({ deadline: 5000 });
  });

  it('names the file in its faults', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, 'deadlin: 5s\n');
    await expect(readConfigFile(schema, file)).rejects.toThrow(
      `${file}:1:1  deadlin  unknown key; did you mean "deadline"?\n1 fault in ${file}`,
    );
  });

  it('says that there is no such file', async () => {
    await expect(readConfigFile(schema, join(folder, 'none.yaml'))).rejects.toThrow(
      'none.yaml  no such file',
    );
  });

  it('says that it is a directory', async () => {
    await expect(readConfigFile(schema, folder)).rejects.toThrow('expected a file, found a directory');
  });

  it('says that it is not UTF-8', async () => {
    const file = join(folder, 'latin.yaml');
    await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]));
    await expect(readConfigFile(schema, file)).rejects.toThrow('expected UTF-8 text');
  });
});
