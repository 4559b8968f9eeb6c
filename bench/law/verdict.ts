import {
  compare,
  compareAll,
  middleMean,
  resolutionOf,
  textOf,
  verdictOf,
  type Compared,
  type Verdict,
} from '../paired.ts';
import { renderMarkdown } from '../table.ts';
import type { Measured } from './measure.ts';
import { LIMITS } from './fleet.ts';

/** How much more a request may cost with more replicas. */
const MOST = 1.05;
/** Below so many commands a request is not compared: a chance in ten thousand is none of a replica's doing. */
const LEAST_COMMANDS = 0.05;
/** What the script of a lease does with keys: `HMGET`, `HSET`, `PEXPIRE`, and `HDEL` where a replica gives back all that it has. */
const MOST_ON_KEYS_OF_A_LEASE = 4;
/** What is sent at rest is not known more exactly than that, for a request. */
const COUNTED_TO = 0.01;

/** What became of a promise. */
export interface Judged {
  readonly verdict: Verdict;
  readonly line: string;
}

/** Of a fleet, behind how many it has. */
const NAMES = { shared: '', again: ', another', apart: ', each alone' } as const;

const HEAD = [
  'limit',
  'replicas',
  'requests',
  'CPU us/req',
  '÷ the first (95 %)',
  'of all rounds',
  'blocks',
  'spoiled',
  'commands/req',
  'on keys/req',
  'idle commands/s of a replica',
];

/** A row for each fleet and each kind of limit. */
export function renderLaw(all: readonly Measured[]): string {
  const rows = LIMITS.flatMap((limited) => {
    const [first, ...others] = all.filter((one) => one.limited === limited);
    if (first === undefined) return [];
    return [rowOf(first), ...others.map((one) => rowOf(one, first))];
  });
  return renderMarkdown(HEAD, rows);
}

function rowOf(one: Measured, first?: Measured): string[] {
  const compared = first && compare(first.rounds, one.rounds);
  return [
    one.limited,
    `${one.replicas}${NAMES[one.kind]}`,
    String(one.requests),
    middleMean(one.rounds.map(({ cost }) => cost)).toFixed(1),
    compared === undefined ? '' : textOf(compared),
    first === undefined ? '' : textOf(compareAll(first.rounds, one.rounds)),
    compared === undefined ? '' : String(compared.blocks),
    compared === undefined ? '' : String(compared.spoiled),
    one.sent.toFixed(3),
    one.touched.toFixed(3),
    one.idle.toFixed(2),
  ];
}

/**
 * What a request costs does not grow with the replicas: compared are the fewest and the most, for each kind of limit. For CPU the most
 * are beside as many that share nothing: processes on one core evict each other's caches, which is the bench's doing.
 */
export function judgeLaw(all: readonly Measured[]): readonly Judged[] {
  return LIMITS.flatMap((limited) => {
    const rows = all.filter((one) => one.limited === limited);
    const own = rows.filter(({ kind }) => kind === 'shared');
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    const again = rows.find(({ kind }) => kind === 'again');
    const apart = rows.find(({ kind }) => kind === 'apart') ?? first;
    const resolution = again === undefined ? 0 : resolutionOf(compare(first.rounds, again.rounds));
    const with_ = `${limited}, ${last.replicas} replicas against ${first.replicas}`;
    return [
      cpuOf(
        `${limited}, ${last.replicas} replicas against as many that share nothing: CPU of a request`,
        compare(apart.rounds, last.rounds),
        resolution,
      ),
      ...countsOf(with_, first, last),
    ];
  });
}

// How many takes travel together is chance, and none of them asks more than once. A lease asks by the clock, whoever else has one.
function countsOf(with_: string, first: Measured, last: Measured): Judged[] {
  const commands = `${with_}: commands of a request`;
  const isAtMostOne = last.sent <= 1 + COUNTED_TO;
  return [
    first.limited === 'leased'
      ? onKeysOfLeases(with_, last)
      : counted(`${with_}: what scripts do with keys for a request`, first.touched, last.touched),
    first.limited === 'exact'
      ? { verdict: isAtMostOne ? 'kept' : 'broken', line: `${commands} at most one: ${last.sent.toFixed(3)}` }
      : counted(commands, first.sent, last.sent),
    counted(`${with_}: commands of a replica at rest`, first.idle, last.idle),
  ];
}

function onKeysOfLeases(with_: string, { sent, touched }: Measured): Judged {
  const each = sent < LEAST_COMMANDS ? 0 : touched / sent;
  return {
    verdict: each <= MOST_ON_KEYS_OF_A_LEASE + COUNTED_TO ? 'kept' : 'broken',
    line: `${with_}: what a script does with keys at most ${MOST_ON_KEYS_OF_A_LEASE}: ${each.toFixed(2)}`,
  };
}

function cpuOf(what: string, compared: Compared, resolution: number): Judged {
  const seen = Number.isNaN(resolution)
    ? ''
    : `, differences below ${(100 * resolution).toFixed(1)} % cannot be seen`;
  return {
    verdict: verdictOf(compared, MOST, resolution),
    line: `${what} at most ${MOST} times: ${textOf(compared)}${seen}`,
  };
}

function counted(what: string, before: number, after: number): Judged {
  const isNothing = Math.max(before, after) < LEAST_COMMANDS;
  const factor = after / before;
  const told = isNothing ? 'none' : `${factor.toFixed(3)} times`;
  return {
    verdict: isNothing || factor <= MOST ? 'kept' : 'broken',
    line: `${what} at most ${MOST} times: ${told}`,
  };
}
