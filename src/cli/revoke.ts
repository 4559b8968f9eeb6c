import type { Environment } from '../config/env.schema.ts';
import { adminOrigin, askAdmin } from './admin-client.ts';
import { readOptions, UsageError } from './options.ts';

/** What somebody wants revoked. */
export interface RevokeCommand {
  readonly name: 'revoke';
  /** As the operators' listener takes it. */
  readonly order: Readonly<Record<string, string | number>>;
  readonly admin: string | undefined;
  readonly json: boolean;
  /** Whether it is taken back. */
  readonly undo: boolean;
}

const NAMES = ['jti', 'sid', 'sub'] as const;
const OPTIONS = {
  jti: { type: 'string' },
  sid: { type: 'string' },
  sub: { type: 'string' },
  issuer: { type: 'string' },
  before: { type: 'string' },
  expires: { type: 'string' },
  reason: { type: 'string' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  undo: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
/** What options are called in an order. */
const MEMBERS = { issuer: 'issuer', before: 'issuedBefore', expires: 'expiresAt', reason: 'reason' } as const;

const TIMES: ReadonlySet<string> = new Set(['before', 'expires']);

/** Reads the arguments behind `gatehouse revoke`. @returns undefined when somebody asks for help. */
export function revokeCommand(args: readonly string[]): RevokeCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const given = NAMES.filter((name) => values.text(name) !== undefined);
  if (given.length !== 1)
    throw new UsageError('revoke: expected one of --jti ID, --sid ID and --sub SUBJECT, and only one');
  const order: Record<string, string | number> = {};
  for (const name of given) order[name] = values.text(name) ?? '';
  for (const [option, member] of Object.entries(MEMBERS)) {
    const value = values.text(option);
    if (value === undefined) continue;
    // As tokens have them: seconds since the epoch.
    const isSeconds = TIMES.has(option) && /^\d{1,12}$/.test(value);
    order[member] = isSeconds ? Number(value) : value;
  }
  const undo = values.flag('undo');
  if (undo && (order['issuedBefore'] !== undefined || order['expiresAt'] !== undefined))
    throw new UsageError('revoke: --undo takes all of it back; leave out --before and --expires');
  const admin = adminOrigin('revoke', values.text('admin'));
  return { name: 'revoke', order, admin, json: values.flag('json'), undo };
}

interface Revoked {
  readonly issuer?: string;
  readonly issuedBefore?: string;
  readonly until: string;
  readonly [name: string]: string | undefined;
}

/**
 * Has a gateway that runs revoke, or take it back, which tells all others.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runRevoke(
  { order, admin, json, undo }: RevokeCommand,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>,
  out: { write(text: string): unknown },
): Promise<void> {
  const place = { admin, environment };
  if (undo) {
    const query = new URLSearchParams(order as Record<string, string>).toString();
    const restored = await askAdmin(place, 'DELETE', `/revocations?${query}`);
    return void out.write(
      json ? `${JSON.stringify(restored, null, 2)}\n` : restoredLine(restored as Restored),
    );
  }
  const answer = await askAdmin(place, 'POST', '/revocations', order);
  if (json) return void out.write(`${JSON.stringify(answer, null, 2)}\n`);
  for (const one of (answer as { readonly revoked: readonly Revoked[] }).revoked)
    out.write(`${lineOf(one)}\n`);
}

interface Restored {
  readonly restored: Readonly<Record<string, string | undefined>>;
}

function restoredLine({ restored }: Restored): string {
  return `${whatOf(restored)} is not revoked any more\n`;
}

function whatOf(one: Readonly<Record<string, string | undefined>>): string {
  const name = NAMES.find((kind) => one[kind] !== undefined) ?? 'jti';
  const of = one['issuer'] === undefined ? '' : ` of ${one['issuer']}`;
  return `${name} ${one[name] ?? ''}${of}`;
}

function lineOf(one: Revoked): string {
  const before = one.issuedBefore === undefined ? '' : `, as far as issued before ${one.issuedBefore}`;
  return `revoked ${whatOf(one)}${before}; kept until ${one.until}`;
}
