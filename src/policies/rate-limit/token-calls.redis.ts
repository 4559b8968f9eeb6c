import type { Redis } from 'ioredis';
import { isCluster } from '../../store/redis-cluster.ts';
import { TOKEN_BUCKET_SCRIPT } from './token-bucket.lua.ts';
import { LimiterTally } from './limiter-tally.ts';
import type { BucketRule } from './rate-limiter.ts';

interface WithScript {
  /** Sends EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
  takeTokens(keyCount: number, ...keysAndRule: (string | number)[]): Promise<number[]>;
}

/** How many numbers the script returns for each key. */
export const NUMBERS_PER_KEY = 4;

const FAILED = [-1, 0, 0, 0] as const;

/** What a cluster, or a proxy before one, says to keys that lie on different nodes. */
const APART = /slot/i;

/** Calls of the script of the token bucket. */
export class TokenCalls {
  readonly #redis: WithScript;
  /** A call may not have more than one key: so it is in a Cluster, and what seems to be one server may be one, too. */
  #isSplit: boolean;

  readonly #tally: LimiterTally;

  /** @param tally counts what was found under keys of ours and is no bucket. */
  constructor(redis: Redis, tally = new LimiterTally()) {
    this.#tally = tally;
    redis.defineCommand('takeTokens', { lua: TOKEN_BUCKET_SCRIPT });
    this.#redis = redis as Redis & WithScript;
    this.#isSplit = isCluster(redis);
  }

  /**
   * Takes from several buckets of one rule, in one call where the server allows that.
   *
   * @returns {@link NUMBERS_PER_KEY} numbers for each key, in their order; the first is -1 for one of several that failed.
   * @throws {Error} when nobody knows what became of them.
   */
  async take(keys: readonly string[], rule: BucketRule, cost: number): Promise<readonly number[]> {
    if (keys.length === 1 || !this.#isSplit) {
      try {
        return await this.#call(keys, rule, cost);
      } catch (error) {
        // What was refused as a whole has taken nothing, and is asked again one by one.
        if (keys.length === 1 || !isRefusal(error)) throw error;
        this.#isSplit ||= APART.test(error.message);
      }
    }
    const calls = await Promise.allSettled(keys.map((key) => this.#call([key], rule, cost)));
    const [first] = calls;
    if (first?.status === 'rejected' && calls.every(({ status }) => status === 'rejected'))
      throw first.reason;
    return calls.flatMap((call) => (call.status === 'fulfilled' ? call.value : FAILED));
  }

  async #call(
    keys: readonly string[],
    { rate, perMs, burst }: BucketRule,
    cost: number,
  ): Promise<readonly number[]> {
    const replies = await this.#redis.takeTokens(keys.length, ...keys, rate, perMs, burst, cost);
    this.#tally.repaired += replies.pop() ?? 0;
    return replies;
  }
}

/** Whether Redis itself said no, in place of running the script: the script fails for a single key only. */
export function isRefusal(error: unknown): error is Error {
  return Error.isError(error) && error.name === 'ReplyError';
}
