import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from './cases.ts';
import { checkWork } from './checks.ts';
import { stopChild } from './children.ts';
import { Pacer, takeTurns, type Turn, type TurnRound } from './interleaved.ts';
import type { LogLevel, TurnsOptions } from './options.ts';
import { compare, compareAll, middleMean, resolutionOf, textOf, verdictOf } from './paired.ts';
import type { Stand, Subject } from './stand.ts';
import { renderMarkdown } from './table.ts';

const WORK = {
  name: 'workers',
  title: 'several processes',
  config: 'peers/config/gateway-plain.yaml',
  request: { method: 'GET', path: '/items/1', headers: { accept: 'application/json' } },
  principals: 0,
  routeId: 'items',
  upstreamCalls: 1,
} as const satisfies Omit<Work, 'logLevel'>;

const TARGET = 1.05;
/** Far below what a core can do, so that nobody waits: the same for all. */
const PER_SECOND = 2000;
const CONNECTIONS = 64;
const WARM_UP = { rounds: 2, seconds: 3 };
const LOOK_EVERY_MS = 50;
const HEAD = ['log', 'who serves', 'requests/s', 'CPU us/req', '÷', '(95 %)', 'of all rounds', 'blocks', 'spoiled', 'target', '']; // prettier-ignore

/** A way to serve. */
interface Way {
  readonly title: string;
  readonly workers: 1 | 2;
  /** What is asked in all, of what the one process is. */
  readonly load: 0.5 | 1 | 2;
  /** The title of what it is compared with. */
  readonly against: string;
  readonly target: number | undefined;
}

const ONE = 'one process';
const HALF = 'one process, half as much';
// The less a process has to do, the more a request costs, because there are fewer for each turn of its loop. So workers are compared
// with a process that has as much to do as each of them.
const WAYS: readonly Way[] = [
  { title: ONE, workers: 1, load: 1, against: ONE, target: undefined },
  { title: 'another such process', workers: 1, load: 1, against: ONE, target: undefined },
  { title: HALF, workers: 1, load: 0.5, against: ONE, target: undefined },
  { title: 'two workers, as much for both', workers: 2, load: 1, against: HALF, target: TARGET },
  { title: 'two workers, as much for each', workers: 2, load: 2, against: ONE, target: TARGET },
];

interface Row {
  readonly way: Way;
  readonly subject: Subject;
  readonly turn: Turn;
}

/**
 * Measures the CPU of a request with two workers, the process that keeps them included, against one process, at the same fixed rate in
 * all and for each; and one process against another one that is the same, which says how small a difference can be seen. They take turns
 * on one core, so that what workers cost each other counts.
 *
 * @returns a Markdown table for each level of the log, and what is said of each promise.
 * @throws {Error} where there is no Redis, or a request fails.
 */
export async function workerTimes(stand: Stand, { levels, ...options }: TurnsOptions): Promise<string> {
  if (stand.redisUrl === undefined) throw new Error('workers need a redis-server');
  await stand.addServices('peers/backend.ts');
  const pacer = new Pacer(stand.startPaced());
  try {
    const told = [];
    for (const level of levels) told.push(await timesAt(level, stand, pacer, options));
    return told.join('\n\n');
  } finally {
    await pacer.close();
  }
}

async function timesAt(
  level: LogLevel,
  stand: Stand,
  pacer: Pacer,
  { rounds, seconds }: Omit<TurnsOptions, 'levels'>,
): Promise<string> {
  const subjects: Subject[] = [];
  try {
    const started = new Map<Way, Subject>();
    for (const way of WAYS) {
      const known = WAYS.find((one) => one.workers === way.workers && started.has(one));
      // The one that is there to be compared with itself is another one.
      const subject = way.load === 1 && way.workers === 1 ? undefined : known && started.get(known);
      started.set(way, subject ?? (await startedAt(level, way, stand, subjects)));
    }
    const rows = [...started].map(([way, subject]): Row => {
      const { path } = WORK.request;
      const load = {
        path,
        origin: subject.origin,
        perSecond: PER_SECOND * way.load,
        connections: CONNECTIONS,
      };
      return { way, subject, turn: { title: way.title, pids: [subject.pid], load } };
    });
    const turns = rows.map(({ turn }) => turn);
    const warm = await takeTurns(turns, { pacer, ...WARM_UP });
    const found = await takeTurns(turns, { pacer, rounds, seconds });
    for (const subject of subjects) {
      const own = rows.filter((row) => row.subject === subject);
      const requests = own.flatMap(({ turn }) => [...(warm.get(turn) ?? []), ...(found.get(turn) ?? [])]);
      await checkWork({ ...WORK, logLevel: level }, subject, sumOf(requests));
    }
    return tableOf(level, rows, found);
  } finally {
    await Promise.all(subjects.map(({ child }) => stopChild(child)));
  }
}

async function startedAt(level: LogLevel, way: Way, stand: Stand, all: Subject[]): Promise<Subject> {
  const one = { ...WORK, name: `workers-${level}`, logLevel: level, needsRedis: true } as const;
  const subject = await stand.startGateway(one, [], { WORKERS: String(way.workers) });
  all.push(subject);
  await untilReady(subject);
  return subject;
}

function tableOf(
  level: LogLevel,
  rows: readonly Row[],
  found: ReadonlyMap<Turn, readonly TurnRound[]>,
): string {
  const roundsOf = (title: string): readonly TurnRound[] =>
    rows.filter(({ way }) => way.title === title).flatMap(({ turn }) => found.get(turn) ?? []);
  const resolution = resolutionOf(compare(roundsOf(ONE), roundsOf('another such process')));
  const table = rows.map(({ way, turn }) => {
    const [base, rounds] = [roundsOf(way.against), roundsOf(way.title)];
    const compared = compare(base, rounds);
    const cost = middleMean(rounds.map((round) => round.cost)).toFixed(1);
    const ratios = way.title === ONE ? ['', '', '', '', ''] : [way.against, textOf(compared), textOf(compareAll(base, rounds)), String(compared.blocks), String(compared.spoiled)]; // prettier-ignore
    const target =
      way.target === undefined ? ['', ''] : [`≤ ${way.target}`, verdictOf(compared, way.target, resolution)];
    return [level, way.title, String(turn.load.perSecond), cost, ...ratios, ...target];
  });
  const seen = Number.isNaN(resolution)
    ? 'The machine was not quiet enough for any verdict.'
    : `Differences below ${(100 * resolution).toFixed(1)} % cannot be seen: so far from 1 is one process beside itself.`;
  return `${renderMarkdown(HEAD, table, 2)}\n\n${seen}`;
}

function sumOf(rounds: readonly TurnRound[]): number {
  return rounds.reduce((sum, { requests }) => sum + requests, 0);
}

async function untilReady({ origin }: Subject): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${origin}/health/ready`);
    if (status === 200) return;
    await sleep(LOOK_EVERY_MS);
  }
}
