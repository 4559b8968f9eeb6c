import type { Redis, RedisOptions, SentinelConnector } from 'ioredis';

/** What the library keeps to itself: a connection to one Sentinel, whoever asks for it. */
interface Hidden {
  connectToSentinel(...of: unknown[]): Redis;
}

/**
 * The library's connector for Sentinels, which says nothing of those that cannot be reached. Its listeners for failovers have
 * no listener of errors of their own: while a Sentinel is gone, each try to find it would be a text on standard error, several a
 * second, between lines of JSON. What matters of it is seen where it matters: as long as one of them answers, nothing is lost,
 * and when none does a connection that is down says why.
 */
export function quietSentinels(Base: typeof SentinelConnector): NonNullable<RedisOptions['Connector']> {
  const { connectToSentinel } = Base.prototype as unknown as Hidden;
  const Quiet = class extends Base {};
  Object.defineProperty(Quiet.prototype, 'connectToSentinel', {
    value(this: Hidden, ...of: unknown[]): Redis {
      const sentinel = connectToSentinel.apply(this, of);
      return sentinel.on('error', () => undefined);
    },
  });
  return Quiet as NonNullable<RedisOptions['Connector']>;
}
