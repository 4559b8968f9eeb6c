import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELP } from '../../src/cli/arguments.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync(['*.md', '{docs,src,bench}/**/*.md'], { cwd: ROOT }).toSorted();

/** Commands that pages show, by what says whether they are there. */
const KINDS: readonly [RegExp, (name: string) => boolean][] = [
  [/npm run (?:--silent )?([\w:-]+)/g, (name) => name in scripts()],
  [/npx gatehouse ([a-z]+(?:-[a-z]+)*)/g, (name) => HELP.includes(`  gatehouse ${name} `)],
  [/\bnode ((?:scripts|bench|examples|bin)\/[\w./-]+)/g, (name) => existsSync(join(ROOT, name))],
];

describe('the commands of the pages', () => {
  it.each(PAGES)('%s shows commands that are there', (page) => {
    expect(missingCommands(readFileSync(join(ROOT, page), 'utf8'))).toEqual([]);
  });

  it('include the help of the bin as it is', () => {
    expect(readFileSync(join(ROOT, 'docs/command-line.md'), 'utf8')).toContain(HELP.trim());
  });

  it('are found', () => {
    const text =
      'Run `npm run demo`, `npm run none:such`, `npx gatehouse validat` or `node scripts/none.ts`.';
    expect(missingCommands(text)).toEqual([
      'npm run none:such',
      'npx gatehouse validat',
      'node scripts/none.ts',
    ]);
  });
});

function missingCommands(text: string): string[] {
  return KINDS.flatMap(([pattern, exists]) =>
    [...text.matchAll(pattern)].filter(([, name = '']) => !exists(name)).map(([command]) => command),
  );
}

function scripts(): Record<string, string> {
  const { scripts: all } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return all;
}
