import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leadsOut } from './linked-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-linked-'));
  for (const one of ['tls/orders/..2026', 'tls/pay']) mkdirSync(join(folder, one), { recursive: true });
  writeFileSync(join(folder, 'tls/orders/..2026/a.pem'), '');
  writeFileSync(join(folder, 'tls/pay/key.pem'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const leads = (file: string): boolean => leadsOut(file, ['tls/orders'], [folder, tmpdir()]);
const link = (to: string, from: string): void => symlinkSync(to, join(folder, from));

it('follows links within what a team may name, as a ConfigMap has them, and no others', () => {
  link('..2026', 'tls/orders/..data');
  link('..data/a.pem', 'tls/orders/a.pem');
  link('../pay/key.pem', 'tls/orders/theirs.pem');
  link('../pay', 'tls/orders/folder');
  link('/proc/self/environ', 'tls/orders/environment');
  const files = ['a.pem', 'none.pem', 'theirs.pem', 'folder/key.pem', 'environment'];
  expect(files.map((one) => leads(`tls/orders/${one}`))).toEqual([false, false, true, true, true]);
});

it('takes a link of the owner for what it leads to', () => {
  link('pay', 'tls/linked');
  expect(leadsOut('tls/linked/key.pem', ['tls/linked'], [folder])).toBe(false);
});
