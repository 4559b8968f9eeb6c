import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { anchorOf } from '../../docs/.vitepress/anchors.ts';

/** Every link of a page to something of this repository that is not there, one line each. Links to the web are let be. */
export function linkFaults(root: string, page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return linksOf(text).flatMap(({ line, target }) => {
    if (/^[a-z][a-z+.-]*:/.test(target)) return [];
    const [path = '', anchor] = target.split('#', 2);
    const file = path === '' ? join(root, page) : join(root, dirname(page), decodeURI(path));
    const fault = faultOf(root, file, anchor);
    return fault === undefined ? [] : [`${page}:${line} ${target}: ${fault}`];
  });
}

function faultOf(root: string, file: string, anchor: string | undefined): string | undefined {
  if (relative(root, file).startsWith('..')) return 'outside of the repository';
  if (!existsSync(file)) return 'no such file';
  if (anchor === undefined) return undefined;
  if (statSync(file).isDirectory() || !file.endsWith('.md')) return 'an anchor into what is no page';
  return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? undefined : 'no such heading';
}

/** The links of a page, without those in its code. */
function linksOf(text: string): { line: number; target: string }[] {
  return proseOf(text).flatMap((prose, index) =>
    [...prose.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(<?([^)\s>]+)>?\)|^\[[^\]]+\]:\s*(\S+)/g)].map(
      ([, inline, reference]) => ({ line: index + 1, target: inline ?? reference ?? '' }),
    ),
  );
}

/** The anchors that GitHub and the site give the headings of a page. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of proseOf(text)) {
    const [, heading] = /^#{1,6} (.+)$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = anchorOf(words);
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The lines of a page; those of its blocks of code are empty. */
function proseOf(text: string): string[] {
  let fence: string | undefined;
  return text.split('\n').map((line) => {
    const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    const inCode = fence !== undefined || mark !== undefined;
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence)))
      fence = fence === undefined ? mark : undefined;
    return inCode ? '' : line;
  });
}
