import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSourceImports } from './source-imports.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Development dependencies that `src` imports, and why it can do without. */
const OPTIONAL: Readonly<Record<string, string>> = {
  '@graphql-yoga/render-graphiql':
    'Loaded when the page is asked for; without it the door answers as in production.',
};

describe('the dependencies', () => {
  const imported = packagesOf(join(ROOT, 'src'));
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const declared = Object.keys(dependencies);

  it('of production are imported by src', () => {
    expect(declared.filter((name) => !imported.has(name))).toEqual([]);
  });

  it('cover what src imports', () => {
    expect([...imported].filter((name) => !declared.includes(name))).toEqual(Object.keys(OPTIONAL));
  });

  it('are pinned to exact versions', () => {
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

function packagesOf(folder: string): Set<string> {
  const names = readSourceImports(folder)
    .filter(({ ours, to }) => !ours && !to.startsWith('node:'))
    .map(({ to }) => to.split('/', to.startsWith('@') ? 2 : 1).join('/'));
  return new Set(names);
}
