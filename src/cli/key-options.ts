import { nearestName } from '../config/nearest-name.ts';
import { adminOrigin } from './admin-client.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';

/** What can be done with API keys. */
export const KEY_ACTIONS = ['create', 'list', 'show', 'update', 'rotate', 'revoke'] as const;

/** What somebody says of the holder of a key, as the operators' listener takes it. */
export type KeyGrants = Readonly<Record<string, unknown>>;

/** Whom an API key is for and what its holder may do. */
export interface KeyOptions {
  readonly clientId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly tier: string | undefined;
  /** What else is said, as the operators' listener takes it. */
  readonly more?: KeyGrants | undefined;
}

/** What somebody wants of API keys. */
export type KeysCommand = KeysCreate | KeysOrder;

/** A key to be made. */
export interface KeysCreate extends KeyOptions {
  readonly name: 'keys create';
  /** The gateway that makes it. Default: this process does, in Redis, or for the configuration file. */
  readonly admin?: string | undefined;
  readonly json?: boolean | undefined;
}

/** What is for a gateway that runs. */
export interface KeysOrder {
  readonly name: 'keys';
  readonly action: Exclude<(typeof KEY_ACTIONS)[number], 'create'>;
  /** Ids of keys, or keys themselves, which stay here. */
  readonly keys: readonly string[];
  readonly body: KeyGrants;
  readonly client: string | undefined;
  readonly limit: number;
  readonly admin: string | undefined;
  readonly json: boolean;
}

const ALWAYS = {
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const LISTS = { role: 'roles', permission: 'permissions', scope: 'scopes', address: 'addresses' } as const;
const TEXTS = { tier: 'tier', tenant: 'tenant' } as const;
const GRANTS = {
  role: { type: 'string', multiple: true },
  permission: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  address: { type: 'string', multiple: true },
  tier: { type: 'string' },
  tenant: { type: 'string' },
  expires: { type: 'string' },
  rate: { type: 'string' },
} as const;
const OPTIONS = {
  create: { ...ALWAYS, ...GRANTS, client: { type: 'string' }, prefix: { type: 'string' } },
  list: { ...ALWAYS, client: { type: 'string' }, limit: { type: 'string' } },
  show: ALWAYS,
  update: { ...ALWAYS, ...GRANTS, enable: { type: 'boolean' }, disable: { type: 'boolean' } },
  rotate: { ...ALWAYS, overlap: { type: 'string' }, expires: { type: 'string' } },
  revoke: { ...ALWAYS, reason: { type: 'string' } },
} as const;

/** What an update takes away by an empty text. */
const TAKEN_AWAY: ReadonlySet<string> = new Set(Object.keys(GRANTS));

const MOST_LISTED = 1_000_000;
const NAME = /^[!-+\--~]+$/;

/**
 * Reads the arguments behind `gatehouse keys`.
 *
 * @returns undefined when somebody asks for help, or for nothing that there is.
 */
export function keysCommand(args: readonly string[]): KeysCommand | 'help' | undefined {
  const action = KEY_ACTIONS.find((one) => one === args[0]);
  if (action === undefined) return undefined;
  const end = args.findIndex((argument, i) => i > 0 && argument.startsWith('-'));
  const words = action === 'create' || action === 'list' ? [] : args.slice(1, end < 0 ? undefined : end);
  const mayBeEmpty = action === 'update' ? TAKEN_AWAY : undefined;
  const values = readOptions(args.slice(1 + words.length), OPTIONS[action], mayBeEmpty);
  if (values.flag('help')) return 'help';
  const admin = adminOrigin(`keys ${action}`, values.text('admin'));
  const json = values.flag('json');
  if (action === 'create')
    return { name: 'keys create', ...keyOptions(values), admin, json: json || undefined };
  if (action !== 'list' && words.length === 0)
    throw new UsageError(`keys ${action}: expected the id of a key, as \`gatehouse keys list\` shows it`);
  if (action !== 'revoke' && words.length > 1) throw new UsageError(`keys ${action}: expected one key`);
  const limit = limitOf(values);
  const body = bodyOf(action, values);
  return { name: 'keys', action, keys: words, body, client: values.text('client'), limit, admin, json };
}

/** What is said to somebody who has named nothing that there is. */
export function nearestKeyAction(given: string | undefined): string {
  const nearest = given === undefined ? undefined : nearestName(given, KEY_ACTIONS);
  return nearest === undefined
    ? `expected one of ${KEY_ACTIONS.join(', ')}`
    : `did you mean "keys ${nearest}"?`;
}

function keyOptions(values: OptionValues): KeyOptions {
  const clientId = values.text('client');
  if (clientId === undefined) throw new UsageError('keys create: expected --client ID');
  const { roles = [], permissions = [], tier, ...more } = grantsOf(values);
  const prefix = values.text('prefix');
  checkNames([clientId]);
  const all = { ...more, ...(prefix === undefined ? {} : { prefix }) };
  return {
    clientId,
    roles: roles as string[],
    permissions: permissions as string[],
    tier: tier as string | undefined,
    ...(Object.keys(all).length === 0 ? {} : { more: all }),
  };
}

function bodyOf(action: KeysOrder['action'], values: OptionValues): KeyGrants {
  const text = (name: string): KeyGrants => {
    const value = values.text(name);
    return value === undefined ? {} : { [name]: value };
  };
  if (action === 'rotate') return { ...text('overlap'), ...expiryOf(values) };
  if (action === 'revoke') return text('reason');
  if (action !== 'update') return {};
  if (values.flag('enable') && values.flag('disable'))
    throw new UsageError('keys update: expected --enable or --disable, not both');
  const status = values.flag('enable') ? 'active' : values.flag('disable') ? 'disabled' : undefined;
  const body = { ...grantsOf(values, true), ...(status === undefined ? {} : { status }) };
  if (Object.keys(body).length === 0) throw new UsageError('keys update: expected something to change');
  // Who gives nothing takes it away.
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value === '' ? null : value]));
}

/** @param mayTake whether an empty text stands for a list that is taken away. */
function grantsOf(values: OptionValues, mayTake = false): Record<string, unknown> {
  const grants: Record<string, unknown> = {};
  for (const [option, member] of Object.entries(LISTS)) {
    const list = values.list(option);
    if (list.length > 0) grants[member] = mayTake && list.length === 1 && list[0] === '' ? '' : list;
  }
  for (const [option, member] of Object.entries(TEXTS)) {
    const text = values.text(option);
    if (text !== undefined) grants[member] = text;
  }
  const lists = [grants['roles'], grants['permissions'], grants['scopes']];
  checkNames(lists.filter((one) => one !== '').flat());
  checkNames([grants['tier'], grants['tenant']].filter((one) => one !== ''));
  return { ...grants, ...expiryOf(values), ...rateOf(values) };
}

// They travel in header fields, in lists with commas between them.
function checkNames(names: readonly unknown[]): void {
  const odd = names.find((name) => typeof name === 'string' && !NAME.test(name));
  if (odd === undefined) return;
  throw new UsageError(
    `${JSON.stringify(odd)}: expected a name of printable ASCII without spaces and commas; give several with one option each`,
  );
}

function expiryOf(values: OptionValues): KeyGrants {
  const expires = values.text('expires');
  if (expires === undefined) return {};
  return /^\d+(?:\.\d+)?[a-z]+$/.test(expires) ? { expiresIn: expires } : { expiresAt: expires };
}

function rateOf(values: OptionValues): KeyGrants {
  const text = values.text('rate');
  if (text === undefined) return {};
  return { rateLimit: text === '' ? '' : limitOption(text) };
}

/** Reads `RATE/PERIOD[:BURST]`. @throws UsageError for anything else, also without a period: nobody knows which is meant. */
export function limitOption(text: string): { rate: number; per: string; burst?: number } {
  const [, rate, per, burst] = /^(\d+)\/([0-9a-z.]+)(?::(\d+))?$/.exec(text) ?? [];
  if (rate === undefined || per === undefined)
    throw new UsageError(`--rate ${text}: expected RATE/PERIOD[:BURST], such as 600/1m:60`);
  return { rate: Number(rate), per, ...(burst === undefined ? {} : { burst: Number(burst) }) };
}

function limitOf(values: OptionValues): number {
  const text = values.text('limit') ?? '1000';
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MOST_LISTED) return limit;
  throw new UsageError(`keys list: expected --limit to be a number from 1 to ${MOST_LISTED}`);
}
