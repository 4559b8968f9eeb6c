import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from './cases.ts';
import { checkWork } from './checks.ts';
import { stopChild } from './children.ts';
import { childrenOf, preemptionsOf, usageOf } from './cpu.ts';
import { load } from './load.ts';
import { CONNECTIONS, loadOf, warmUp } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Stand, Subject } from './stand.ts';
import { median, renderMarkdown } from './table.ts';

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
const LOOK_EVERY_MS = 50;
const HEAD = [
  'log',
  'who serves',
  'connections',
  'CPU us/req',
  'of it the primary',
  'busiest worker',
  'preempted/1000',
  'rps',
  '÷ one',
  '(range)',
  'quietest',
  'target',
  '',
];

type Level = Work['logLevel'];
type Options = Pick<BenchOptions, 'rounds' | 'seconds' | 'warmUpSeconds' | 'loadTool'>;

/** A way to serve. */
interface Way {
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  /** Connections that the load is made over. */
  readonly loads: readonly number[];
  readonly target: number | undefined;
}

const ONE: Way = {
  title: 'one process',
  env: { WORKERS: '1' },
  loads: [CONNECTIONS, 2 * CONNECTIONS],
  target: undefined,
};
const WAYS: readonly Way[] = [
  ONE,
  { ...ONE, title: 'two workers, in turn', env: { WORKERS: '2' }, target: TARGET },
  {
    ...ONE,
    title: 'two workers, whoever wakes',
    env: { WORKERS: '2', NODE_CLUSTER_SCHED_POLICY: 'none' },
    loads: [CONNECTIONS],
  },
];

/** One round of one row. */
interface Round {
  readonly cpuUsPerRequest: number;
  /** Of the process that was started, without its workers. */
  readonly ownUsPerRequest: number;
  /** The part of the CPU of all workers that the busiest one had. */
  readonly busiest: number;
  /** How often a main thread had to make room for another thread, per 1000 requests. */
  readonly preempted: number;
  readonly rps: number;
}

interface Row {
  readonly level: Level;
  readonly way: Way;
  readonly connections: number;
  readonly subject: Subject;
  readonly rounds: Round[];
}

/**
 * Measures the CPU of a request with two workers, the process that keeps them included, against one process: at the levels of
 * the log with and without access lines, with as many connections for all, and with as many for each. All share one core, so that
 * what they cost each other counts.
 *
 * @returns a Markdown table.
 * @throws {Error} where there is no Redis, or a request fails.
 */
export async function workerTimes(stand: Stand, options: Options): Promise<string> {
  if (stand.redisUrl === undefined) throw new Error('workers need a redis-server');
  await stand.addServices('peers/backend.ts');
  const tables = [];
  for (const level of ['warn', 'info'] as const) tables.push(...(await rowsAt(level, stand, options)));
  return renderMarkdown(HEAD, tables, 2);
}

async function rowsAt(level: Level, stand: Stand, options: Options): Promise<string[][]> {
  const rows: Row[] = [];
  const counts = new Map<Subject, number>();
  try {
    for (const way of WAYS) {
      const one = { ...WORK, name: `workers-${level}`, logLevel: level, needsRedis: true } as const;
      const subject = await stand.startGateway(one, [], way.env);
      counts.set(subject, 0);
      await untilReady(subject);
      for (const connections of way.loads) rows.push({ level, way, connections, subject, rounds: [] });
    }
    const run = async (row: Row, seconds: number): Promise<Round> => {
      const { requests, ...round } = await runRound(row, stand, { ...options, seconds });
      counts.set(row.subject, (counts.get(row.subject) ?? 0) + requests);
      return round;
    };
    for (const row of rows) await warmUp(() => run(row, options.warmUpSeconds));
    for (let turn = 0; turn < options.rounds; turn += 1) {
      // Every other turn runs backwards, so that nobody always follows the same one.
      for (const row of turn % 2 === 0 ? rows : rows.toReversed())
        row.rounds.push(await run(row, options.seconds));
    }
    for (const [subject, requests] of counts)
      await checkWork({ ...WORK, logLevel: level }, subject, requests);
  } finally {
    await Promise.all([...counts.keys()].map(({ child }) => stopChild(child)));
  }
  return rows.map((row) => textOf(row, rows));
}

async function runRound(
  { subject, connections, level, way }: Row,
  stand: Stand,
  { seconds, loadTool }: Options,
): Promise<Round & { readonly requests: number }> {
  const before = lookAt(subject);
  const work = { ...WORK, logLevel: level };
  const { requests, failures, rps } = await load(loadTool, {
    ...loadOf(work, stand, subject, seconds),
    connections,
  });
  if (failures > 0) throw new Error(`${way.title}: ${failures} of ${requests} requests failed`);
  const after = lookAt(subject);
  const ofWorkers = after.workersUs.map((us, index) => us - (before.workersUs[index] ?? 0));
  const sum = ofWorkers.reduce((all, us) => all + us, 0);
  const allUs = after.allUs - before.allUs;
  return {
    requests,
    rps,
    cpuUsPerRequest: allUs / requests,
    ownUsPerRequest: (allUs - sum) / requests,
    busiest: sum === 0 ? 1 : Math.max(...ofWorkers) / sum,
    preempted: ((after.preempted - before.preempted) / requests) * 1000,
  };
}

function lookAt({ pid }: Subject): {
  readonly allUs: number;
  readonly workersUs: readonly number[];
  readonly preempted: number;
} {
  const workers = childrenOf(pid);
  return {
    allUs: usageOf(pid).cpuUs,
    workersUs: workers.map((one) => usageOf(one).cpuUs),
    preempted: [pid, ...workers].reduce((sum, one) => sum + preemptionsOf(one), 0),
  };
}

function textOf({ level, way, connections, rounds }: Row, rows: readonly Row[]): string[] {
  const one = rows.find((row) => row.way === ONE && row.connections === connections);
  const ratios = rounds.map(
    (round, turn) => round.cpuUsPerRequest / (one?.rounds[turn]?.cpuUsPerRequest ?? NaN),
  );
  const ratio = median(ratios);
  // Whoever else uses the machine, or its caches, only ever adds to the CPU of a request: what both cost where they were least
  // disturbed says more than any round of the two beside each other.
  const atBest = leastOf(rounds) / (one === undefined ? NaN : leastOf(one.rounds));
  const of = (read: (round: Round) => number, digits: number): string =>
    median(rounds.map(read)).toFixed(digits);
  const compared = [
    ratio.toFixed(3),
    `(${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
    atBest.toFixed(3),
    way.target === undefined ? '' : `≤ ${way.target}`,
    way.target === undefined ? '' : atBest <= way.target ? 'met' : 'missed',
  ];
  return [
    level,
    way.title,
    String(connections),
    of((round) => round.cpuUsPerRequest, 1),
    way === ONE ? '' : of((round) => round.ownUsPerRequest, 2),
    way === ONE ? '' : `${of((round) => 100 * round.busiest, 0)} %`,
    of((round) => round.preempted, 1),
    of((round) => round.rps, 0),
    ...(way === ONE ? ['', '', '', '', ''] : compared),
  ];
}

const leastOf = (rounds: readonly Round[]): number =>
  Math.min(...rounds.map((round) => round.cpuUsPerRequest));

async function untilReady({ origin }: Subject): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${origin}/health/ready`);
    if (status === 200) return;
    await sleep(LOOK_EVERY_MS);
  }
}
