import { nearestName } from '../config/nearest-name.ts';
import { adminOrigin, askAdmin, type AdminPlace } from './admin-client.ts';
import { limitOption } from './key-options.ts';
import type { Outlet } from './commands.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';
import { renderTable } from './table.ts';

const ACTIONS = ['list', 'subjects', 'set', 'reset', 'assign', 'override', 'clear'] as const;

type Action = (typeof ACTIONS)[number];

/** What somebody wants to know of tiers, or wants changed. */
export interface TiersCommand {
  readonly name: 'tiers';
  readonly action: Action;
  /** What the operators' listener is asked for. */
  readonly path: string;
  /** What it is told; undefined for a question. */
  readonly body: object | undefined;
  readonly admin: string | undefined;
  readonly json: boolean;
}

const ALWAYS = {
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const WHY = { reason: { type: 'string' } } as const;
const NUMBERS = { rate: { type: 'string' }, off: { type: 'boolean' } } as const;
const OPTIONS = {
  list: ALWAYS,
  subjects: { ...ALWAYS, subject: { type: 'string' }, tier: { type: 'string' }, limit: { type: 'string' } },
  set: { ...ALWAYS, ...WHY, ...NUMBERS, create: { type: 'boolean' } },
  reset: { ...ALWAYS, ...WHY },
  assign: { ...ALWAYS, ...WHY },
  override: { ...ALWAYS, ...WHY, ...NUMBERS },
  clear: { ...ALWAYS, ...WHY },
} as const;
/** What each names, in order. */
const NAMED: Readonly<Record<Action, readonly string[]>> = {
  list: [],
  subjects: [],
  set: ['TIER'],
  reset: ['TIER'],
  assign: ['SUBJECT', 'TIER'],
  override: ['SUBJECT'],
  clear: ['SUBJECT'],
};

/** Reads the arguments behind `gatehouse tiers`. @returns undefined when somebody asks for help. */
export function tiersCommand(args: readonly string[]): TiersCommand | undefined {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const [given = 'list', ...words] = end < 0 ? args : args.slice(0, end);
  const action = ACTIONS.find((one) => one === given);
  const values = readOptions(end < 0 ? [] : args.slice(end), OPTIONS[action ?? 'list']);
  if (values.flag('help')) return undefined;
  if (action === undefined) {
    const nearest = nearestName(given, ACTIONS);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new UsageError(`tiers: expected one of ${ACTIONS.join(', ')}${hint}`);
  }
  const named = NAMED[action];
  if (words.length !== named.length)
    throw new UsageError(`tiers ${action}: expected ${named.length === 0 ? 'no name' : named.join(' and ')}`);
  const admin = adminOrigin('tiers', values.text('admin'));
  return { name: 'tiers', action, ...askedOf(action, words, values), admin, json: values.flag('json') };
}

function askedOf(
  action: Action,
  [first = '', second = '']: readonly string[],
  values: OptionValues,
): Pick<TiersCommand, 'path' | 'body'> {
  const why = values.text('reason') === undefined ? {} : { reason: values.text('reason') };
  switch (action) {
    case 'list':
      return { path: '/tiers', body: undefined };
    case 'subjects':
      return { path: `/tiers/subjects${queryOf(values)}`, body: undefined };
    case 'set': {
      const create = values.flag('create') ? { create: true } : {};
      return {
        path: '/tiers/limits',
        body: { tier: first, limit: limitOf(action, values), ...create, ...why },
      };
    }
    case 'reset':
      return { path: '/tiers/limits', body: { tier: first, limit: null, ...why } };
    case 'assign':
      return { path: '/tiers/subjects', body: { subject: first, tier: second, ...why } };
    case 'override':
      return { path: '/tiers/subjects', body: { subject: first, limit: limitOf(action, values), ...why } };
    case 'clear':
      return { path: '/tiers/subjects', body: { subject: first, tier: null, limit: null, ...why } };
  }
}

function queryOf(values: OptionValues): string {
  const query = new URLSearchParams();
  for (const name of ['subject', 'tier', 'limit']) {
    const text = values.text(name);
    if (text !== undefined) query.set(name, text);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function limitOf(action: Action, values: OptionValues): unknown {
  const rate = values.text('rate');
  if (values.flag('off') === (rate !== undefined))
    throw new UsageError(`tiers ${action}: expected --rate RATE/PERIOD[:BURST], or --off for no limit`);
  return rate === undefined ? 'off' : limitOption(rate);
}

interface Limit {
  readonly rate: number;
  readonly per: string;
  readonly burst: number;
}

interface Answer {
  readonly store?: 'none' | 'redis';
  readonly tiers?: readonly {
    readonly tier: string;
    readonly limit: Limit | 'off';
    readonly from: string;
    readonly file?: Limit | 'off';
    readonly tenants: number;
    readonly subjects: number;
  }[];
  readonly subjects?: readonly {
    readonly subject: string;
    readonly tier?: { readonly name: string; readonly from: string };
    readonly limit?: { readonly limit: Limit | 'off'; readonly from: string };
  }[];
  readonly next?: string;
}

/**
 * Asks a gateway that runs for its tiers, or has it change them at all replicas.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runTiers(
  { action, path, body, admin, json }: TiersCommand,
  environment: AdminPlace['environment'],
  out: Outlet,
): Promise<void> {
  const place = { admin, environment };
  const answer = await askAdmin(place, body === undefined ? 'GET' : 'POST', path, body);
  if (json) return void out.write(`${JSON.stringify(answer, null, 2)}\n`);
  const told = answer as Answer;
  if (action === 'list') return listTiers(told, out);
  if (action === 'subjects') return listSubjects(told, out);
  out.write(`done, at all replicas: ${JSON.stringify(answer)}\n`);
}

function listTiers({ tiers = [], store }: Answer, out: Outlet): void {
  const rows = tiers.map(({ tier, limit, from, file, tenants, subjects }) => ({
    tier,
    limit: limitText(limit),
    from,
    file: file === undefined ? '-' : limitText(file),
    tenants: String(tenants),
    subjects: String(subjects),
  }));
  out.write(rows.length === 0 ? 'no tiers\n' : renderTable(rows, out));
  if (store === 'none')
    out.write('\n# The gateway has no Redis: set REDIS_URL to change tiers while it runs.\n');
}

function listSubjects({ subjects = [], next }: Answer, out: Outlet): void {
  const rows = subjects.map(({ subject, tier, limit }) => ({
    subject,
    tier: tier === undefined ? '-' : `${tier.name} (${tier.from})`,
    limit: limit === undefined ? '-' : `${limitText(limit.limit)} (${limit.from})`,
  }));
  out.write(rows.length === 0 ? 'nobody\n' : renderTable(rows, out));
  if (next !== undefined)
    out.write(`\n# There are more; --limit shows up to 1000, --tier and --subject some of them.\n`);
}

function limitText(limit: Limit | 'off'): string {
  return limit === 'off' ? limit : `${String(limit.rate)}/${limit.per} burst ${String(limit.burst)}`;
}
