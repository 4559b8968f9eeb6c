import { parseArgs } from 'node:util';
import { CASES, type BenchCase } from './cases.ts';
import { chooseLoadTool, type LoadTool } from './load.ts';

/** The case that measures no requests but how long tables of routes take to compile. */
const COMPILE = 'compile';
/** The one that measures no requests but what revocations cost. */
const REVOCATIONS = 'revocations';
/** The one that measures what signed identities cost. */
const IDENTITY = 'identity';
/** The one that measures what credentials cost. */
const CREDENTIALS = 'credentials';
/** The one that measures what a take costs that a lease covers. */
const LEASES = 'leases';
/** The one that measures what an exact limit in Redis costs. */
const LIMITS = 'limits';
/** The one that measures what the metrics of a request cost. */
const METRICS = 'metrics';
/** The one that measures what a request costs with two workers; only where it is asked for, since it takes minutes. */
const WORKERS = 'workers';

const WITHOUT_LOAD: ReadonlySet<string> = new Set([
  COMPILE, REVOCATIONS, IDENTITY, CREDENTIALS, LEASES, LIMITS, METRICS, WORKERS,
]); // prettier-ignore

const USAGE = `npm run bench -- [options]

  --quick            3 rounds of 1 s instead of 5 of 3 s
  --rounds N         number of rounds
  --seconds S        length of a round
  --only CASE        run this case; may be repeated
  --profile CASE     run the gateway of one case under the CPU profiler and print where its time goes
  --twin             with --profile: profile the bare twin instead, to compare
  --load TOOL        wrk or autocannon; default wrk if it is installed
  --level LEVEL      of workers: at this level of the log only, warn or info
  --json FILE        write all rounds to a file as well

Cases: ${[...CASES.map(({ name }) => name), ...WITHOUT_LOAD].join(', ')}`;

/** Levels of the log at which workers are measured: without access lines, and with them. */
const LEVELS = ['warn', 'info'] as const;
/** One of them. */
export type LogLevel = (typeof LEVELS)[number];

/** How configurations take turns. */
export interface TurnsOptions {
  readonly levels: readonly LogLevel[];
  /** Of each configuration. */
  readonly rounds: number;
  readonly seconds: number;
}

/** What the command line asks for. */
export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly cases: readonly BenchCase[];
  /** Whether to measure how long tables of routes take to compile. */
  readonly compile: boolean;
  /** Whether to measure what revocations cost. */
  readonly revocations: boolean;
  /** Whether to measure what signed identities cost. */
  readonly identity: boolean;
  /** Whether to measure what credentials cost. */
  readonly credentials: boolean;
  /** Whether to measure what leases cost. */
  readonly leases: boolean;
  /** Whether to measure what exact limits in Redis cost. */
  readonly limits: boolean;
  /** Whether to measure what metrics cost. */
  readonly metrics: boolean;
  /** How to measure what workers cost, if at all. */
  readonly workers: TurnsOptions | undefined;
  readonly profile: BenchCase | undefined;
  readonly profileTwin: boolean;
  readonly loadTool: LoadTool;
  readonly jsonFile: string | undefined;
}

/** Reads the command line; prints the usage and ends the process when asked to, or when it makes no sense. */
export function readOptions(args: string[]): BenchOptions {
  try {
    return parse(args);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function parse(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      profile: { type: 'string' },
      twin: { type: 'boolean', default: false },
      load: { type: 'string' },
      json: { type: 'string' },
      level: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { quick, only, load } = values;
  if (load !== undefined && load !== 'wrk' && load !== 'autocannon') {
    throw new Error(`--load: expected wrk or autocannon, given ${load}`);
  }
  return {
    rounds: positive('--rounds', values.rounds) ?? (quick ? 3 : 5),
    seconds: positive('--seconds', values.seconds) ?? (quick ? 1 : 3),
    warmUpSeconds: quick ? 2 : 4,
    cases:
      only.length === 0
        ? CASES
        : only.filter((name) => !WITHOUT_LOAD.has(name)).map((name) => caseOf('--only', name)),
    compile: only.length === 0 || only.includes(COMPILE),
    revocations: only.length === 0 || only.includes(REVOCATIONS),
    identity: only.length === 0 || only.includes(IDENTITY),
    credentials: only.length === 0 || only.includes(CREDENTIALS),
    leases: only.length === 0 || only.includes(LEASES),
    limits: only.length === 0 || only.includes(LIMITS),
    metrics: only.length === 0 || only.includes(METRICS),
    workers: only.includes(WORKERS) ? turnsOf(values) : undefined,
    profile: values.profile === undefined ? undefined : caseOf('--profile', values.profile),
    profileTwin: values.twin,
    loadTool: load ?? chooseLoadTool(),
    jsonFile: values.json,
  };
}

function turnsOf(values: {
  readonly rounds?: string;
  readonly seconds?: string;
  readonly level?: string;
}): TurnsOptions {
  const level = LEVELS.find((one) => one === values.level);
  if (values.level !== undefined && level === undefined)
    throw new Error(`--level: expected warn or info, given ${values.level}`);
  return {
    levels: level === undefined ? LEVELS : [level],
    rounds: positive('--rounds', values.rounds) ?? 60,
    seconds: positive('--seconds', values.seconds) ?? 1,
  };
}

function caseOf(option: string, name: string): BenchCase {
  const found = CASES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${option}: there is no case ${name}`);
  return found;
}

/** Reads a whole number from 1; `option` is for the message. */
export function positive(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${option}: expected a whole number from 1, given ${text}`);
}
