import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { lineOf } from '../../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../../store/store-guard.ts';
import { apiKeyRedisKey, readApiKeyHash, type ApiKeyHash } from './api-key.hash.ts';
import type { ApiKeyRecord, ApiKeyStore } from './api-key.store.ts';

/** A key is looked up once per few seconds, so it may wait longer than a limit may. */
const BUDGET_MS = 250;
/** How many broken records are told apart in the log. */
const MAX_REPORTED = 100;

/**
 * Keeps API keys in Redis: a hash `apikey:<sha256>` with `clientId`, `status` (`active`, `disabled` or `revoked`), and
 * optionally what else a key says of its holder. A record without a client, with another status, or that is no hash at all, is
 * as good as disabled.
 */
export class RedisApiKeyStore implements ApiKeyStore {
  readonly #redis: Redis;
  readonly #guard: StoreGuard;
  readonly #log = new Logger('RedisApiKeyStore');
  readonly #reported = new Set<string>();

  constructor(redis: Redis, guard = new StoreGuard({ probe: () => redis.ping(), line: lineOf(redis) })) {
    this.#redis = redis;
    this.#guard = guard.forUse('keys', { budgetMs: BUDGET_MS });
  }

  async find(sha256: string): Promise<ApiKeyRecord | undefined> {
    const name = apiKeyRedisKey(sha256);
    const fields = await this.#read(name);
    const read = readApiKeyHash(sha256, fields);
    if (read?.broken !== undefined) this.#report(name, `says in ${read.broken} what cannot be read`);
    return read?.record;
  }

  #report(key: string, what: string): void {
    if (this.#reported.has(key) || this.#reported.size >= MAX_REPORTED) return;
    this.#reported.add(key);
    this.#log.warn(`${key} ${what}, so that its API key is refused; delete it and create the key anew.`);
  }

  async #read(key: string): Promise<ApiKeyHash> {
    const ask = (): Promise<ApiKeyHash> =>
      this.#redis.hgetall(key).catch((error: unknown) => {
        // Fails closed for this key alone: its record is broken, and the store is not.
        if (!isWrongType(error)) throw error;
        this.#report(key, 'is no hash');
        return NOTHING;
      });
    const answer = await this.#guard.run(ask);
    if (answer === STORE_UNAVAILABLE) throw new Error('Redis did not answer in time');
    return answer;
  }
}

const NOTHING: ApiKeyHash = {};

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}
