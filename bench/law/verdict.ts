import { renderMarkdown } from '../table.ts';
import type { Measured } from './measure.ts';
import { LIMITS } from './fleet.ts';
import type { Kept } from './simulation/simulate.ts';

/** How much more a request may cost with more replicas. */
const MOST = 1.05;
/** Below so many commands a request is not compared: a chance in ten thousand is none of a replica's doing. */
const LEAST_COMMANDS = 0.05;

/** A row for each number of replicas and each kind of limit. */
export function renderLaw(all: readonly Measured[]): string {
  const head = [
    'limit',
    'replicas',
    'requests',
    'CPU us/req',
    'commands/req',
    'with those of scripts',
    'idle commands/s of a replica',
  ];
  const rows = LIMITS.flatMap((limited) => all.filter((one) => one.limited === limited)).map((one) => [
    one.limited,
    String(one.replicas),
    String(one.requests),
    one.cpuUs.toFixed(1),
    one.sent.toFixed(3),
    one.operations.toFixed(3),
    one.idle.toFixed(1),
  ]);
  return renderMarkdown(head, rows);
}

/** What a request costs does not grow with the replicas: compared are the fewest and the most, for each kind of limit. */
export function judgeLaw(all: readonly Measured[]): readonly Kept[] {
  return LIMITS.flatMap((limited) => {
    const rows = all.filter((one) => one.limited === limited);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return [];
    const with_ = `${limited}, ${last.replicas} replicas against ${first.replicas}`;
    return [
      promise(`${with_}: CPU of a request`, first.cpuUs, last.cpuUs),
      promise(`${with_}: commands of a request, with those of scripts`, first.operations, last.operations),
      promise(`${with_}: commands of a replica at rest`, first.idle, last.idle),
    ];
  });
}

function promise(what: string, before: number, after: number): Kept {
  const isNothing = Math.max(before, after) < LEAST_COMMANDS;
  const factor = after / before;
  const told = isNothing ? 'none' : `${factor.toFixed(3)} times`;
  return { kept: isNothing || factor <= MOST, line: `${what} at most ${MOST} times: ${told}` };
}
