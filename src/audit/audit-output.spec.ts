import { afterAll, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileOutput } from './audit-output.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-output-'));
afterAll(() => rmSync(folder, { recursive: true }));

const line = Buffer.from('{"a":1}\n');
let count = 0;
const fresh = (): string => join(folder, `audit-${(count += 1)}.jsonl`);
const textOf = (file: string): string => readFileSync(file, 'utf8');

async function opened(file: string): Promise<FileOutput> {
  const output = new FileOutput(file);
  await output.prepare();
  return output;
}

it('makes a file that only its owner may read, and adds to it', async () => {
  const file = fresh();
  const output = await opened(file);
  expect(await output.write(line)).toBe(line.length);
  expect(output.writeSync(line)).toBe(line.length);
  expect([textOf(file), statSync(file).mode & 0o777]).toEqual(['{"a":1}\n{"a":1}\n', 0o600]);
  await output.close();
});

it.each([
  ['half a line', '{"half', '{"half\n{"a":1}\n'],
  ['whole lines', 'whole\n', 'whole\n{"a":1}\n'],
])('begins a line of its own after %s, and leaves the mode', async (_what, before, after) => {
  const file = fresh();
  writeFileSync(file, before, { mode: 0o640 });
  const output = await opened(file);
  await output.write(line);
  expect([textOf(file), statSync(file).mode & 0o777]).toEqual([after, 0o640]);
  await output.close();
});

it('goes to the file that is at its place, once told so', async () => {
  const file = fresh();
  const output = await opened(file);
  await output.write(line);
  renameSync(file, `${file}.1`);
  await output.prepare();
  await output.write(line);
  expect(textOf(`${file}.1`)).toBe('{"a":1}\n{"a":1}\n');
  output.reopen();
  await output.prepare();
  await output.write(line);
  expect([textOf(file), textOf(`${file}.1`)]).toEqual(['{"a":1}\n', '{"a":1}\n{"a":1}\n']);
  await output.close();
});

it('takes no folder, and nothing before it is open or after it is closed', async () => {
  const place = fresh();
  mkdirSync(place);
  await expect(new FileOutput(place).prepare()).rejects.toThrow();
  await expect(new FileOutput('/dev/null').prepare()).rejects.toThrow('it is no regular file');
  const output = new FileOutput(fresh());
  await expect(output.write(line)).rejects.toThrow('the file is not open');
  await output.prepare();
  await output.close();
  expect(() => output.writeSync(line)).toThrow('the file is not open');
});
