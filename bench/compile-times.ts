import { stopChild } from './children.ts';
import { usageOf } from './cpu.ts';
import type { Stand } from './stand.ts';
import { median } from './table.ts';

const TABLES = [10, 100, 1000, 10_000];
const ROUNDS = 3;
/** How much more CPU 10 000 routes may take than 10, to be checked or to be started with. */
const TARGET_MS = 2000;

/** CPU of one table, in ms; the time on the clock says little on a machine that does something else as well. */
interface Times {
  readonly validate: number;
  /** Until it listens. */
  readonly start: number;
}

/**
 * Measures how much CPU a gateway takes to check its routes, and to start with them, for tables of growing size.
 *
 * @returns a Markdown table; the columns with a plus say how much more it is than with the smallest table.
 */
export async function compileTimes(stand: Stand): Promise<string> {
  const rounds = TABLES.map((): Times[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, routes] of TABLES.entries()) rounds[index]?.push(await timesOf(stand, routes));
  }
  const times = rounds.map((each) => ({
    validate: median(each.map((one) => one.validate)),
    start: median(each.map((one) => one.start)),
  }));
  const [least] = times as [Times];
  const rows = times.map((one, index) => {
    const [validate, start] = [one.validate - least.validate, one.start - least.start];
    const met = Math.max(validate, start) < TARGET_MS ? 'met' : 'above';
    const verdict = index === TABLES.length - 1 ? `< ${TARGET_MS} ${met}` : '';
    const numbers = [one.validate, validate, one.start, start].map((number) => number.toFixed(0));
    return `| ${[TABLES[index], ...numbers, verdict].join(' | ')} |`;
  });
  const head = '| routes | validate, CPU ms | + | start, CPU ms | + | target |';
  return [head, `|${' -: |'.repeat(6)}`, ...rows].join('\n');
}

async function timesOf(stand: Stand, routes: number): Promise<Times> {
  const one = { name: `compile-${routes}`, config: 'door-1-bare.yaml', logLevel: 'warn', routes } as const;
  const validate = await stand.validate(stand.configOf(one));
  const { child, pid } = await stand.startGateway(one);
  const start = usageOf(pid).cpuUs / 1000;
  await stopChild(child);
  return { validate, start };
}
