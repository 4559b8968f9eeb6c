import type { Redis } from 'ioredis';
import { apiKeyHashOf, apiKeyRedisKey } from './api-key.hash.ts';
import type { ApiKeyRecord } from './api-key.store.ts';

/** All keys, by their hash: a sorted set whose members have one score, so that it is read on from any of them. */
export const KEY_INDEX = 'apikeys';
/** When keys were last used, in ms since the epoch. */
export const USED_INDEX = 'apikeys:used';
/** When the records of keys that have ended go, with the client behind the hash. */
const ENDING_INDEX = 'apikeys:ending';

const TIDY_PER_TURN = 100;
const HASH_LENGTH = 64;

/** The keys of a client, like {@link KEY_INDEX}. */
export function clientIndex(clientId: string): string {
  return `apikeys:client:${clientId}`;
}

type Indexed = Pick<ApiKeyRecord, 'sha256' | 'clientId'>;

/** Stores a key and lists it, replacing an older record. @param keepMs how long that stays when the key has expired. */
export async function saveApiKey(redis: Redis, record: ApiKeyRecord, keepMs: number): Promise<void> {
  const name = apiKeyRedisKey(record.sha256);
  const all = redis.multi().del(name).hset(name, apiKeyHashOf(record));
  const endsAt = record.expiresAt === undefined ? undefined : record.expiresAt + keepMs;
  const stored = await (endsAt === undefined ? all : all.pexpireat(name, endsAt)).exec();
  for (const [error] of stored ?? []) if (error !== null) throw error;
  await Promise.all([
    ...addToIndex(redis, record),
    ...(endsAt === undefined ? [] : [addEnding(redis, record, endsAt)]),
  ]);
}

/** Adds a key to what is listed: by commands of one key each, so that a Cluster takes them as well. */
export function addToIndex(redis: Redis, { sha256, clientId }: Indexed): readonly Promise<unknown>[] {
  return [redis.zadd(KEY_INDEX, 0, sha256), redis.zadd(clientIndex(clientId), 0, sha256)];
}

/** Notes when the record of a key goes. */
export function addEnding(redis: Redis, { sha256, clientId }: Indexed, atMs: number): Promise<unknown> {
  return redis.zadd(ENDING_INDEX, atMs, sha256 + clientId);
}

/** Takes what has ended long ago out of the index, some at each turn: it has no more than there were keys within that time. */
export async function tidyIndex(redis: Redis, now: number): Promise<void> {
  const over = await redis.zrangebyscore(ENDING_INDEX, '-inf', now, 'LIMIT', 0, TIDY_PER_TURN);
  for (const member of over) {
    const [sha256, clientId] = [member.slice(0, HASH_LENGTH), member.slice(HASH_LENGTH)];
    // What was given more time since then has its record still.
    const isGone = (await redis.exists(apiKeyRedisKey(sha256))) === 0;
    const indexes = isGone ? [KEY_INDEX, clientIndex(clientId), USED_INDEX] : [];
    await Promise.all([
      redis.zrem(ENDING_INDEX, member),
      ...indexes.map((index) => redis.zrem(index, sha256)),
    ]);
  }
}
