import { styleText } from 'node:util';
import type { CheckResult, Level } from './check.ts';

const COLOR: Readonly<Record<Level, 'green' | 'yellow' | 'red'>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

/** Shows what checks found: a line for each, and below it what mends it. */
export function renderResults(
  results: readonly CheckResult[],
  { color }: { readonly color: boolean },
): string {
  const lines = results.flatMap(({ level, check, subject, what, mend }) => {
    const padded = level.padEnd(4);
    const shown = color ? styleText(COLOR[level], padded, { validateStream: false }) : padded;
    const line = `${shown}  ${check} ${subject}: ${what}`;
    return [mend === undefined ? line : `${line}; mend: ${mend}`];
  });
  return `${[...lines, summary(results)].join('\n')}\n`;
}

function summary(results: readonly CheckResult[]): string {
  const count = (level: Level): number => results.filter((one) => one.level === level).length;
  return `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`;
}
