import { globSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The pages of the site, as paths from the root of the repository. The address of a page is its path, so that links between pages
 * lead to the same place on a code host and here.
 */
export const PAGES: readonly string[] = globSync(
  ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'src/README.md', '{docs,bench}/**/*.md'],
  { cwd: ROOT, exclude: ['**/node_modules/**'] },
)
  .filter((page) => !page.split('/').some((part) => part.startsWith('.')))
  .toSorted();

const KNOWN: ReadonlySet<string> = new Set(PAGES);

/**
 * What a link of a page leads to on the site.
 *
 * @param page the page that has the link, as in {@link PAGES}.
 * @param sources address of the repository's files at a code host, without a slash at its end.
 * @returns the link for the site; `undefined` for a file that is not on it, when no code host is known.
 */
export function siteLink(page: string, target: string, sources: string | undefined): string | undefined {
  if (target.startsWith('#') || /^[a-z][a-z+.-]*:/i.test(target)) return target;
  const [path = '', anchor] = target.split('#', 2);
  const file = posix.normalize(posix.join(dirname(page), decodeURI(path))).replace(/\/$/, '');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const readme = file === '.' ? 'README.md' : `${file}/README.md`;
  if (KNOWN.has(file)) return `/${file.replace(/(^|\/)README\.md$/, '$1')}${hash}`;
  if (KNOWN.has(readme)) return `/${readme.replace(/README\.md$/, '')}${hash}`;
  // Of pages that there are not the build says so.
  if (file.startsWith('docs/') && file.endsWith('.md')) return target;
  return sources === undefined ? undefined : `${sources}/${file}${hash}`;
}
