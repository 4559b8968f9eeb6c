import type { Redis } from 'ioredis';
import { apiKeyRedisKey } from './api-key.ts';
import type { ApiKeyRecord, ApiKeyStore } from './api-key.store.ts';

/** A key is looked up once per few seconds, so it may wait longer than a limit may. */
const BUDGET_MS = 250;

/**
 * Keeps API keys in Redis: a hash `apikey:<sha256>` with `clientId`, `status` (`active` or `disabled`), and
 * optionally `tier`, `roles` and `permissions`; lists are JSON arrays or names with commas between them.
 * A record without a client, or with another status, is as good as disabled.
 */
export class RedisApiKeyStore implements ApiKeyStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async find(sha256: string): Promise<ApiKeyRecord | undefined> {
    const fields = await this.#read(apiKeyRedisKey(sha256));
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

  #read(key: string): Promise<Record<string, string | undefined>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Redis did not answer in time')), BUDGET_MS);
      this.#redis.hgetall(key).then(resolve, reject).finally(() => clearTimeout(timer)); // prettier-ignore
    });
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
