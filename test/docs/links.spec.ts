import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anchorsOf, linkFaults } from './links.ts';

const ROOT = join(import.meta.dirname, '../..');
// What is written beside a policy becomes part of its page under docs/policies, and links as from there.
const NOTES = 'src/policies/*/*.md';
const PAGES = globSync(['*.md', '{docs,src,bench,test,examples}/**/*.md'], {
  cwd: ROOT,
  exclude: [NOTES],
}).toSorted();

describe('the links of the pages', () => {
  it.each(PAGES)('%s leads to files and headings that are there', (page) => {
    expect(linkFaults(ROOT, page)).toEqual([]);
  });

  it('cover the pages', () => {
    expect(PAGES).toEqual(
      expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/README.md', 'src/README.md']),
    );
  });

  it('reach every page of docs/ from its index', () => {
    const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
    const pages = globSync('docs/*.md', { cwd: ROOT }).map((page) => page.replace('docs/', ''));
    expect(pages.filter((page) => page !== 'README.md' && !index.includes(`](${page}`))).toEqual([]);
  });
});

describe('what is checked', () => {
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-links-'));
  beforeAll(() => {
    writeFileSync(join(root, 'other.md'), '# A page\n\n## The `end`, again\n\n## The end again\n');
    writeFileSync(join(root, 'code.ts'), '');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    ['[a](other.md) [b](code.ts) [c](.)', []],
    ['[a](other.md#the-end-again) [b](other.md#the-end-again-1) [c](#here)\n\n# Here', []],
    ['[a](https://example.com/none#x) [b](mailto:x@example.com)', []],
    ['`[a](none.md)`\n\n```md\n[a](none.md)\n```', []],
    ['[a](none.md)', ['page.md:1 none.md: no such file']],
    ['\n[a\nb](other.md#none)', ['page.md:3 other.md#none: no such heading']],
    ['[a](#none)', ['page.md:1 #none: no such heading']],
    ['[a](code.ts#L3)', ['page.md:1 code.ts#L3: an anchor into what is no page']],
    ['[a](../../x.md)', ['page.md:1 ../../x.md: outside of the repository']],
    ['[a]: none.md', ['page.md:1 none.md: no such file']],
  ])('%j', (text, faults) => {
    writeFileSync(join(root, 'page.md'), text);
    expect(linkFaults(root, 'page.md')).toEqual(faults);
  });

  it('names headings as GitHub does', () => {
    expect([...anchorsOf("# `upstreams.<name>`\n## The operators' listener\n## REST → gRPC\n")]).toEqual([
      'upstreamsname',
      'the-operators-listener',
      'rest--grpc',
    ]);
  });
});
