import type { Redis } from 'ioredis';
import { addToIndex, USED_INDEX } from './api-key.index.ts';
import type { KnownKey } from './known-key.ts';

/** How exactly the last use of a key is known, and how seldom it is written. */
const EXACT_MS = 60_000;
const FLUSH_AFTER_MS = 5000;
/** What was used by more keys within one flush is written later, when it is used again. */
const MOST_PENDING = 10_000;
const BATCH = 500;
/** A use that is older than this is as good as none. */
const FORGET_AFTER_MS = 400 * 86_400_000;

/** When it writes; for tests. */
export interface UsageTimes {
  readonly exactMs?: number;
  readonly flushAfterMs?: number;
}

/** Keeps in Redis when each key was last used: to a minute, some keys in one command, and nobody waits for it. */
export class ApiKeyUsage {
  readonly #redis: Redis;
  readonly #exactMs: number;
  readonly #flushAfterMs: number;
  #pending = new Map<KnownKey, number>();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(redis: Redis, { exactMs = EXACT_MS, flushAfterMs = FLUSH_AFTER_MS }: UsageTimes = {}) {
    this.#redis = redis;
    this.#exactMs = exactMs;
    this.#flushAfterMs = flushAfterMs;
  }

  /** Takes note of a use; once a minute for each key. @param now in ms since the epoch. */
  note(key: KnownKey, now: number): void {
    if (now < key.notedAt + this.#exactMs || this.#pending.size >= MOST_PENDING) return;
    key.notedAt = now;
    this.#pending.set(key, now);
    this.#timer ??= setTimeout(() => void this.flush(), this.#flushAfterMs).unref();
  }

  /** Writes what was noted; what Redis does not take is lost, because the next use tells it as well. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = [...this.#pending];
    this.#pending = new Map();
    for (let i = 0; i < pending.length; i += BATCH)
      await this.#write(pending.slice(i, i + BATCH)).catch(() => undefined);
  }

  async #write(uses: readonly (readonly [KnownKey, number])[]): Promise<void> {
    const scores = uses.flatMap(([{ record }, at]) => [at, record.sha256]);
    // What people or older versions have written is found once it is used.
    const unlisted = uses.filter(([{ record }]) => record.createdAt === undefined);
    const oldest = Math.max(...uses.map(([, at]) => at)) - FORGET_AFTER_MS;
    await Promise.all([
      this.#redis.zadd(USED_INDEX, ...scores),
      ...unlisted.flatMap(([{ record }]) => addToIndex(this.#redis, record)),
      this.#redis.zremrangebyscore(USED_INDEX, '-inf', oldest),
    ]);
  }
}
