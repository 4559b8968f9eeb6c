import type { ChainableCommander, Redis } from 'ioredis';
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
  await settled(endsAt === undefined ? all : all.pexpireat(name, endsAt));
  // Each command has one key, so that a cluster takes them as well.
  const listed = addToIndex(redis.pipeline(), record);
  await settled(endsAt === undefined ? listed : addEnding(listed, record, endsAt));
}

/** Adds a key to what is listed. */
export function addToIndex(all: ChainableCommander, { sha256, clientId }: Indexed): ChainableCommander {
  return all.zadd(KEY_INDEX, 0, sha256).zadd(clientIndex(clientId), 0, sha256);
}

/** Notes when the record of a key goes. */
export function addEnding(
  all: ChainableCommander,
  { sha256, clientId }: Indexed,
  atMs: number,
): ChainableCommander {
  return all.zadd(ENDING_INDEX, atMs, sha256 + clientId);
}

/** Takes what has ended long ago out of the index, some at each turn: it has no more than there were keys within that time. */
export async function tidyIndex(redis: Redis, now: number): Promise<void> {
  const over = await redis.zrangebyscore(ENDING_INDEX, '-inf', now, 'LIMIT', 0, TIDY_PER_TURN);
  for (const member of over) {
    const [sha256, clientId] = [member.slice(0, HASH_LENGTH), member.slice(HASH_LENGTH)];
    const all = redis.pipeline().zrem(ENDING_INDEX, member);
    // What was given more time since then has its record still.
    if ((await redis.exists(apiKeyRedisKey(sha256))) === 0)
      all.zrem(KEY_INDEX, sha256).zrem(clientIndex(clientId), sha256).zrem(USED_INDEX, sha256);
    await settled(all);
  }
}

/** Runs commands. @throws {Error} the first of theirs. */
export async function settled(all: ChainableCommander): Promise<void> {
  for (const [error] of (await all.exec()) ?? []) if (error !== null) throw error;
}
