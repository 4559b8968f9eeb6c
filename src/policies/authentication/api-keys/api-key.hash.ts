import { addressBlockText } from '../../../config/address-block.ts';
import { durationText } from '../../../config/units.ts';
import { clientLimitSchema } from '../../rate-limit/client-limit.schema.ts';
import type { ApiKeyRecord } from './api-key.store.ts';

/** What a record looks like in Redis. */
export type ApiKeyHash = Readonly<Record<string, string | undefined>>;

/** A record that was read, and what of it could not be. */
export interface ReadApiKey {
  readonly record: ApiKeyRecord;
  /** The field that keeps the key from being used. */
  readonly broken: string | undefined;
}

const STATES: ReadonlySet<string | undefined> = new Set(['active', 'revoked']);

/** Returns the Redis key of a stored API key. */
export function apiKeyRedisKey(sha256: string): string {
  return `apikey:${sha256}`;
}

/**
 * Reads a record, that of a person's hand too: lists are JSON arrays or names with commas between them, times are RFC 3339 or
 * ms since the epoch. Fails closed: what would bound the key and cannot be read disables it.
 *
 * @returns undefined for a record that names no client.
 */
export function readApiKeyHash(sha256: string, fields: ApiKeyHash): ReadApiKey | undefined {
  const { clientId, status } = fields;
  if (clientId === undefined || clientId === '') return undefined;
  const expiresAt = readTime(fields['expiresAt']);
  const addresses = readAddresses(fields['addresses']);
  const rateLimit = readLimit(fields['rateLimit']);
  const broken = Object.entries({ expiresAt, addresses, rateLimit }).find(([, value]) => value === BROKEN);
  const state = STATES.has(status) ? (status as 'active' | 'revoked') : 'disabled';
  const record: ApiKeyRecord = {
    sha256,
    clientId,
    status: broken !== undefined && state === 'active' ? 'disabled' : state,
    tier: textOf(fields['tier']),
    tenant: textOf(fields['tenant']),
    roles: readList(fields['roles']),
    permissions: readList(fields['permissions']),
    scopes: readList(fields['scopes']),
    expiresAt: sound(expiresAt),
    addresses: sound(addresses),
    rateLimit: sound(rateLimit),
    prefix: textOf(fields['prefix']),
    createdAt: sound(readTime(fields['createdAt'])),
    revokedAt: sound(readTime(fields['revokedAt'])),
    reason: textOf(fields['reason']),
    rotatedFrom: textOf(fields['rotatedFrom']),
    rotatedTo: textOf(fields['rotatedTo']),
  };
  return { record, broken: broken?.[0] };
}

/** Writes the members of a record that are there; lists and limits as JSON, times in ms. */
export function apiKeyHashOf(record: Partial<ApiKeyRecord>): Record<string, string> {
  const fields: Record<string, string> = {};
  const { sha256: _, rateLimit, ...members } = record;
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    fields[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  if (rateLimit !== undefined) fields['rateLimit'] = JSON.stringify(limitText(rateLimit));
  return fields;
}

/** A limit as a file would say it. */
export function limitText({ rate, per, burst }: NonNullable<ApiKeyRecord['rateLimit']>): object {
  return { rate, per: durationText(per), burst };
}

const BROKEN: unique symbol = Symbol('BROKEN');
type Read<Value> = Value | undefined | typeof BROKEN;

function sound<Value>(read: Read<Value>): Value | undefined {
  return read === BROKEN ? undefined : read;
}

function textOf(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function readTime(text: string | undefined): Read<number> {
  if (text === undefined || text === '') return undefined;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(ms) ? BROKEN : ms;
}

function readAddresses(text: string | undefined): Read<readonly string[]> {
  if (text === undefined || text === '') return undefined;
  const list = readList(text);
  const isSound = list.length > 0 && list.every((one) => addressBlockText.safeParse(one).success);
  return isSound ? list : BROKEN;
}

function readLimit(text: string | undefined): Read<NonNullable<ApiKeyRecord['rateLimit']>> {
  if (text === undefined || text === '') return undefined;
  try {
    return clientLimitSchema.parse(JSON.parse(text));
  } catch {
    return BROKEN;
  }
}

/** Reads a JSON array or a list with commas; broken JSON grants nothing. */
function readList(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (!text.trimStart().startsWith('[')) {
    return text.split(',').map((name) => name.trim()).filter((name) => name !== ''); // prettier-ignore
  }
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter((name) => typeof name === 'string' && name !== '') : [];
  } catch {
    return [];
  }
}
