import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions as LibraryOptions } from 'ioredis';
import type { RedisAccess } from '../config/redis-access.ts';
import type { RedisPlace } from '../config/redis-url.ts';
import { isReply } from './redis-fault.ts';

const CONNECT_TIMEOUT_MS = 600;
const SILENCE_LIMIT_MS = 1000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 250;
const LOADING_RETRY_MS = 250;
const READONLY_RETRY_MS = 1000;

/** Options of a connection; answers have the forms of the second version of the protocol. */
export type RedisOptions = Omit<LibraryOptions, 'replyMapping'>;

/** How long to wait before connecting again, in ms: so short that a Redis that is back is used well within a second. */
export function retryAfter(times: number): number {
  return (
    Math.min(FIRST_RETRY_MS * 2 ** Math.min(times - 1, 10), LONGEST_RETRY_MS) * (0.75 + Math.random() / 2)
  );
}

/** What all connections have. */
export const CONNECTION = {
  connectionName: 'gatehouse',
  enableOfflineQueue: false,
  // A command that lost its connection may have been executed: sending it again would count a request twice.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // A connection that swallows commands (cable pulled, firewall, dead master) is replaced instead of trusted for minutes.
  socketTimeout: SILENCE_LIMIT_MS,
  // ioredis waits this long at the end even for a socket that is closed already, which keeps the process alive.
  disconnectTimeout: 200,
  // Redis says 1 s at least while it loads its data, however little is left.
  maxLoadingRetryTime: LOADING_RETRY_MS,
  retryStrategy: retryAfter,
} satisfies RedisOptions;

/** Who the gateway is at Redis, and how it is sure of Redis. */
export function credentials(place: RedisPlace, access: RedisAccess) {
  const { username, password = access.password } = place;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(place.isTls ? { tls: tlsOf(access) } : {}),
  };
}

/** The options of one server, or of the master that Sentinels choose. */
export function serverOptions(place: RedisPlace, access: RedisAccess): RedisOptions {
  const common: RedisOptions = {
    ...CONNECTION,
    ...credentials(place, access),
    db: place.database,
    reconnectOnError: afterFailover(),
  };
  if (place.kind === 'single') return { ...common, ...place.hosts[0] };
  const { sentinelUsername, sentinelPassword } = access;
  return {
    ...common,
    sentinels: [...place.hosts],
    name: place.master,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(place.isTls ? { sentinelTLS: tlsOf(access), enableTLSForSentinelMode: true } : {}),
    sentinelRetryStrategy: retryAfter,
    sentinelReconnectStrategy: retryAfter,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    // The old master may go on to answer for a while.
    failoverDetector: true,
  };
}

/** Connects anew, and so to the new master, where the old one has become a replica; not with each command that it refuses. */
function afterFailover(): (error: Error) => boolean {
  let last = -Infinity;
  return (error) => {
    if (!isReply(error) || !error.message.startsWith('READONLY')) return false;
    const now = performance.now();
    if (now - last < READONLY_RETRY_MS) return false;
    last = now;
    return true;
  };
}

function tlsOf({ ca, cert, key, serverName }: RedisAccess): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
