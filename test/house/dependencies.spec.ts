import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSourceImports, type SourceImport } from './source-imports.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Development dependencies that `src` imports, and why it can do without. */
const OPTIONAL: Readonly<Record<string, string>> = {
  '@graphql-yoga/render-graphiql':
    'Loaded when the page is asked for; without it the door answers as in production.',
  'openapi-fetch': 'Of clients that are written: whoever has one has it, and no gateway loads it.',
  typescript: "A team's own, for modules that are not compiled; without it the loader says what to install.",
};

/** It is built into files of its own, with what it imports. */
const PAGE = 'console/page/';

describe('the dependencies', () => {
  const imports = readSourceImports(join(ROOT, 'src'));
  const imported = packagesOf(imports.filter(({ from }) => !from.startsWith(PAGE)));
  const { devDependencies, ...production } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Record<string, string>>;
  const dependencies = { ...production.dependencies, ...production.optionalDependencies };
  const declared = Object.keys(dependencies);

  it('of production are imported by src', () => {
    expect(declared.filter((name) => !imported.has(name))).toEqual([]);
  });

  it('cover what src imports', () => {
    expect([...imported].filter((name) => !declared.includes(name)).sort()).toEqual(Object.keys(OPTIONAL));
  });

  it('of the console are there when it is built, and no longer', () => {
    const built = packagesOf(imports.filter(({ from }) => from.startsWith(PAGE)));
    expect([...built].filter((name) => devDependencies[name] === undefined)).toEqual([]);
    expect(built.size).toBeGreaterThan(2);
  });

  it('are pinned to exact versions', () => {
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

function packagesOf(imports: readonly SourceImport[]): Set<string> {
  const names = imports
    .filter(({ ours, to }) => !ours && !to.startsWith('node:'))
    .map(({ to }) => to.split('/', to.startsWith('@') ? 2 : 1).join('/'));
  return new Set(names);
}
