import { expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n');

it('is built of files that are there, and that its context lets in', () => {
  const letIn = linesOf('.dockerignore').filter((line) => line.startsWith('!'));
  const copied = linesOf('Dockerfile')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter((path) => !existsSync(path))).toEqual([]);
  const isLetIn = (path: string): boolean =>
    letIn.some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`));
  expect(copied.filter((path) => !isLetIn(path))).toEqual([]);
});

it('has every file that the sample services import', () => {
  const stage = readFileSync('Dockerfile', 'utf8')
    .split(/^FROM /m)
    .find((text) => /^\S+ AS services$/m.test(text));
  const copied = (stage ?? '').split('\n').flatMap((line) => (line.startsWith('COPY ') ? line.split(' ').slice(1, -1) : [])); // prettier-ignore
  const files = new Set<string>();
  const walk = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, imported = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export|\}) .*from '(\.[^']+)';$/gm,
    ))
      walk(join(dirname(file), imported));
  };
  walk('examples/services/main.ts');
  const isCopied = (file: string): boolean =>
    copied.some((path) => file === path || file.startsWith(`${path}/`));
  expect([...files].filter((file) => !isCopied(file))).toEqual([]);
  expect(files.size).toBeGreaterThan(20);
});
