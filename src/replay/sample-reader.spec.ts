import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSample, SampleFault, type SampleLine } from './sample-reader.ts';

const HEADER = '{"format":"gatehouse-sample","version":1,"config":"d","started":"2026-01-02T03:04:05.000Z"}';
const EXCHANGE = {
  at: '2026-01-02T03:04:05.000Z',
  method: 'GET',
  url: 'http://a/',
  headers: [['x', 'y']],
  dropped: [],
  from: '::1',
  status: 200,
  ms: 1,
};
const END = '{"end":"max","recorded":1,"skipped":0,"lost":0}';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-sample-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(...lines: readonly string[]): Promise<readonly SampleLine[]> {
  const file = join(folder, 'sample.ndjson');
  writeFileSync(file, lines.join('\n'));
  return all(file);
}

async function all(file: string): Promise<readonly SampleLine[]> {
  const lines: SampleLine[] = [];
  for await (const line of readSample(file)) lines.push(line);
  return lines;
}

describe('a sample', () => {
  it('is read line by line, without its head, its end and signs of life', async () => {
    expect(await read(HEADER, '', JSON.stringify(EXCHANGE), '', END, '')).toEqual([
      { line: 3, exchange: EXCHANGE },
    ]);
  });

  it('tells lines that cannot be used, and goes on', async () => {
    const lines = await read(
      HEADER,
      'no',
      '{"at":1}',
      `"${'x'.repeat(5 * 2 ** 20)}"`,
      JSON.stringify(EXCHANGE),
    );
    expect(lines.map((line) => ('fault' in line ? line.fault : 'exchange'))).toEqual([
      'the line is no JSON',
      expect.stringMatching(/^at: /),
      'the line is too long',
      'exchange',
    ]);
  });

  it.each([
    ['is of another version', '{"format":"gatehouse-sample","version":2}', 'a sample of another version (2), and expected is 1'],
    ['is something else', '{"openapi":"3.1.0"}', 'is no sample of gatehouse record'],
    ['is no JSON', 'hello', 'is no sample of gatehouse record'],
    ['is empty', '', 'is empty; make a sample with gatehouse record'],
  ])('that %s is none', async (_, head, message) => {
    const reading = read(head);
    await expect(reading).rejects.toBeInstanceOf(SampleFault);
    await expect(reading).rejects.toThrow(message);
  }); // prettier-ignore

  it('that is not there, or cannot be read, is none', async () => {
    await expect(all(join(folder, 'none'))).rejects.toThrow(/^there is no file .*none$/);
    await expect(all(folder)).rejects.toThrow('cannot be read (EISDIR)');
  });
});
