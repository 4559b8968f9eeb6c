import { describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileCycles, importFaults, roomOf, staleExceptions, tableFaults } from './import-faults.ts';
import { ROOMS, type Room } from './rooms.ts';
import { importsOf, readSourceImports } from './source-imports.ts';

const SRC = join(import.meta.dirname, '../../src');

describe('the imports of src', () => {
  const imports = readSourceImports(SRC);

  it('are those that the table of rooms allows', () => {
    expect(importFaults(imports, ROOMS)).toEqual([]);
  });

  it('have no cycle of values between files', () => {
    expect(fileCycles(imports)).toEqual([]);
  });

  it('need every exception of the table', () => {
    expect(staleExceptions(imports, ROOMS)).toEqual([]);
  });

  it('are read at all', () => {
    expect(imports.length).toBeGreaterThan(1000);
    expect(imports.some(({ typeOnly }) => typeOnly)).toBe(true);
  });
});

describe('the table of rooms', () => {
  it('has a row for every folder of src', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => roomOf(name, ROOMS) === undefined)).toEqual([]);
  });

  it('names only rooms, and leads from none back to itself', () => {
    expect(tableFaults(ROOMS)).toEqual([]);
  });

  it('is told when it names no room, and when it runs in a circle', () => {
    expect(tableFaults({ a: { imports: ['b'] }, b: { imports: ['a/x.ts', 'c'] } })).toEqual([
      'b/ may import c, which is no room',
      'rooms lead back to themselves: a → b → a',
    ]);
  });
});

describe('the rules', () => {
  const rooms: Record<string, Room> = {
    leaf: { imports: [] },
    low: { imports: ['leaf'], types: ['high'] },
    high: { imports: ['leaf', 'low/port.ts', 'high/inner'], exceptions: { 'other/part': 'Because.' } },
    'high/inner': { imports: [] },
    other: { imports: [] },
  };
  const faults = (file: string, text: string): string[] => importFaults(importsOf(file, text), rooms);

  it.each([
    [
      'leaf/a.ts',
      "import { b } from '../low/b.ts';",
      'src/leaf/a.ts:1 imports low/b.ts, but leaf/ may import only nothing',
    ],
    [
      'leaf/a.ts',
      "import type { B } from '../low/b.ts';",
      'src/leaf/a.ts:1 imports low/b.ts, but leaf/ may import only nothing',
    ],
    [
      'leaf/a.ts',
      "export * from '../low/b.ts';",
      'src/leaf/a.ts:1 imports low/b.ts, but leaf/ may import only nothing',
    ],
    [
      'leaf/a.ts',
      "\nawait import('../low/b.ts');",
      'src/leaf/a.ts:2 imports low/b.ts, but leaf/ may import only nothing',
    ],
    [
      'leaf/a.ts',
      "import '../main.ts';",
      'src/leaf/a.ts:1 imports main.ts, but leaf/ may import only nothing',
    ],
    [
      'low/a.ts',
      "import { B } from '../high/b.ts';",
      'src/low/a.ts:1 imports high/b.ts, but low/ may import only leaf',
    ],
    [
      'high/a.ts',
      "import { b } from '../low/b.ts';",
      'src/high/a.ts:1 imports low/b.ts, but high/ may import only leaf, low/port.ts, high/inner, other/part',
    ],
    [
      'high/inner/a.ts',
      "import { b } from '../b.ts';",
      'src/high/inner/a.ts:1 imports high/b.ts, but high/inner/ may import only nothing',
    ],
    [
      'new/a.ts',
      "import { b } from '../leaf/b.ts';",
      'src/new/a.ts:1 is in no room of test/house/rooms.ts, and so may import nothing',
    ],
    [
      'leaf/a.ts',
      "import { b } from './b.fixture.ts';",
      'src/leaf/a.ts:1 imports leaf/b.fixture.ts, which is for tests',
    ],
    [
      'leaf/a.ts',
      "import { b } from '../../test/b.ts';",
      'src/leaf/a.ts:1 imports test/b.ts, which is not built',
    ],
  ])('refuse in %s %j', (file, text, fault) => {
    expect(faults(file, text)).toEqual([fault]);
  });

  it.each([
    ['low/a.ts', "import { b } from './deep/b.ts'; import { c } from '../leaf/c.ts';"],
    ['low/a.ts', "import type { B } from '../high/b.ts'; import { type C } from '../high/c.ts';"],
    ['low/a.ts', "export type { B } from '../high/b.ts'; type D = typeof import('../high/d.ts');"],
    ['high/a.ts', "import { port } from '../low/port.ts'; import { c } from './inner/c.ts';"],
    ['high/a.ts', "import { b } from '../other/part/b.ts';"],
    ['main.ts', "import { b } from './high/b.ts';"],
  ])('allow in %s %j', (file, text) => {
    expect(faults(file, text)).toEqual([]);
  });

  it('tell exceptions that nothing needs', () => {
    expect(staleExceptions(importsOf('high/a.ts', "import '../other/b.ts';"), rooms)).toEqual([
      'high/ has an exception for other/part that nothing needs',
    ]);
  });

  it('tell cycles of values, and let those of types be', () => {
    const cycle = [
      ...importsOf('a.ts', "import { b } from './x/b.ts';"),
      ...importsOf('x/b.ts', "export { c } from './c.ts';"),
      ...importsOf('x/c.ts', "import { type A, a } from '../a.ts';"),
    ];
    expect(fileCycles(cycle)).toEqual(['a.ts → x/b.ts → x/c.ts → a.ts']);
    expect(
      fileCycles([...cycle.slice(0, 2), ...importsOf('x/c.ts', "import { type A } from '../a.ts';")]),
    ).toEqual([]);
  });
});
