import type { BucketRule, Take } from './rate-limiter.ts';
import type { LimiterTally } from './limiter-tally.ts';

/** Limits for which something is kept at most, about 2 MB. */
const MOST_KEPT = 10_000;
/** How often it is looked whether the store is back. */
const LOOK_MS = 100;
/** How many are charged at once, so that a store that has just come back is not flooded. */
const TOGETHER = 256;

interface Kept {
  readonly rule: BucketRule;
  cost: number;
  /** When `cost` was right. */
  at: number;
}

/** What kept costs need. */
export interface KeptCostsDeps {
  /** Charges a limit; false where the store is away after all, and nothing was sent. */
  readonly charge: (take: Take) => boolean;
  readonly isAvailable: () => boolean;
  /** A clock in ms that never jumps. */
  readonly now: () => number;
  readonly tally: LimiterTally;
  /** Default 10 000. */
  readonly most?: number;
}

/**
 * What services have reported while the store is away, summed up for each limit until it is back. As in the limit itself, what was
 * spent is made up for by time: a bucket fills up again, a window passes. A limit never owes more than twice its burst.
 */
export class KeptCosts {
  readonly #deps: KeptCostsDeps;
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(deps: KeptCostsDeps) {
    this.#deps = deps;
    this.#most = deps.most ?? MOST_KEPT;
  }

  /** For how many limits something is kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Keeps a cost until the store is back. The oldest limit is forgotten where there is no room. */
  add(bucketKey: string, rule: BucketRule, cost: number): void {
    const now = this.#deps.now();
    const before = this.#kept.get(bucketKey);
    if (before === undefined && this.#kept.size >= this.#most) this.#forgetOldest();
    const owed = before === undefined ? 0 : leftOf(before, now);
    this.#kept.set(bucketKey, { rule, cost: Math.min(2 * rule.burst, owed + cost), at: now });
    this.#timer ??= setInterval(() => this.settle(), LOOK_MS).unref();
  }

  /** Charges what is kept, if the store is back; some at a time. */
  settle(atMost = TOGETHER): void {
    const now = this.#deps.now();
    let left = atMost;
    for (const [bucketKey, kept] of this.#kept) {
      if (left === 0 || !this.#deps.isAvailable()) break;
      const cost = leftOf(kept, now);
      if (cost > 0 && !this.#deps.charge({ bucketKey, rule: kept.rule, cost })) break;
      this.#kept.delete(bucketKey);
      left -= 1;
    }
    if (this.#kept.size === 0) this.#stop();
  }

  /** Charges all that it can, and forgets the rest. */
  close(): void {
    this.settle(Infinity);
    this.#kept.clear();
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #forgetOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      this.#deps.tally.forgotten += 1;
      return;
    }
  }
}

/** What of a cost a limit would still feel by now. */
function leftOf({ rule, cost, at }: Kept, now: number): number {
  const { algorithm = 'tokenBucket', perMs, rate } = rule;
  const elapsedMs = Math.max(0, now - at);
  // Whole tokens, as a log has no others; rounded up, so that nobody gets any for nothing.
  if (algorithm === 'tokenBucket') return Math.max(0, Math.ceil(cost - (elapsedMs * rate) / perMs));
  return elapsedMs >= perMs ? 0 : cost;
}
