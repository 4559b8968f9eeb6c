import { readOptions, UsageError } from './options.ts';

/** Which route is measured, by which request, for how long. */
export interface BenchCommand {
  readonly name: 'bench';
  readonly route: string;
  readonly configFile: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  /** Each `Name: value`. */
  readonly headers: readonly string[];
  readonly bodyFile: string | undefined;
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  /** Whether the upstreams of the configuration are asked. */
  readonly real: boolean;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  method: { type: 'string' },
  path: { type: 'string' },
  header: { type: 'string', short: 'H', multiple: true },
  body: { type: 'string' },
  rounds: { type: 'string' },
  'round-time': { type: 'string' },
  connections: { type: 'string' },
  real: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** As the configuration has them, whose schema is too much to be loaded for each command. */
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m)$/;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const MOST_ROUNDS = 100;
const MOST_CONNECTIONS = 1000;
const LEAST_ROUND_MS = 100;
const LONGEST_ROUND_MS = 60_000;
const FIELD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[^\r\n\0]*$/;

/**
 * Reads the arguments behind `gatehouse bench`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function benchCommand(args: readonly string[]): BenchCommand | undefined {
  // The route may stand behind `--config FILE` as well.
  const at = routeAt(args);
  const values = readOptions(args.toSpliced(at, at < 0 ? 0 : 1), OPTIONS);
  if (values.flag('help')) return undefined;
  const route = at < 0 ? undefined : args[at];
  if (route === undefined)
    throw new UsageError('bench: expected the id of a route; gatehouse routes lists them');
  const headers = values.list('header');
  const wrong = headers.find((field) => !FIELD.test(field));
  if (wrong !== undefined)
    throw new UsageError(`--header: expected \`Name: value\`, not ${JSON.stringify(wrong.split(':')[0])}`);
  const path = values.text('path');
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path))
    throw new UsageError('--path: expected a path, such as /users/7');
  const method = values.text('method');
  if (method !== undefined && !/^[A-Z][A-Z-]*$/.test(method))
    throw new UsageError('--method: expected a method, such as POST');
  return {
    name: 'bench',
    route,
    configFile: values.text('config'),
    method,
    path,
    headers,
    bodyFile: values.text('body'),
    rounds: count('rounds', values.text('rounds') ?? '5', MOST_ROUNDS),
    roundMs: roundMs(values.text('round-time') ?? '2s'),
    connections: count('connections', values.text('connections') ?? '32', MOST_CONNECTIONS),
    real: values.flag('real'),
    json: values.flag('json'),
  };
}

// The first word that is neither an option nor the value of one.
function routeAt(args: readonly string[]): number {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (!word.startsWith('-')) return at;
    const name = word === '-c' ? 'config' : word === '-H' ? 'header' : word.slice(2);
    const option = Object.entries(OPTIONS).find(([known]) => known === name)?.[1];
    if (option?.type === 'string') at += 1;
  }
  return -1;
}

function count(name: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new UsageError(`--${name}: expected a whole number from 1 to ${most}`);
  return value;
}

function roundMs(text: string): number {
  const [, number, unit = ''] = DURATION.exec(text) ?? [];
  const ms = Math.round(Number(number) * (UNITS_MS[unit] ?? 0));
  if (ms >= LEAST_ROUND_MS && ms <= LONGEST_ROUND_MS) return ms;
  throw new UsageError('--round-time: expected a duration from 100ms to 1m, such as 2s');
}
