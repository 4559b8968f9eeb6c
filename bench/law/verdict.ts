import { compare, compareAll, middleMean, resolutionOf, textOf, verdictOf, type Verdict } from '../paired.ts';
import { renderMarkdown } from '../table.ts';
import { LIMITS } from './fleet.ts';
import type { Measured } from './measure.ts';
import type { Sharing } from './sharing.ts';

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

const SHARING_HEAD = [
  'limit',
  'replicas',
  'requests',
  'CPU us/req, sharing nothing',
  'sharing a Redis',
  '÷ sharing nothing (95 %)',
  'two that share nothing',
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
    String(one.replicas),
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

/** A row for each kind of limit. */
export function renderSharing(all: readonly Sharing[]): string {
  const rows = all.map((one) => [
    one.limited,
    String(one.replicas),
    String(one.shared.reduce((sum, { requests }) => sum + requests, 0)),
    middleMean(one.apart.map(({ cost }) => cost)).toFixed(1),
    middleMean(one.shared.map(({ cost }) => cost)).toFixed(1),
    textOf(compareAll(one.apart, one.shared)),
    textOf(compareAll(one.alone, one.aloneToo)),
  ]);
  return renderMarkdown(SHARING_HEAD, rows);
}

/**
 * What a request costs does not grow with the replicas: compared are the fewest and the most, for each kind of limit. CPU is that of
 * the most, some of which share a Redis while others share nothing: processes on one core evict each other's caches, which is the
 * bench's doing.
 */
export function judgeLaw(all: readonly Measured[], sharing: readonly Sharing[]): readonly Judged[] {
  return LIMITS.flatMap((limited) => {
    const rows = all.filter((one) => one.limited === limited);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    return [
      ...sharing.filter((one) => one.limited === limited).map(cpuOf),
      ...countsOf(`${limited}, ${last.replicas} replicas against ${first.replicas}`, first, last),
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

function cpuOf({ limited, replicas, apart, shared, alone, aloneToo }: Sharing): Judged {
  const compared = compareAll(apart, shared);
  const resolution = resolutionOf(compareAll(alone, aloneToo));
  const seen = Number.isNaN(resolution)
    ? ''
    : `, differences below ${(100 * resolution).toFixed(1)} % cannot be seen`;
  return {
    verdict: verdictOf(compared, MOST, resolution),
    line: `${limited}, ${replicas} replicas against as many that share nothing: CPU of a request at most ${MOST} times: ${textOf(compared)}${seen}`,
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
