import { hash, randomInt } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { ApiKeyRecord } from './api-key.store.ts';

/** A new key: the only moment at which its text is known. */
export interface NewApiKey {
  /** `gh_<prefix>_<random>`: shown once, kept by the client. */
  readonly key: string;
  /** The part that may be shown later, so that people can tell their keys apart. */
  readonly prefix: string;
  /** SHA-256 of the key in hex: what the gateway stores. */
  readonly sha256: string;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX_CHARACTERS = 8;
/** 43 characters of 62 hold 256 bits. */
const SECRET_CHARACTERS = 43;

/**
 * Makes a key with 256 bits of randomness; that much needs no slow hash to resist guessing.
 *
 * @param prefix letters and digits that tell the key apart, for example `live`; random by default.
 */
export function createApiKey(prefix: string = randomText(PREFIX_CHARACTERS)): NewApiKey {
  if (!/^[0-9A-Za-z]{1,32}$/.test(prefix)) throw new Error('prefix: expected 1 to 32 letters and digits');
  const key = `gh_${prefix}_${randomText(SECRET_CHARACTERS)}`;
  return { key, prefix, sha256: hashApiKey(key) };
}

/** Returns the name under which a key is stored: its SHA-256 in hex. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Returns the Redis key of a stored API key. */
export function apiKeyRedisKey(sha256: string): string {
  return `apikey:${sha256}`;
}

/** Writes a key as a Redis hash, replacing an older one; lists are written as JSON. */
export async function saveApiKey(redis: Redis, record: ApiKeyRecord): Promise<void> {
  const name = apiKeyRedisKey(record.sha256);
  const fields = {
    clientId: record.clientId,
    status: record.status,
    roles: JSON.stringify(record.roles),
    permissions: JSON.stringify(record.permissions),
    ...(record.tier === undefined ? {} : { tier: record.tier }),
  };
  const results = await redis.multi().del(name).hset(name, fields).exec();
  for (const [error] of results ?? []) if (error !== null) throw error;
}

function randomText(characters: number): string {
  return Array.from({ length: characters }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
