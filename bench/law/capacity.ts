import { horizonMs } from '../../src/policies/rate-limit/leases/lease.ts';
import { renderMarkdown } from '../table.ts';
import {
  CANARY_US,
  COMMAND_US,
  EXACT_US,
  IDLE_COMMANDS,
  LEASE_US,
  LEASE_US_A_HOLDER,
  PUBLISH_US,
  PUBLISH_US_A_LISTENER,
  GATHER_MS,
  LOOK_US_A_KEY,
  READ_LOG_US,
  READ_LOG_US_AN_ENTRY,
} from './simulation/constants.ts';

/** A number that the sheet is computed from. */
export interface Constant {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Where it was measured, or that it is assumed. */
  readonly from: string;
  /** A page that has to say so, and in which words. */
  readonly said?: readonly [page: string, text: string];
}

const PERFORMANCE = '[performance](performance.md#against-other-gateways)';
const REDIS = '`npm run law -- --redis`';
const ASSUMED = 'assumed: put in your own';

/** What the sheet is computed from. */
export const CONSTANTS = {
  policies: {
    what: 'a request with JWT, role, limit in the process, breaker, access line',
    value: 61.7,
    unit: 'µs of CPU',
    from: PERFORMANCE,
    said: ['docs/performance.md', '61.7'],
  },
  inRedis: {
    what: 'the same with an exact limit in Redis',
    value: 75.1,
    unit: 'µs of CPU',
    from: PERFORMANCE,
    said: ['docs/performance.md', '75.1'],
  },
  process: {
    what: 'memory of a process under such load',
    value: 306,
    unit: 'MiB',
    from: PERFORMANCE,
    said: ['docs/performance.md', '306'],
  },
  connection: {
    what: 'memory of an open connection with one to a target',
    value: 23,
    unit: 'KiB',
    from: '[performance](performance.md#websockets), of sockets',
    said: ['docs/performance.md', '23 KiB'],
  },
  revocations: {
    what: 'memory of a million revocations, in each process',
    value: 42,
    unit: 'MiB',
    from: '[performance](performance.md#identity)',
    said: ['docs/performance.md', '42 MiB'],
  },
  command: {
    what: 'Redis: any command, to read it and to answer',
    value: COMMAND_US,
    unit: 'µs',
    from: REDIS,
  },
  exact: { what: 'Redis: the script of an exact limit', value: EXACT_US, unit: 'µs', from: REDIS },
  lease: { what: 'Redis: the script of a lease', value: LEASE_US, unit: 'µs', from: REDIS },
  holder: {
    what: 'and for each replica that has some of it, where it looks at all of them',
    value: LEASE_US_A_HOLDER,
    unit: 'µs',
    from: REDIS,
  },
  publish: { what: 'Redis: a message', value: PUBLISH_US, unit: 'µs', from: REDIS },
  listener: { what: 'and for each replica', value: PUBLISH_US_A_LISTENER, unit: 'µs', from: REDIS },
  rollout: { what: 'Redis: the script of a rollout', value: CANARY_US, unit: 'µs', from: REDIS },
  log: { what: 'Redis: the script that reads revocations', value: READ_LOG_US, unit: 'µs', from: REDIS },
  entry: { what: 'and for each entry', value: READ_LOG_US_AN_ENTRY, unit: 'µs', from: REDIS },
  key: { what: 'Redis: a look at a key that has changed', value: LOOK_US_A_KEY, unit: 'µs', from: REDIS },
  idle: {
    what: 'commands of a replica that nobody asks anything',
    value: IDLE_COMMANDS.beat + IDLE_COMMANDS.heartbeat + IDLE_COMMANDS.revocations,
    unit: 'a second',
    from: 'the code; `npm run law` measures it',
  },
  busy: { what: 'how busy a core of a gateway may be', value: 0.6, unit: '', from: ASSUMED },
  busyRedis: { what: 'how busy a shard of Redis may be', value: 0.5, unit: '', from: ASSUMED },
  clients: {
    what: 'open connections of clients for each request a second',
    value: 1,
    unit: '',
    from: ASSUMED,
  },
  target: { what: 'time that a target takes', value: 50, unit: 'ms', from: ASSUMED },
  bytes: { what: 'a request and its answer, with heads', value: 5, unit: 'KiB', from: ASSUMED },
} as const satisfies Readonly<Record<string, Constant>>;

/** Calls of a replica for one leased limit in a second: the next block is asked for when half of one is used. */
const leaseCalls = (replicas: number): number => 2000 / horizonMs(replicas);
/** Revocations in a second that the sheet supposes. */
const REVOCATIONS = 10;

const of = (name: keyof typeof CONSTANTS): number => CONSTANTS[name].value;

/** What so many requests a second take. */
export interface Sheet {
  readonly rps: number;
  /** With limits in the process, and in Redis. */
  readonly local: number;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of gateways: clients and targets together, and of one process. */
  readonly connections: number;
  readonly descriptors: number;
  readonly gigabits: number;
  readonly shards: number;
  readonly redisConnections: number;
  /** Shares of a core of Redis that one leased limit for everybody takes, and one exact one. */
  readonly hotLease: number;
  readonly hotExact: number;
  /** Of what replicas say to each other, with revocations. */
  readonly talk: number;
}

/** Computes a sheet; a process has a core, and there are two at least. */
export function sheetOf(rps: number): Sheet {
  const coresFor = (us: number): number => Math.max(2, Math.ceil((rps * us) / 1e6 / of('busy')));
  const cores = coresFor(of('inRedis'));
  const toTargets = (rps * of('target')) / 1000;
  const fromClients = rps * of('clients');
  const perProcess = (fromClients + toTargets) / cores;
  const mib = of('process') + of('revocations') + (perProcess * of('connection')) / 1024;
  const shards = Math.ceil((rps * exactUs()) / 1e6 / of('busyRedis'));
  // Commands and what is told of keys, of each master; messages of one.
  const toRedis = 2 * shards + 1;
  return {
    rps,
    local: coresFor(of('policies')),
    cores,
    memoryGiB: (cores * mib) / 1024,
    connections: fromClients + toTargets,
    descriptors: Math.ceil(perProcess + toRedis),
    gigabits: (rps * of('bytes') * 1024 * 8) / 1e9,
    shards,
    redisConnections: cores * toRedis,
    hotLease: leaseShare(cores),
    hotExact: (rps * exactUs()) / 1e6,
    talk: talkShare(cores),
  };
}

function exactUs(): number {
  return of('command') + of('exact');
}

/** The share of a core that one limit takes of which so many replicas have leases all the time. */
export function leaseShare(replicas: number): number {
  return (leaseCalls(replicas) * replicas * (of('command') + of('lease'))) / 1e6;
}

function talkShare(replicas: number, revocations = REVOCATIONS): number {
  return (replicas * of('idle') * (of('command') + of('log'))) / 1e6 + revocationShare(replicas, revocations);
}

/** Two messages to all for each of them: of its key, and when that expires. A replica looks at both, at what comes in 100 ms together, and reads its entry of the log. */
function revocationShare(replicas: number, perSecond: number): number {
  const messages = 2 * (of('publish') + of('listener') * replicas);
  const entries = replicas * (of('entry') + 2 * of('key'));
  const looks = replicas * Math.min(2 * perSecond, 1000 / GATHER_MS) * (of('command') + of('log'));
  return (perSecond * (messages + entries) + looks) / 1e6;
}

function rolloutShare(replicas: number): number {
  return (replicas * (of('command') + of('rollout'))) / 1e6;
}

/** With how many replicas something takes half a core of Redis. */
function replicasFor(share: (replicas: number) => number): number {
  let replicas = 1;
  while (share(replicas + 1) <= of('busyRedis')) replicas += 1;
  return replicas;
}

/** The parts of the page that are computed, by the names of their marks. */
export function capacityTables(): Readonly<Record<string, string>> {
  return { sheet: sheetTable(), breaks: breaksTable(), constants: constantsTable() };
}

function sheetTable(): string {
  const sheets = [10_000, 100_000, 1_000_000].map(sheetOf);
  const row = (what: string, read: (sheet: Sheet) => string): string[] => [what, ...sheets.map(read)];
  const share = (cores: number): string => (cores < 0.005 ? '< 0.01' : cores.toFixed(2));
  return renderMarkdown(
    ['requests a second', ...sheets.map(({ rps }) => whole(rps))],
    [
      row('cores of gateways, limits in the process', ({ local }) => whole(local)),
      row('cores of gateways, limits in Redis, a process each', ({ cores }) => whole(cores)),
      row('memory, GiB', ({ memoryGiB }) => memoryGiB.toFixed(1)),
      row('connections of clients and to targets', ({ connections }) => whole(connections)),
      row('file descriptors of a process (`ulimit -n`), at least', ({ descriptors }) => whole(descriptors)),
      row('network, Gbit/s, to clients and to targets each', ({ gigabits }) => gigabits.toFixed(1)),
      row('shards of Redis, an exact limit for each request', ({ shards }) => whole(shards)),
      row('connections to Redis', ({ redisConnections }) => whole(redisConnections)),
      row('one exact limit for everybody, cores of its shard', ({ hotExact }) => share(hotExact)),
      row('one leased limit for everybody, cores of its shard', ({ hotLease }) => share(hotLease)),
      row(`what replicas say, with ${REVOCATIONS} revocations a second, cores of Redis`, ({ talk }) =>
        share(talk),
      ),
    ],
  );
}

function breaksTable(): string {
  const rows: [string, number][] = [
    ['one leased limit that all replicas use all the time', replicasFor(leaseShare)],
    ['a hundred revocations of tokens a second', replicasFor((n) => revocationShare(n, 100))],
    ['ten revocations of tokens a second', replicasFor((n) => revocationShare(n, 10))],
    ['ten canaries at once', replicasFor((n) => 10 * rolloutShare(n))],
    ['one canary', replicasFor(rolloutShare)],
    ['replicas that nobody asks anything', replicasFor((n) => talkShare(n, 0))],
  ];
  rows.sort(([, one], [, other]) => one - other);
  return renderMarkdown(
    ['what', 'half a core of Redis, with so many replicas'],
    rows.map(([what, replicas]) => [what, whole(replicas)]),
  );
}

function constantsTable(): string {
  const rows = Object.values(CONSTANTS).map(({ what, value, unit, from }) => [
    what,
    `${value} ${unit}`.trim(),
    from,
  ]);
  return renderMarkdown(['constant', 'value', 'from'], rows, 3);
}

function whole(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ' ');
}
