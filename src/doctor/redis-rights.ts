import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Where the gateway keeps what, as docs/redis.md says. */
const PREFIXES = [
  'ratelimit:',
  'quota:',
  'apikey:',
  'revoked:',
  'dpop:',
  'gatehouse:',
  'canary:',
  'idempotency:',
  'cache:',
];

type Command = readonly [name: string, ...rest: (string | number)[]];

function commandsOn(key: string): readonly Command[] {
  return [
    ['SET', key, '1', 'PX', 1],
    ['DEL', key],
    ['EXISTS', key],
    ['EXPIRE', key, 1],
    ['PEXPIRE', key, 1],
    ['PTTL', key],
    ['TYPE', key],
    ['HSET', key, 'a', '1'],
    ['HGETALL', key],
    ['HMGET', key, 'a'],
    ['HDEL', key, 'a'],
    ['HINCRBY', key, 'a', 1],
    ['LPUSH', key, '1'],
    ['LRANGE', key, 0, 1],
    ['LTRIM', key, 0, 1],
    ['ZADD', key, 1, 'a'],
    ['ZREM', key, 'a'],
    ['ZCARD', key],
    ['XADD', key, '*', 'a', '1'],
    ['XRANGE', key, '-', '+'],
    ['EVAL', 'return 1', 1, key],
    ['EVALSHA', '0'.repeat(40), 1, key],
    ['SCAN', 0],
    ['TIME'],
    ['PUBLISH', `gatehouse:${key}`, ''],
    ['CLIENT', 'TRACKING', 'OFF'],
  ];
}

/**
 * Which rights the user of a connection lacks, in the words of an ACL. Each command is put into a transaction, for which Redis
 * judges it, and the transaction is thrown away: nothing is run.
 *
 * @param node a server; nobody else may use the connection meanwhile.
 */
export async function missingRights(node: Redis): Promise<readonly string[]> {
  const name = `{doctor-${randomUUID()}}`;
  const tries = [
    ...PREFIXES.map((prefix) => [`~${prefix}*`, ['GET', prefix + name]] as const),
    ...commandsOn(`ratelimit:${name}`).map((command) => [`+${command[0].toLowerCase()}`, command] as const),
  ];
  try {
    await node.multi({ pipeline: false });
  } catch (error) {
    if (isRefused(error)) return ['+multi'];
    throw error;
  }
  const queued = tries.map(async ([right, [command, ...rest]]) => {
    try {
      await node.call(command as string, ...rest);
      return [];
    } catch (error) {
      return isRefused(error) ? [right] : [];
    }
  });
  const missing = (await Promise.all(queued)).flat();
  await node.discard();
  return missing;
}

// The text behind the code differs between versions.
function isRefused(error: unknown): boolean {
  return Error.isError(error) && error.message.startsWith('NOPERM');
}
