import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capacityTables, CONSTANTS, leaseShare, sheetOf, type Constant } from './capacity.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
/** Tables are padded by the formatter. */
const cells = (text: string): string => text.replace(/[ \t]+/g, ' ').replace(/-{2,}(:?)/g, '-$1');

describe('the page about capacity', () => {
  it.each(Object.entries(capacityTables()))('has the table of today: %s', (name, table) => {
    const page = read('docs/capacity.md');
    const begin = page.indexOf(`<!-- computed: ${name} -->`);
    const written = page.slice(begin, page.indexOf(`<!-- end: ${name} -->`));
    expect(begin).toBeGreaterThan(0);
    expect(cells(written)).toContain(cells(table));
  });

  it.each(Object.entries<Constant>(CONSTANTS).filter(([, { said }]) => said !== undefined))(
    'goes by what another page says: %s',
    (_, { value, said: [page, text] = ['', ''] }) => {
      expect(text).toContain(String(value));
      expect(read(page)).toContain(text);
    },
  );
});

describe('a sheet', () => {
  it('has ten times of everything for ten times the requests, as far as that can be cut', () => {
    const [one, ten] = [sheetOf(100_000), sheetOf(1_000_000)];
    expect(ten.cores / one.cores).toBeCloseTo(10, -1);
    expect(ten.connections).toBe(10 * one.connections);
    expect(ten.gigabits).toBeCloseTo(10 * one.gigabits, 5);
  });

  it('has two processes at least', () => {
    expect(sheetOf(1).cores).toBe(2);
  });

  it('has the work for one leased limit grow with the number of replicas, and no faster', () => {
    expect(leaseShare(10_000) / leaseShare(1000)).toBeCloseTo(10, 9);
    expect(leaseShare(100) / leaseShare(10)).toBeCloseTo(10, 9);
  });
});
