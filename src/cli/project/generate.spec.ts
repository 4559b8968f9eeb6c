import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGenerate } from './generate.ts';

let folder: string;
let told: string;
const out = { write: (text: string) => (told += text) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-init-'));
  told = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('runGenerate', () => {
  it('writes a folder of its own, and says what is left to do', () => {
    mkdirSync(join(folder, 'src'));
    runGenerate({ name: 'generate', part: 'module', as: 'price-list', directory: join(folder, 'src') }, out);
    expect(readdirSync(join(folder, 'src/price-list')).toSorted()).toEqual([
      'price-list.calls.ts',
      'price-list.controller.ts',
      'price-list.module.ts',
      'price-list.spec.ts',
    ]);
    expect(told).toContain(`import { priceList } from './price-list/price-list.module.ts';`);
  });

  it('writes nothing where there is no such folder', () => {
    const directory = join(folder, 'src');
    expect(() => runGenerate({ name: 'generate', part: 'view', as: 'a', directory }, out)).toThrow(
      `there is no folder ${directory}; name one with --dir`,
    );
  });
});
