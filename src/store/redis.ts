import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import type { RedisAccess } from '../config/redis-access.ts';
import { redisAddress, redisPlaceOf } from '../config/redis-url.ts';
import { besideCluster, isCluster, openCluster, readyMasters } from './redis-cluster.ts';
import { redisFault } from './redis-fault.ts';
import { RedisLine, type StoreLog } from './redis-line.ts';
import { serverOptions, type RedisOptions } from './redis-options.ts';
import { sentinelConnector } from './sentinel-connector.ts';
import { sendTogether } from './send-together.ts';

export { redisFault } from './redis-fault.ts';
export type { StoreLog } from './redis-line.ts';

const lines = new WeakMap<Redis, RedisLine>();
const closed = new WeakSet<Redis>();

// Loaded by gateways that have a Redis only.
function client(): typeof import('ioredis') {
  return createRequire(import.meta.url)('ioredis') as typeof import('ioredis');
}

/**
 * Opens a connection that never makes a request wait for Redis: a command fails at once while there is no
 * connection, nothing is queued or sent twice, and reconnecting goes on in the background for ever, 50 to 300 ms
 * apart. Returns at once; a Redis that is not there yet is found when it comes.
 * Commands of one callback travel together.
 *
 * A Cluster is given as a `Redis` as well: it takes the same commands, each of which may have keys of one slot only. What
 * differs beyond that is asked of this file: {@link duplicateRedis}, {@link pingAll}, `mastersOf`.
 *
 * @param url `redis://`, `redis+sentinel://`, `redis+cluster://`, or one of these with TLS, `rediss…`.
 * @param log hears one line when the connection goes up and one when it goes down, not one per error.
 * @throws {Error} naming `REDIS_URL` and what it should look like.
 */
export function createRedis(url: string, log: StoreLog, access: RedisAccess = {}): Redis {
  const place = redisPlaceOf(url);
  const line = new RedisLine(redisAddress(place), log);
  if (place.kind === 'cluster') {
    const cluster = openCluster(client(), { place, access, line, isClosed: (one) => closed.has(one) });
    lines.set(cluster, line);
    return cluster;
  }
  const { Redis, SentinelConnector } = client();
  const options = serverOptions(place, access);
  if (place.kind === 'sentinel') options.Connector = sentinelConnector(SentinelConnector);
  const redis = new Redis(options);
  lines.set(redis, line);
  redis.on('connect', () => sendTogether(redis.stream));
  let reason = 'the connection was closed';
  redis.on('error', (error: Error) => {
    reason = redisFault(error);
  });
  redis.on('ready', () => {
    reason = 'the connection was closed';
    const { remoteAddress, remotePort } = redis.stream as { remoteAddress?: string; remotePort?: number };
    line.up(place.kind === 'sentinel' ? `${remoteAddress}:${remotePort}` : undefined);
  });
  redis.on('close', () => {
    if (!closed.has(redis)) line.down(reason);
  });
  return redis;
}

/** What is known of a connection that {@link createRedis} has opened; undefined for others. */
export function lineOf(redis: Redis): RedisLine | undefined {
  return lines.get(redis);
}

/** Opens one more connection to the same Redis, for what a connection can do one of only; to any node of a Cluster. */
export function duplicateRedis(redis: Redis, options: RedisOptions): Redis {
  return isCluster(redis) ? besideCluster(client(), redis, options) : redis.duplicate(options);
}

/** Asks Redis for a sign of life; all nodes of a Cluster that there is a connection to. */
export async function pingAll(redis: Redis): Promise<void> {
  if (!isCluster(redis)) return void (await redis.ping());
  const nodes = readyMasters(redis);
  if (nodes.length === 0) throw new Error('Connection is closed');
  await Promise.all(nodes.map((node) => node.ping()));
}

/** Closes a connection for good and without a log line. */
export function closeRedis(redis: Redis): void {
  closed.add(redis);
  redis.disconnect();
}

/** Resolves with true once the connection is ready, or with false after `waitMs`; never rejects. */
export async function whenReady(redis: Redis, waitMs: number): Promise<boolean> {
  if (redis.status === 'ready') return true;
  return new Promise((resolve) => {
    const finish = (ready: boolean): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      resolve(ready);
    };
    const onReady = (): void => finish(true);
    const timer = setTimeout(finish, waitMs, false);
    redis.once('ready', onReady);
  });
}
