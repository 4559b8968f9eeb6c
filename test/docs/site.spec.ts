import { describe, expect, it } from '@jest/globals';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, siteLink } from '../../docs/.vitepress/pages.ts';
import { SIDEBAR } from '../../docs/.vitepress/sidebar.ts';

const ROOT = join(import.meta.dirname, '../..');
const LINKS = SIDEBAR.flatMap(({ items }) => items.map(({ link }) => link));

describe('the site of the documentation', () => {
  it('has every page of docs/ in its sidebar, but for decisions', () => {
    const pages = globSync('docs/**/*.md', { cwd: ROOT, exclude: ['docs/adr/**'] });
    expect(pages.length).toBeGreaterThan(80);
    expect(pages.map(addressOf).filter((address) => !LINKS.includes(address))).toEqual([]);
  });

  it('has no link in its sidebar to a page that there is not, and none twice', () => {
    const addresses = new Set(PAGES.map(addressOf));
    expect(LINKS.filter((link) => !addresses.has(link))).toEqual([]);
    expect(LINKS.filter((link, at) => LINKS.indexOf(link) !== at)).toEqual([]);
  });

  it.each([
    ['docs/routing.md', 'cache.md', undefined],
    ['docs/routing.md', 'policies/cache.md#answers', '/docs/policies/cache.md#answers'],
    ['docs/policies/cache.md', '../routing.md', '/docs/routing.md'],
    ['docs/routing.md', '../README.md#two-commands', '/#two-commands'],
    ['README.md', 'docs/policies/', '/docs/policies/'],
    ['docs/policies/cache.md', '.', '/docs/policies/'],
    ['docs/routing.md', '#the-order', '#the-order'],
    ['docs/routing.md', 'https://example.com/x.md', 'https://example.com/x.md'],
    ['docs/routing.md', '../src/main.ts', undefined],
  ])('leads from %s by %s to %s', (page, target, link) => {
    // A page that there is not stays as it is written: the build fails for it.
    expect(siteLink(page, target, undefined)).toBe(target === 'cache.md' ? target : link);
  });

  it('leads to files at the code host, where it is known', () => {
    expect(siteLink('docs/routing.md', '../src/main.ts', 'https://example.com/main')).toBe(
      'https://example.com/main/src/main.ts',
    );
  });
});

/** Where a page is on the site: its path, folders for `README.md`. */
function addressOf(page: string): string {
  return `/${page.replace(/README\.md$/, '').replace(/\.md$/, '')}`;
}
