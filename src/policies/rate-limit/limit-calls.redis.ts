import type { Redis } from 'ioredis';
import { isCluster } from '../../store/redis-cluster.ts';
import { isRefusal, NUMBERS_PER_KEY } from './token-calls.redis.ts';
import { LimiterTally } from './limiter-tally.ts';
import { LIMITS_SCRIPT } from './limits.lua.ts';
import type { BucketRule, Take } from './rate-limiter.ts';
import { isLogged } from './sliding-log.ts';

interface WithScript {
  /** Sends EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
  takeLimits(keyCount: number, ...keysAndShapes: (string | number)[]): Promise<number[]>;
}

/** What a request takes, from all of its limits or from none. */
export interface TakeGroup {
  readonly takes: readonly Take[];
  /** Whether it is charged, or put back, without asking whether that goes. */
  readonly forced: boolean;
}

const KEY_PREFIX = 'ratelimit:';

/** Calls of the script of several limits. */
export class LimitCalls {
  readonly #redis: WithScript;
  /** Keys of one call have to lie on one node: so it is in a Cluster, and what seems to be one server may be one, too. */
  #isSplit: boolean;

  readonly #tally: LimiterTally;

  /** @param tally counts what was found under keys of ours and is no limit. */
  constructor(redis: Redis, tally = new LimiterTally()) {
    this.#tally = tally;
    redis.defineCommand('takeLimits', { lua: LIMITS_SCRIPT });
    this.#redis = redis as Redis & WithScript;
    this.#isSplit = isCluster(redis);
  }

  /**
   * Takes for several requests, in one call where the server allows that.
   *
   * @returns {@link NUMBERS_PER_KEY} numbers for each take, in order; undefined for a request of which nobody knows what
   * became of it.
   * @throws {Error} when that is so for all of them.
   */
  async take(groups: readonly TakeGroup[]): Promise<readonly (readonly number[] | undefined)[]> {
    if (!this.#isSplit) {
      try {
        const replies = await this.#call(groups);
        return cut(replies, groups);
      } catch (error) {
        // What was refused as a whole has taken nothing, and is asked again by its parts.
        if (!isRefusal(error) || (groups.length === 1 && !isApart(error))) throw error;
        this.#isSplit ||= isApart(error);
      }
    }
    const calls = await Promise.allSettled(groups.map((group) => this.#alone(group)));
    const [first] = calls;
    if (first?.status === 'rejected' && calls.every(({ status }) => status === 'rejected'))
      throw first.reason;
    return calls.map((call) => (call.status === 'fulfilled' ? call.value : undefined));
  }

  async #alone(group: TakeGroup): Promise<readonly number[]> {
    const [first, ...others] = group.takes;
    const tag = tagOf(first?.bucketKey ?? '');
    if (others.every(({ bucketKey }) => tagOf(bucketKey) === tag)) return this.#call([group]);
    return this.#apart(group);
  }

  /**
   * No call can have keys of several nodes: each is taken from by itself, at once, and put back where another one refuses. For
   * that moment others may find less than there is, never more.
   */
  async #apart({ takes, forced }: TakeGroup): Promise<readonly number[]> {
    const calls = await Promise.allSettled(takes.map((take) => this.#call([{ takes: [take], forced }])));
    const taken = takes.filter((_, index) => isAllowed(calls[index]));
    if (taken.length === takes.length || forced) return calls.flatMap(numbersOf);
    const refunds = taken.map((take) =>
      this.#call([{ takes: [{ ...take, cost: -take.cost }], forced: true }]),
    );
    // One that gets lost leaves the limit too tight, never too loose.
    await Promise.allSettled(refunds);
    const failed = calls.find((call) => call.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return calls.flatMap(numbersOf);
  }

  async #call(groups: readonly TakeGroup[]): Promise<readonly number[]> {
    const keys: string[] = [];
    const shapes: number[] = [];
    const requests: number[] = [];
    const known: Take[] = [];
    for (const { takes, forced } of groups) {
      requests.push(forced ? -takes.length : takes.length);
      for (const take of takes) {
        keys.push(KEY_PREFIX + take.bucketKey);
        requests.push(shapeOf(take, known, shapes));
      }
    }
    const replies = await this.#redis.takeLimits(keys.length, ...keys, known.length, ...shapes, ...requests);
    this.#tally.repaired += replies.pop() ?? 0;
    return replies;
  }
}

/** The number of a shape, which is added where no earlier take has it. */
function shapeOf(take: Take, known: Take[], shapes: number[]): number {
  const { rule, cost } = take;
  const at = known.findIndex((one) => one.rule === rule && one.cost === cost);
  if (at >= 0) return at + 1;
  shapes.push(codeOf(rule), rule.rate, rule.perMs, rule.burst, cost);
  return known.push(take);
}

function codeOf(rule: BucketRule): number {
  if (rule.algorithm === 'fixedWindow') return 2;
  if (rule.algorithm === 'slidingWindow') return isLogged(rule) ? 4 : 3;
  return 1;
}

function cut(replies: readonly number[], groups: readonly TakeGroup[]): readonly (readonly number[])[] {
  let at = 0;
  return groups.map(({ takes }) => replies.slice(at, (at += takes.length * NUMBERS_PER_KEY)));
}

/** What decides on which node of a cluster a key lies, where it has a part in braces. */
function tagOf(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 2);
  return open < 0 || close < 0 ? key : key.slice(open + 1, close);
}

/** What a cluster, or a proxy before one, says to keys that lie on different nodes. */
function isApart({ message }: Error): boolean {
  return /slot/i.test(message);
}

function isAllowed(call: PromiseSettledResult<readonly number[]> | undefined): boolean {
  return call?.status === 'fulfilled' && call.value[0] === 1;
}

function numbersOf(call: PromiseSettledResult<readonly number[]>): readonly number[] {
  return call.status === 'fulfilled' ? call.value : [-1, 0, 0, 0];
}
