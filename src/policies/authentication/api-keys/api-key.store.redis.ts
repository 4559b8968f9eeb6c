import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { apiKeyRedisKey } from './api-key.ts';
import type { ApiKeyRecord, ApiKeyStore } from './api-key.store.ts';

/** A key is looked up once per few seconds, so it may wait longer than a limit may. */
const BUDGET_MS = 250;
/** How many broken records are told apart in the log. */
const MAX_REPORTED = 100;

/**
 * Keeps API keys in Redis: a hash `apikey:<sha256>` with `clientId`, `status` (`active` or `disabled`), and
 * optionally `tier`, `roles` and `permissions`; lists are JSON arrays or names with commas between them.
 * A record without a client, with another status, or that is no hash at all, is as good as disabled.
 */
export class RedisApiKeyStore implements ApiKeyStore {
  readonly #redis: Redis;
  readonly #log = new Logger('RedisApiKeyStore');
  readonly #reported = new Set<string>();

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async find(sha256: string): Promise<ApiKeyRecord | undefined> {
    const fields = await this.#read(apiKeyRedisKey(sha256)).catch((error: unknown) => {
      // Fails closed for this key alone: its record is broken, and the store is not.
      if (!isWrongType(error)) throw error;
      this.#report(apiKeyRedisKey(sha256));
      return NOTHING;
    });
    if (fields['clientId'] === undefined || fields['clientId'] === '') return undefined;
    return {
      sha256,
      clientId: fields['clientId'],
      status: fields['status'] === 'active' ? 'active' : 'disabled',
      tier: fields['tier'] === '' ? undefined : fields['tier'],
      roles: readList(fields['roles']),
      permissions: readList(fields['permissions']),
    };
  }

  #report(key: string): void {
    if (this.#reported.has(key) || this.#reported.size >= MAX_REPORTED) return;
    this.#reported.add(key);
    this.#log.warn(`${key} is no hash, so that its API key is refused; delete it and create the key anew.`);
  }

  #read(key: string): Promise<Record<string, string | undefined>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Redis did not answer in time')), BUDGET_MS);
      this.#redis.hgetall(key).then(resolve, reject).finally(() => clearTimeout(timer)); // prettier-ignore
    });
  }
}

const NOTHING: Readonly<Record<string, string | undefined>> = {};

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
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
