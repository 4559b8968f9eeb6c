import type { MarkdownRenderer } from 'vitepress';
import { PAGES, siteLink } from './pages.ts';

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** Has links lead to pages of the site, and to files at the code host; without one these are no links, but show their path. */
export function linkTo(sources: string | undefined) {
  return (md: MarkdownRenderer): void => {
    md.core.ruler.push('site-links', ({ tokens, env }) => {
      const { relativePath } = env as { relativePath?: string };
      if (relativePath === undefined) return;
      const page = relativePath.replace(/(^|\/)index\.md$/, '$1README.md');
      if (!PAGES.includes(page)) return;
      for (const { children } of tokens) if (children) edit(children, page, sources);
    });
  };
}

function edit(tokens: readonly Token[], page: string, sources: string | undefined): void {
  let isFile = false;
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const target = token.attrGet('href') ?? '';
      const link = siteLink(page, target, sources);
      isFile = link === undefined;
      if (link !== undefined) token.attrSet('href', link);
      else {
        token.type = 'file_open';
        token.tag = 'span';
        token.attrs = [
          ['class', 'file'],
          ['title', target],
        ];
      }
    } else if (token.type === 'link_close' && isFile) {
      token.type = 'file_close';
      token.tag = 'span';
      isFile = false;
    }
  }
}
