import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { module, policy, view } from './schematics.ts';

const factories = { module, view, policy };
const ROOT = join(import.meta.dirname, '../../..');

/** A tree that has some files already, and what was said. */
function world(...there: string[]) {
  const files = new Map(there.map((path) => [path, '']));
  const told: string[] = [];
  const tree = {
    exists: (path: string) => files.has(path),
    create: (path: string, content: string) => void files.set(path, content),
  };
  return { files, told, tree, context: { logger: { info: (text: string) => void told.push(text) } } };
}

describe('the schematics', () => {
  it('are those that the collection of the package names', () => {
    const { schematics: named } = JSON.parse(
      readFileSync(join(ROOT, 'templates/collection.json'), 'utf8'),
    ) as { schematics: Record<string, { factory: string; schema: string }> };
    expect(Object.keys(named)).toEqual(Object.keys(factories));
    for (const [name, { factory, schema }] of Object.entries(named)) {
      expect(factory).toBe(`../dist/cli/project/schematics.js#${name}`);
      expect(factories[name as keyof typeof factories]).toEqual(expect.any(Function));
      expect(globSync(schema, { cwd: join(ROOT, 'templates') })).toHaveLength(1);
    }
  });

  it('write a part into a folder of its own below the sources, and say what is left to do', () => {
    const { files, told, tree, context } = world();
    module({ name: 'price-list', sourceRoot: 'lib', path: 'shop' })(tree, context);
    const folder = 'lib/shop/price-list';
    expect([...files.keys()]).toEqual(
      ['calls', 'controller', 'module']
        .map((part) => `${folder}/price-list.${part}.ts`)
        .concat(`${folder}/price-list.spec.ts`),
    );
    expect(files.get(`${folder}/price-list.module.ts`)).toContain('PriceListModule');
    expect(told.join()).toContain("import { priceList } from './shop/price-list/price-list.module.ts';");
  });

  it('leave the spec out when they are told to', () => {
    const { files, tree, context } = world();
    policy({ name: 'gold', spec: false })(tree, context);
    expect([...files.keys()]).toEqual(['src/gold/gold.policy.ts']);
  });

  it('write nothing over what is there, and nothing of a name that makes no code', () => {
    const { files, tree, context } = world('src/gold/gold.policy.ts');
    expect(() => policy({ name: 'gold' })(tree, context)).toThrow(
      'nothing was written: there is src/gold/gold.policy.ts already',
    );
    expect(() => view({ name: 'class' })(tree, context)).toThrow('has a meaning already');
    expect(files.size).toBe(1);
  });
});
