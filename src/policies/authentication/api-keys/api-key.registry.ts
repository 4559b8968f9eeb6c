import type { Redis } from 'ioredis';
import type { PubSub } from '../../../store/pub-sub.ts';
import { createApiKey, type NewApiKey } from './api-key.ts';
import { ApiKeyFault, inTime, unknownKey } from './api-key.fault.ts';
import { apiKeyHashOf, apiKeyRedisKey } from './api-key.hash.ts';
import { addEnding, saveApiKey, tidyIndex } from './api-key.index.ts';
import { ApiKeyListing, type ListedApiKey } from './api-key.listing.ts';
import { CHANGE_SCRIPT, REVOKE_SCRIPT, ROTATE_SCRIPT } from './api-key.scripts.ts';
import type { ApiKeyGrants, ApiKeyRecord } from './api-key.store.ts';
import { KEY_CHANGES } from './api-key.watch.ts';

/** What a new key says of its holder. */
export interface ApiKeyOrder extends ApiKeyGrants {
  readonly clientId: string;
  readonly prefix?: string | undefined;
}

/** What a change says: the members to set; null for those to take away. */
export type ApiKeyChange = {
  readonly [Member in keyof ApiKeyGrants]?: ApiKeyGrants[Member] | null | undefined;
} & { readonly status?: 'active' | 'disabled' | undefined };

/** How a key is replaced. */
export interface Rotation {
  /** How long the old key goes on. */
  readonly overlapMs: number;
  /** When the new one ends. Default: it lives as long as the old one was made for. */
  readonly expiresAt?: number | undefined;
}

/**
 * The API keys that Redis keeps, for operators: issued, changed, rotated and revoked. Every change is told to all replicas, which
 * forget what they know of the key. Records of keys that have ended stay for `keepMs`.
 */
export class ApiKeyRegistry {
  readonly listing: ApiKeyListing;
  readonly #redis: Redis;
  readonly #pubSub: PubSub;
  readonly #now: () => number;

  /** @param now in ms since the epoch. */
  constructor(redis: Redis, pubSub: PubSub, now: () => number = Date.now) {
    this.listing = new ApiKeyListing(redis);
    this.#redis = redis;
    this.#pubSub = pubSub;
    this.#now = now;
  }

  /** Issues a key. @throws {ApiKeyFault} */
  async create({ prefix, ...grants }: ApiKeyOrder, keepMs: number): Promise<NewApiKey & ApiKeyRecord> {
    const created = createApiKey(prefix);
    const { sha256 } = created;
    const now = this.#now();
    const record = { ...grants, sha256, status: 'active', prefix: created.prefix, createdAt: now } as const;
    await inTime(async () => {
      await saveApiKey(this.#redis, record, keepMs);
      await tidyIndex(this.#redis, now);
    });
    return { ...record, ...created };
  }

  /** Revokes a key; once more changes nothing. @throws {ApiKeyFault} */
  async revoke(sha256: string, reason: string | undefined, keepMs: number): Promise<ListedApiKey> {
    const key = await this.listing.show(sha256);
    const until = this.#now() + keepMs;
    const done = await this.#run(REVOKE_SCRIPT, sha256, [this.#now(), until, reason ?? '']);
    if (done < 0) throw unknownKey(sha256);
    if (done > 0) await this.#ends(key, until);
    return this.#told(sha256);
  }

  /** Issues a key in place of another one, for the same holder. @throws {ApiKeyFault} */
  async rotate(
    sha256: string,
    { overlapMs, expiresAt }: Rotation,
    keepMs: number,
  ): Promise<NewApiKey & ApiKeyRecord & { readonly replaced: ListedApiKey }> {
    const now = this.#now();
    const { lastUsedAt: _, ...old } = await this.listing.show(sha256);
    refuseEnded(old, now);
    const created = createApiKey();
    const record: ApiKeyRecord = {
      ...old,
      sha256: created.sha256,
      prefix: created.prefix,
      createdAt: now,
      expiresAt: expiresAt ?? laterBy(old, now),
      rotatedFrom: sha256,
      rotatedTo: undefined,
    };
    // It is there before the old one knows of it, and goes if that one has another one by then.
    await inTime(() => saveApiKey(this.#redis, record, keepMs));
    const oldEnds = Math.min(old.expiresAt ?? Infinity, now + overlapMs);
    const done = await this.#run(ROTATE_SCRIPT, sha256, [oldEnds, oldEnds + keepMs, created.sha256]);
    if (done <= 0) {
      await inTime(() => this.#redis.del(apiKeyRedisKey(created.sha256)));
      refuseEnded(await this.listing.show(sha256), now);
      throw new ApiKeyFault('conflict', 'the key has changed meanwhile; look at it again');
    }
    await this.#ends(old, oldEnds + keepMs);
    return { ...record, ...created, replaced: await this.#told(sha256) };
  }

  /** Changes what a key says of its holder. @throws {ApiKeyFault} */
  async change(sha256: string, change: ApiKeyChange, keepMs: number): Promise<ListedApiKey> {
    const key = await this.listing.show(sha256);
    const taken = Object.entries(change).flatMap(([name, value]) => (value === null ? [name, ''] : []));
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null));
    const { expiresAt } = change;
    const until = expiresAt === undefined ? '' : expiresAt === null ? 0 : expiresAt + keepMs;
    const fields = Object.entries(apiKeyHashOf(given as Partial<ApiKeyRecord>)).flat();
    const done = await this.#run(CHANGE_SCRIPT, sha256, [until, ...fields, ...taken]);
    if (done === -1) throw unknownKey(sha256);
    if (done < 0)
      throw new ApiKeyFault('conflict', 'the key was revoked, which is for ever; create another one');
    if (typeof until === 'number' && until > 0) await this.#ends(key, until);
    return this.#told(sha256);
  }

  // Who does not hear it looks again within seconds, so that it does not fail where it is done.
  async #told(sha256: string): Promise<ListedApiKey> {
    await inTime(() => this.#pubSub.publish(KEY_CHANGES, sha256)).catch(() => undefined);
    return this.listing.show(sha256);
  }

  #ends(key: ApiKeyRecord, atMs: number): Promise<void> {
    return inTime(async () => void (await addEnding(this.#redis, key, atMs)));
  }

  #run(script: string, sha256: string, values: readonly (string | number)[]): Promise<number> {
    const key = apiKeyRedisKey(sha256);
    return inTime(async () => Number(await this.#redis.eval(script, 1, key, ...values)));
  }
}

/** @throws {ApiKeyFault} for a key that nothing can come in place of. */
function refuseEnded({ status, expiresAt = Infinity, rotatedTo }: ApiKeyRecord, now: number): void {
  const another = 'create another one';
  if (status !== 'active') throw new ApiKeyFault('conflict', `the key is ${status}; ${another}`);
  if (rotatedTo !== undefined)
    throw new ApiKeyFault(
      'conflict',
      `the key was rotated to ${rotatedTo.slice(0, 16)} before; rotate that one`,
    );
  if (expiresAt <= now) throw new ApiKeyFault('conflict', `the key has expired; ${another}`);
}

// A key that was made for a month is rotated to one for a month.
function laterBy({ expiresAt, createdAt }: ApiKeyRecord, now: number): number | undefined {
  if (expiresAt === undefined || createdAt === undefined) return expiresAt;
  return now + Math.max(1000, expiresAt - createdAt);
}
