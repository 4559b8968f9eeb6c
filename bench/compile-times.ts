import { stopChild } from './children.ts';
import { usageOf } from './cpu.ts';
import type { Stand } from './stand.ts';
import { median } from './table.ts';

const TABLES = [10, 100, 1000, 10_000];
const ROUNDS = 3;
/** What 10 000 routes may take longer than 10 to be checked, or to listen. */
const TARGET_MS = 2000;

interface Times {
  readonly validateMs: number;
  readonly startMs: number;
  readonly startCpuMs: number;
}

/**
 * Measures how long a gateway takes to check its routes, and to start with them, for tables of growing size.
 *
 * @returns a Markdown table; the columns with a plus say how much longer it is than with the smallest table.
 */
export async function compileTimes(stand: Stand): Promise<string> {
  const rounds = TABLES.map((): Times[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, routes] of TABLES.entries()) rounds[index]?.push(await timesOf(stand, routes));
  }
  const times = rounds.map(medians);
  const [least] = times as [Times];
  const rows = times.map((one, index) => {
    const [validate, start] = [one.validateMs - least.validateMs, one.startMs - least.startMs];
    const isLast = index === TABLES.length - 1;
    const verdict = isLast ? `< ${TARGET_MS} ${Math.max(validate, start) < TARGET_MS ? 'met' : 'above'}` : '';
    const numbers = [one.validateMs, validate, one.startMs, start, one.startCpuMs];
    return `| ${[TABLES[index], ...numbers.map((number) => number.toFixed(0)), verdict].join(' | ')} |`;
  });
  return `| routes | validate ms | + | start ms | + | start CPU ms | target |\n| ${'-: | '.repeat(7)}\n${rows.join('\n')}`;
}

async function timesOf(stand: Stand, routes: number): Promise<Times> {
  const one = { name: `compile-${routes}`, config: 'door-1-bare.yaml', logLevel: 'warn', routes } as const;
  const validateMs = await stand.validate(stand.configOf(one));
  const begun = performance.now();
  const { child, pid } = await stand.startGateway(one);
  const startMs = performance.now() - begun;
  const startCpuMs = usageOf(pid).cpuUs / 1000;
  await stopChild(child);
  return { validateMs, startMs, startCpuMs };
}

function medians(rounds: readonly Times[]): Times {
  const of = (pick: (one: Times) => number): number => median(rounds.map(pick));
  return {
    validateMs: of((one) => one.validateMs),
    startMs: of((one) => one.startMs),
    startCpuMs: of((one) => one.startCpuMs),
  };
}
