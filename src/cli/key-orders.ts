import type { Environment } from '../config/env.schema.ts';
import { hashApiKey } from '../policies/authentication/api-keys/api-key.ts';
import { askAdmin, type AdminPlace } from './admin-client.ts';
import type { KeysOrder } from './key-options.ts';
import { keyLine } from './keys.ts';
import type { Outlet } from './commands.ts';
import { renderTable } from './table.ts';

const MOST_PER_PAGE = 1000;
const ID = /^[0-9a-fA-F]{8,64}$/;

interface Key {
  readonly id: string;
  readonly clientId: string;
  readonly status: string;
  readonly [member: string]: unknown;
}

interface Page {
  readonly store: 'none' | 'redis';
  readonly configured: readonly Key[];
  readonly keys: readonly Key[];
  readonly next?: string;
}

/**
 * Has a gateway that runs list, show, change, rotate or revoke API keys, which tells all others.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runKeys(
  order: KeysOrder,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>,
  out: Outlet,
): Promise<void> {
  const place: AdminPlace = { admin: order.admin, environment };
  if (order.action === 'list') return listKeys(order, place, out);
  for (const key of order.keys) {
    const answer = (await ask(order, place, key)) as Key;
    out.write(order.json ? `${JSON.stringify(answer, null, 2)}\n` : textOf(order.action, answer));
  }
}

function ask({ action, body }: KeysOrder, place: AdminPlace, key: string): Promise<unknown> {
  // A key that was found somewhere is told by its hash, so that it gets into no address and no log.
  const path = `/keys/${ID.test(key) ? key : hashApiKey(key)}`;
  if (action === 'show') return askAdmin(place, 'GET', path);
  if (action === 'update') return askAdmin(place, 'PATCH', path, body);
  return askAdmin(place, 'POST', `${path}/${action}`, body);
}

function textOf(action: KeysOrder['action'], key: Key): string {
  const { id, clientId } = key;
  if (action === 'revoke') return `revoked key ${id} of ${clientId}, at all replicas\n`;
  if (action === 'rotate') {
    const old = key['replaced'] as Key;
    return `${keyLine(key as unknown as { readonly key: string })}\n# Its id is ${id}. Key ${old.id} of ${clientId} goes on until ${String(old['expiresAt'])}.\n`;
  }
  return Object.entries(key)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}\n`)
    .join('');
}

async function listKeys({ client, limit, json }: KeysOrder, place: AdminPlace, out: Outlet): Promise<void> {
  const found: Key[] = [];
  let next: string | undefined;
  let store: Page['store'] = 'redis';
  do {
    const query = new URLSearchParams({ limit: String(Math.min(MOST_PER_PAGE, limit)) });
    if (client !== undefined) query.set('client', client);
    if (next !== undefined) query.set('after', next);
    const page = (await askAdmin(place, 'GET', `/keys?${query}`)) as Page;
    found.push(...page.configured.map((key) => ({ ...key, kept: 'file' })));
    found.push(...page.keys.map((key) => ({ ...key, kept: 'redis' })));
    ({ next, store } = page);
  } while (next !== undefined && found.length < limit);
  const keys = found.slice(0, limit);
  if (json) return void out.write(`${JSON.stringify(keys, null, 2)}\n`);
  out.write(keys.length === 0 ? 'no keys\n' : renderTable(keys.map(rowOf), out));
  if (next !== undefined || found.length > limit)
    out.write(`\n# There are more; --limit shows more than ${limit}.\n`);
  if (store === 'none')
    out.write(
      '\n# The gateway has no Redis: set REDIS_URL to issue, rotate and revoke keys while it runs.\n',
    );
}

function rowOf(key: Key): Readonly<Record<string, string>> {
  const text = (name: string): string => (key[name] === undefined ? '-' : String(key[name]));
  return {
    id: key.id,
    client: key.clientId,
    status: key.status,
    tier: text('tier'),
    tenant: text('tenant'),
    expires: text('expiresAt'),
    used: text('lastUsedAt'),
    prefix: text('prefix'),
    kept: text('kept'),
  };
}
