import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesOf } from './part-names.ts';
import { plan, writeAll } from './template.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-template-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('plan', () => {
  it.each(['module', 'view', 'policy'])('leaves no word of the template %s as it was', (template) => {
    const files = plan(template, folder, namesOf('price-list'));
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter(({ path, text }) => /__[A-Za-z]+__/.test(path + text))).toEqual([]);
    expect(files.some(({ path }) => path.endsWith('spec.ts'))).toBe(true);
  });

  it('throws for a word that nothing stands for', () => {
    expect(() => plan('module', folder, { name: 'x' })).toThrow(/nothing stands for __\w+__/);
  });
});

describe('writeAll', () => {
  it('writes all files, with their folders', () => {
    writeAll([{ path: join(folder, 'a/b.txt'), text: 'b' }]);
    expect(readFileSync(join(folder, 'a/b.txt'), 'utf8')).toBe('b');
  });

  it('writes none when one is there already, and says which', () => {
    const [there, fresh] = [join(folder, 'there.txt'), join(folder, 'fresh.txt')];
    writeFileSync(there, 'mine');
    expect(() =>
      writeAll([
        { path: fresh, text: '' },
        { path: there, text: '' },
      ]),
    ).toThrow(there);
    expect([existsSync(fresh), readFileSync(there, 'utf8')]).toEqual([false, 'mine']);
  });
});
