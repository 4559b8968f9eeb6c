import type { Environment } from '../config/env.schema.ts';
import { nearestName } from '../config/nearest-name.ts';
import { adminOrigin, askAdmin } from './admin-client.ts';
import { readOptions, UsageError } from './options.ts';
import { renderTable } from './table.ts';

/** What somebody wants to know of targets, or orders of one. */
export interface TargetsCommand {
  readonly name: 'targets';
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body: object | undefined;
  readonly admin: string | undefined;
  readonly json: boolean;
}

/** The first words of these commands. */
export const TARGET_COMMANDS = ['upstreams', 'eject', 'restore', 'weight', 'breaker'] as const;

const ALWAYS = {
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const ORDER = { ...ALWAYS, for: { type: 'string' }, reason: { type: 'string' } } as const;
const OPTIONS = {
  upstreams: ALWAYS,
  eject: { ...ORDER, force: { type: 'boolean' } },
  restore: ALWAYS,
  weight: { ...ORDER, reset: { type: 'boolean' } },
  breaker: { ...ORDER, force: { type: 'boolean' } },
} as const;
const USAGE = {
  upstreams: 'no more words',
  eject: 'an upstream and a target, such as users 10.0.0.1:4101',
  restore: 'an upstream and a target, such as users 10.0.0.1:4101',
  weight: 'an upstream, a target and a number from 1 to 1000, or --reset',
  breaker: 'open or close, an upstream and a target',
} as const;

type Word = (typeof TARGET_COMMANDS)[number];

/** Reads the arguments of one of {@link TARGET_COMMANDS}. @returns undefined when somebody asks for help. */
export function targetsCommand(args: readonly string[]): TargetsCommand | undefined {
  const word = args[0] as Word;
  const end = args.findIndex((argument, index) => index > 0 && argument.startsWith('-'));
  const words = args.slice(1, end < 0 ? undefined : end);
  const values = readOptions(end < 0 ? [] : args.slice(end), OPTIONS[word]);
  if (values.flag('help')) return undefined;
  const [duration, reason] = [values.text('for'), values.text('reason')];
  const more = { ...(duration !== undefined && { for: duration }), ...(reason !== undefined && { reason }) };
  const isReset = values.flag('reset');
  const admin = adminOrigin(word, values.text('admin'));
  const command = { name: 'targets', admin, json: values.flag('json') } as const;
  const wanted = { upstreams: 0, eject: 2, restore: 2, weight: isReset ? 2 : 3, breaker: 3 }[word];
  if (words.length !== wanted) throw new UsageError(`${word}: expected ${USAGE[word]}`);
  const [upstream = '', given = '', last] = word === 'breaker' ? [...words.slice(1), words[0]] : words;
  // As the file and the doctor have it.
  const target = given.replace(/^(?:https?|grpcs?):\/\/([^/]*)\/?$/, '$1');
  const place = `/upstreams/${encodeURIComponent(upstream)}/targets/${encodeURIComponent(target)}`;
  switch (word) {
    case 'upstreams':
      return { ...command, method: 'GET', path: '/upstreams', body: undefined };
    case 'eject': {
      const body = { ...more, force: values.flag('force') };
      return { ...command, method: 'PUT', path: `${place}/ejection`, body };
    }
    case 'restore':
      return { ...command, method: 'DELETE', path: `${place}/ejection`, body: undefined };
    case 'weight': {
      if (isReset) return { ...command, method: 'DELETE', path: `${place}/weight`, body: undefined };
      const body = { ...more, weight: numberOf(last) };
      return { ...command, method: 'PUT', path: `${place}/weight`, body };
    }
    case 'breaker': {
      const open = { ...more, ...(values.flag('force') && { force: true }) };
      const body = { ...(last === 'open' ? open : {}), state: stateOf(last) };
      return { ...command, method: 'PUT', path: `${place}/breaker`, body };
    }
  }
}

function numberOf(text = ''): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`weight: expected ${USAGE.weight}, got "${text}"`);
  return Number(text);
}

function stateOf(word = ''): 'open' | 'closed' {
  if (word === 'open') return 'open';
  if (word === 'close') return 'closed';
  const nearest = nearestName(word, ['open', 'close']);
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  throw new UsageError(`breaker: expected open or close, got "${word}"${hint}`);
}

/** What is shown of a target; the listener of operators says more. */
interface Shown {
  readonly target: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly inFlight: number;
  readonly weight: number;
  readonly breaker?: { readonly state: string };
  readonly ejection?: { readonly until?: string; readonly by: string; readonly reason?: string };
  readonly weightOrder?: { readonly configured: number; readonly by: string };
}

/**
 * Asks a gateway that runs for its targets, or gives an order about one.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runTargets(
  { method, path, body, admin, json }: TargetsCommand,
  environment: Environment,
  out: { write(text: string): unknown },
): Promise<void> {
  const answer = await askAdmin({ admin, environment }, method, path, body);
  if (json) return void out.write(`${JSON.stringify(answer, null, 2)}\n`);
  const rows = Array.isArray(answer)
    ? (answer as { upstream: string; targets: Shown[] }[]).flatMap(({ upstream, targets }) =>
        targets.map((target) => ({ upstream, ...rowOf(target) })),
      )
    : [rowOf(answer as Shown)];
  out.write(rows.length === 0 ? 'there is no target\n' : renderTable(rows));
}

function rowOf({ target, available, reason, inFlight, weight, breaker, ejection, weightOrder }: Shown) {
  return {
    target,
    available: available ? 'yes' : 'no',
    'in flight': inFlight ?? '-',
    weight: weightOrder === undefined ? (weight ?? '-') : `${weight} (file: ${weightOrder.configured})`,
    breaker: breaker?.state ?? '-',
    why: [reason, ejection && orderText(ejection)].filter(Boolean).join(' ') || '-',
  };
}

function orderText({ until, by, reason }: NonNullable<Shown['ejection']>): string {
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${until === undefined ? '' : `until ${until} `}by ${by}${why}`;
}
