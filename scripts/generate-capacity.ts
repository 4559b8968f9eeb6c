/**
 * Writes what is computed in docs/capacity.md between its marks; `--check` only compares.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capacityTables } from '../bench/law/capacity.ts';
import { formatted } from './formatted.ts';

const FILE = 'docs/capacity.md';
const path = join(import.meta.dirname, '..', FILE);

const before = await readFile(path, 'utf8');
const after = await formatted(FILE, withTables(before));
if (before !== after) {
  const isCheck = process.argv.includes('--check');
  if (!isCheck) await writeFile(path, after);
  process.stdout.write(`${FILE}: ${isCheck ? 'stale, run `npm run generate`' : 'written'}\n`);
  process.exitCode = isCheck ? 1 : 0;
}

/** @throws {Error} when the page has no place for a table. */
function withTables(text: string): string {
  return Object.entries(capacityTables()).reduce((page, [name, table]) => {
    const [begin, end] = [`<!-- computed: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${FILE} has no place for ${name}`);
    return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`;
  }, text);
}
