import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { ADMIN_PAGES, INDEX_HEADERS, indexPage, indexText } from './admin-index.ts';

describe('the index of the operators\u2019 listener', () => {
  it('lists every page once, as text in columns', () => {
    const lines = indexText()
      .split('\n')
      .filter((line) => line.startsWith('  /'));
    expect(lines.map((line) => line.trim().split(/ +/)[0])).toEqual(ADMIN_PAGES.map(({ path }) => path));
    expect(new Set(ADMIN_PAGES.map(({ path }) => path)).size).toBe(ADMIN_PAGES.length);
    expect(new Set(lines.map((line, at) => line.indexOf(ADMIN_PAGES[at]?.shows ?? '?'))).size).toBe(1);
  });

  it('links every page, and has no style but the one that its header field allows', () => {
    const page = indexPage();
    for (const { path } of ADMIN_PAGES) expect(page).toContain(`<a href="${path}">`);
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(INDEX_HEADERS['content-security-policy']).toContain(`style-src 'sha256-${hash}'`);
    expect(page).not.toContain('<script');
  });
});
