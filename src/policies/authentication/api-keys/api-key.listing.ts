import type { Redis } from 'ioredis';
import { ApiKeyFault, inTime, unknownKey } from './api-key.fault.ts';
import { apiKeyRedisKey, readApiKeyHash } from './api-key.hash.ts';
import { clientIndex, KEY_INDEX, USED_INDEX } from './api-key.index.ts';
import type { ApiKeyRecord } from './api-key.store.ts';

/** A stored key, for people. */
export interface ListedApiKey extends ApiKeyRecord {
  /** To a minute; in ms since the epoch. */
  readonly lastUsedAt?: number | undefined;
}

/** A page of what is stored. */
export interface ApiKeyPage {
  readonly keys: readonly ListedApiKey[];
  /** What to go on after; undefined at the end. */
  readonly next: string | undefined;
}

/** Which page. */
export interface ApiKeyQuery {
  readonly clientId?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Looks through the API keys that Redis keeps: a page costs the same, however many there are. */
export class ApiKeyListing {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Finds the hash of a key by its first digits, eight at least. @throws {ApiKeyFault} where there is none, or several. */
  async named(id: string): Promise<string> {
    const range = [`[${id}`, `[${id}g`] as const;
    const [found, other] = await inTime(() => this.#redis.zrangebylex(KEY_INDEX, ...range, 'LIMIT', 0, 2));
    if (other !== undefined)
      throw new ApiKeyFault('conflict', `several keys begin with ${id}; give more digits`);
    // A whole one may be of a record that is not listed, because nobody has used it yet.
    if (found === undefined && id.length < 64) throw unknownKey(id);
    return found ?? id;
  }

  /** What is known of a key. @throws {ApiKeyFault} */
  async show(sha256: string): Promise<ListedApiKey> {
    const [key] = await inTime(() => this.#read([sha256]));
    if (key === undefined) throw unknownKey(sha256);
    return key;
  }

  /** Lists keys in the order of their hashes, those of one client or all. @throws {ApiKeyFault} */
  list({ clientId, after, limit }: ApiKeyQuery): Promise<ApiKeyPage> {
    return inTime(async () => {
      const index = clientId === undefined ? KEY_INDEX : clientIndex(clientId);
      const from = after === undefined ? '-' : `(${after}`;
      const hashes = await this.#redis.zrangebylex(index, from, '+', 'LIMIT', 0, limit);
      const keys = await this.#read(hashes);
      const found = new Set(keys.map(({ sha256 }) => sha256));
      const gone = hashes.filter((hash) => !found.has(hash));
      if (gone.length > 0) await this.#drop(gone, index);
      return { keys, next: hashes.length < limit ? undefined : hashes.at(-1) };
    });
  }

  async #read(hashes: readonly string[]): Promise<ListedApiKey[]> {
    if (hashes.length === 0) return [];
    const [records, uses] = await Promise.all([
      Promise.all(hashes.map((hash) => this.#redis.hgetall(apiKeyRedisKey(hash)).catch(noRecord))),
      Promise.all(hashes.map((hash) => this.#redis.zscore(USED_INDEX, hash).catch(noUse))),
    ]);
    return hashes.flatMap((hash, i) => {
      const read = readApiKeyHash(hash, records[i] ?? {});
      const used = uses[i];
      const lastUsedAt = typeof used === 'string' ? Number(used) : undefined;
      return read === undefined ? [] : [{ ...read.record, lastUsedAt }];
    });
  }

  // Of those whose records are gone: by their time, by a hand, or because Redis has lost them.
  async #drop(gone: readonly string[], index: string): Promise<void> {
    await Promise.all([KEY_INDEX, USED_INDEX, index].map((one) => this.#redis.zrem(one, ...gone)));
  }
}

// What is no record is none, and what was not answered is no sign of that.
function noRecord(error: Error): Record<string, string> {
  if (error.message.startsWith('WRONGTYPE')) return {};
  throw error;
}

function noUse(): null {
  return null;
}
