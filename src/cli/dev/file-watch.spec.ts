import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileWatch, type Change, type WatchedFolder } from './file-watch.ts';
import type { UsedFile } from './messages.ts';
import { stampOf } from './stamp.ts';

let folder: string;
let watch: FileWatch;
let told: (readonly Change[])[];
let hear: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-watch-'));
  told = [];
  hear = () => undefined;
  watch = new FileWatch((changes) => {
    told.push(changes);
    hear();
  });
});
afterEach(() => {
  watch.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const write = (name: string, text = ''): void => writeFileSync(at(name), text);
const used = (name: string): UsedFile => ({ path: at(name), kind: 'code', stamp: stampOf(at(name)) });
const next = (): Promise<void> => new Promise((resolve) => (hear = resolve));

async function begin(names: readonly string[], folders: readonly WatchedFolder[] = []): Promise<void> {
  await watch.start(folders);
  watch.use(names.map(used));
}

it('tells of several changes at once, and of none beside them', async () => {
  for (const name of ['a.ts', 'b.ts', 'c.ts']) write(name);
  await begin(['a.ts', 'b.ts']);
  for (const name of ['a.ts', 'b.ts', 'c.ts']) write(name, 'more');
  await next();
  expect(told.map((changes) => changes.map(({ path }) => path).toSorted())).toEqual([[at('a.ts'), at('b.ts')]]);
}); // prettier-ignore

it('sees a file that another is renamed to, again and again', async () => {
  write('a.ts');
  await begin(['a.ts']);
  for (const text of ['one', 'three']) {
    write('a.ts~', text);
    renameSync(at('a.ts~'), at('a.ts'));
    await next();
  }
  expect(told).toEqual([[{ path: at('a.ts'), kind: 'code' }], [{ path: at('a.ts'), kind: 'code' }]]);
});

it('tells of what has changed since it was read', async () => {
  write('a.ts');
  const file = used('a.ts');
  write('a.ts', 'changed before anybody looked');
  await watch.start([]);
  watch.use([file]);
  await next();
  expect(told).toHaveLength(1);
});

it('sees a file come that was missing, in a folder that was missing too, and go', async () => {
  await begin(['deep/er/a.ts']);
  mkdirSync(at('deep/er'), { recursive: true });
  write('deep/er/a.ts');
  await next();
  rmSync(at('deep'), { recursive: true });
  await next();
  expect(told).toHaveLength(2);
});

it('looks at all files of a folder that are meant, new ones too, and not at those of packages', async () => {
  mkdirSync(at('proto/node_modules/x'), { recursive: true });
  write('proto/a.proto');
  await begin(
    [],
    [{ path: at('proto'), kind: 'proto', isMeant: (path) => path.endsWith('.proto') }],
  );
  write('proto/node_modules/x/b.proto');
  write('proto/notes.txt');
  write('proto/c.proto');
  await next();
  expect(told).toEqual([[{ path: at('proto/c.proto'), kind: 'proto' }]]);
}); // prettier-ignore

it('takes what it is told to as known', async () => {
  write('a.ts');
  await begin(['a.ts']);
  write('a.ts', 'generated');
  await watch.settle();
  write('a.ts', 'written by somebody');
  await next();
  expect(told).toHaveLength(1);
});

it('tells of a change of a file once, though what failed to start was not made of it', async () => {
  for (const name of ['a.ts', 'b.ts']) write(name);
  const files = ['a.ts', 'b.ts'].map(used);
  await watch.start([]);
  watch.use(files);
  write('a.ts', 'broken');
  write('b.ts', 'other');
  await next();
  watch.use([used('a.ts')], files);
  write('a.ts', 'mended');
  await next();
  expect(told.map((changes) => changes.length)).toEqual([2, 1]);
});
