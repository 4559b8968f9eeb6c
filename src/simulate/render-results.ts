import type { Results, ShownResult } from './results.ts';

/** Shows results as text: each test, and of those that fail what was expected and what came. */
export function renderResults({ tests, passed, failed, routes, madeUp }: Results): string {
  const { all, tested, untested } = routes;
  const lines = [
    ...tests.flatMap(linesOf),
    '',
    `${tests.length} ${tests.length === 1 ? 'test' : 'tests'}, ${passed} passed, ${failed} failed`,
    `${tested} of ${all} routes were asked`,
    ...(untested.length > 0 ? ['without a test:', ...untested.map(({ id, at }) => `  ${id}  ${at}`)] : []),
    ...(madeUp.length > 0 ? [`made up, because the environment has none: ${madeUp.join(', ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf({ name, file, line, passed, failures, error }: ShownResult): readonly string[] {
  if (passed) return [`✓ ${name}`];
  return [
    `✗ ${name}  ${file}:${line}`,
    ...failures.flatMap(({ key, at, expected, received, rule }) => [
      `    ${key}  ${at}`,
      `      expected  ${indented(expected)}`,
      `      received  ${indented(received)}`,
      ...(rule === undefined ? [] : [`      by        ${rule}`]),
    ]),
    ...(error === undefined ? [] : [`    could not be run to its end: ${error}`]),
  ];
}

function indented(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(16)}`);
}
