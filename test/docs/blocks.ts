import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** The page, from the root of the repository. */
  readonly page: string;
  /** The page and the line that the block begins at. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

/** A command that a block shows, and what it is said to print. */
export interface ShownCommand {
  readonly command: string;
  /** Empty where the page leaves it out. */
  readonly output: string;
}

/** The fenced blocks of a text. */
export function blocksOf(page: string, text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(
    ({ 1: language = '', 2: block = '', index }) => ({
      page,
      place: `${page}:${text.slice(0, index).split('\n').length}`,
      language,
      text: block,
    }),
  );
}

/** Of which languages are blocks that claim what is printed or answered; others are code, or commands without an output. */
const CLAIMING = new Set(['', 'console', 'json', 'text']);

/** All blocks of the pages that claim an output. */
export function claimingBlocks(): readonly Block[] {
  const pages = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT, exclude: ['docs/adr/**'] }).toSorted();
  return pages
    .flatMap((page) => blocksOf(page, readFileSync(join(ROOT, page), 'utf8')))
    .filter(({ language }) => CLAIMING.has(language));
}

/** The commands of a block, each behind a prompt; a line that ends with a backslash goes on in the next one. */
export function commandsOf({ text, place }: Pick<Block, 'text' | 'place'>): readonly ShownCommand[] {
  const shown: { command: string; output: string }[] = [];
  let isOpen = false;
  for (const line of text.split('\n').slice(0, -1)) {
    const last = shown.at(-1);
    if (line.startsWith('$ ')) shown.push({ command: line.slice(2), output: '' });
    else if (last === undefined) throw new Error(`${place}: begins without a command`);
    else if (isOpen) last.command += `\n${line}`;
    else last.output += `${line}\n`;
    isOpen = line.endsWith('\\') && (line.startsWith('$ ') || isOpen);
  }
  return shown;
}
