import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descriptorSetOf } from './descriptor-places.ts';

const before = process.cwd();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-places-'));
  process.chdir(folder);
  for (const place of ['config/descriptors', 'descriptors']) mkdirSync(place, { recursive: true });
  for (const file of ['config/descriptors/orders', 'descriptors/orders', 'descriptors/carts', 'x'])
    writeFileSync(`${file}.binpb`, '');
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('descriptorSetOf', () => {
  it.each<[string, object, string | undefined]>([
    ['orders', {}, 'config/descriptors/orders.binpb'],
    ['carts', {}, 'descriptors/carts.binpb'],
    ['nobody', {}, undefined],
    ['orders', { descriptorSet: 'mine.binpb' }, 'mine.binpb'],
    ['orders', { proto: 'proto' }, undefined],
    ['orders', { reflection: { refresh: 1 } }, undefined],
    ['../x', {}, undefined],
    ['.', {}, undefined],
  ])('%s with %j is %s', (name, saying, file) => {
    expect(descriptorSetOf(name, saying)).toBe(file);
  });
});
