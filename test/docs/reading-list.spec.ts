import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '../../docs');
/** What can be read in an hour. */
const MOST_LINES = 1200;

describe('what a newcomer reads of a proxied request', () => {
  const page = readFileSync(join(DOCS, 'life-of-a-request.md'), 'utf8');
  const [list = ''] = /^## What to read$.*?(?=^## )/ms.exec(page) ?? [];
  const files = [...list.matchAll(/^\d+\. \[.*?\]\((.*?)\)/gm)].map(([, file]) => file as string);

  it('is a list of files', () => expect(files.length).toBeGreaterThanOrEqual(8));

  it(`is at most ${MOST_LINES} lines`, () => {
    const lines = files.map((file) => readFileSync(join(DOCS, file), 'utf8').trimEnd().split('\n').length);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(MOST_LINES);
  });
});
