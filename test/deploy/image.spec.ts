import { expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

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
