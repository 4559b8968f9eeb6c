import type { Redis, RedisOptions, SentinelConnector } from 'ioredis';

/** What the library keeps to itself: a connection to one Sentinel, whoever asks for it. */
interface Hidden {
  connectToSentinel(...of: unknown[]): Redis;
}

type Connect = SentinelConnector['connect'];

/**
 * The library's connector for Sentinels, mended in two places.
 *
 * News of a failover that come while Sentinels are being asked for the master end that question in the library, which takes it for
 * a goodbye: there is no further attempt, and the gateway would be without Redis until it is restarted. Here they are asked
 * once more.
 *
 * Those that listen for failovers have no listener of errors: while a Sentinel is gone, each try to find it would be a text
 * on standard error, several a second, between lines of JSON. As long as one of them answers nothing is lost, and when none
 * does a connection that is down says why.
 */
export function sentinelConnector(Base: typeof SentinelConnector): NonNullable<RedisOptions['Connector']> {
  const { connectToSentinel } = Base.prototype as unknown as Hidden;
  const Mended = class extends Base {
    /** Whether what happens just now happens because of news of a failover. */
    isTold = false;
    #isAsking = false;
    #isOutdated = false;

    override async connect(emit: Parameters<Connect>[0]): ReturnType<Connect> {
      this.#isAsking = true;
      try {
        for (;;) {
          this.#isOutdated = false;
          const stream = await super.connect(emit);
          if (!this.#isOutdated || !this.connecting) return stream;
          // It may lead to the old master.
          stream.destroy();
        }
      } finally {
        this.#isAsking = false;
      }
    }

    override disconnect(): void {
      if (this.isTold && this.#isAsking) this.#isOutdated = true;
      else super.disconnect();
    }
  };
  Object.defineProperty(Mended.prototype, 'connectToSentinel', {
    value(this: Hidden & { isTold: boolean }, ...of: unknown[]): Redis {
      const sentinel = connectToSentinel.apply(this, of);
      // Before the listener of the library, which is added later and runs in the same turn.
      sentinel.on('message', () => {
        this.isTold = true;
        queueMicrotask(() => (this.isTold = false));
      });
      return sentinel.on('error', () => undefined);
    },
  });
  return Mended as NonNullable<RedisOptions['Connector']>;
}
