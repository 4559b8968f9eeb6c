import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type { Redis, RedisOptions } from 'ioredis';
import { errorName } from '../telemetry/error-facts.ts';

/** What the store says to the operator; pino's shape, so a pino logger can be passed as it is. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const CONNECT_TIMEOUT_MS = 2000;
const SILENCE_LIMIT_MS = 5000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;

const OPTIONS = {
  connectionName: 'gatehouse',
  enableOfflineQueue: false,
  // A command that lost its connection may have been executed: sending it again would count a request twice.
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // A connection that swallows commands (cable pulled, firewall) is replaced instead of trusted for minutes.
  socketTimeout: SILENCE_LIMIT_MS,
  // ioredis waits this long at the end even for a socket that is closed already, which keeps the process alive.
  disconnectTimeout: 200,
  retryStrategy: (times: number) =>
    Math.min(FIRST_RETRY_MS * 2 ** Math.min(times - 1, 10), LONGEST_RETRY_MS) * (0.75 + Math.random() / 2),
} satisfies RedisOptions;

// Loaded by gateways that have a Redis only.
function client(): typeof import('ioredis') {
  return createRequire(import.meta.url)('ioredis') as typeof import('ioredis');
}

/**
 * Opens a connection that never makes a request wait for Redis: a command fails at once while there is no
 * connection, nothing is queued or sent twice, and reconnecting goes on in the background for ever, 50 ms
 * to 2 s apart. Returns at once; a Redis that is not there yet is found when it comes.
 * Commands of one callback travel together.
 *
 * @param url `redis://` or, with TLS, `rediss://`; user, password and database number are read from it.
 * @param log hears one line when the connection goes up and one when it goes down, not one per error.
 * @throws {Error} naming `REDIS_URL` and what it should look like.
 */
export function createRedis(url: string, log: StoreLog): Redis {
  const address = addressOf(url);
  const redis = new (client().Redis)(url, OPTIONS);
  redis.on('connect', () => sendTogether(redis.stream));
  let state: 'starting' | 'up' | 'down' = 'starting';
  let reason = 'the connection was closed';
  redis.on('error', (error: Error) => {
    reason = redisFault(error);
  });
  redis.on('ready', () => {
    state = 'up';
    log.info({ redis: address }, `Redis is connected: ${address}`);
  });
  redis.on('close', () => {
    if (state === 'down') return;
    state = 'down';
    log.warn(
      { redis: address, reason },
      `Redis is not reachable: ${address}: ${reason}; reconnecting in the background`,
    );
  });
  return redis;
}

const REPLY_CODE = /^[A-Z]{2,}(?= )/;
/** What ioredis says without a connection; it names an option of it, which tells an operator nothing. */
const NOT_CONNECTED = /enableOfflineQueue|Connection is closed/;

/**
 * Says in a word what went wrong with Redis: the code that its error begins with, such as `WRONGPASS`, or that of the
 * connection. The text behind it stays out of the log, because Redis quotes commands and what they were given there.
 */
export function redisFault(error: unknown): string {
  if (!Error.isError(error)) return errorName(error);
  if (NOT_CONNECTED.test(error.message)) return 'there is no connection';
  const [code] = error.name === 'ReplyError' ? (REPLY_CODE.exec(error.message) ?? []) : [];
  return code ?? errorName(error);
}

/** Closes a connection for good and without a log line. */
export function closeRedis(redis: Redis): void {
  redis.removeAllListeners('close');
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

/** Returns `host:port` for messages: the URL itself may hold a password. */
function addressOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new Error('REDIS_URL: expected redis://host:port or rediss://user:password@host:port/0');
  }
  return `${parsed.hostname}:${parsed.port === '' ? '6379' : parsed.port}`;
}

/**
 * Makes the commands of one callback travel together: the first one corks the socket until that has ended. The
 * pipelines that ioredis would make by itself cost twice as much as the commands in them.
 */
function sendTogether(stream: Writable): void {
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  const write = stream.write.bind(stream) as Writable['write'];
  stream.write = ((...chunk: Parameters<Writable['write']>) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    return write(...chunk);
  }) as Writable['write'];
}
