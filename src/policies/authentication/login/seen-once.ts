import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { hash } from 'node:crypto';
import type { StoreGuard } from '../../../store/store-guard.ts';
import { answerOf, sessionGuard } from './redis-answer.ts';

const MOST = 10_000;
const PREFIX = 'gatehouse:once:';

/** Remembers what may be used once only, at all replicas where there is Redis. */
export class SeenOnce {
  readonly #seen = new LRUCache<string, true>({ max: MOST });
  readonly #redis: Redis | undefined;
  readonly #guard: StoreGuard | undefined;

  constructor(redis: Redis | undefined, guard?: StoreGuard) {
    this.#redis = redis;
    this.#guard = redis && sessionGuard(redis, guard);
  }

  /** Whether it was not seen before. @param forMs how long it is remembered. */
  async isFirst(kind: string, name: string, forMs: number): Promise<boolean> {
    const digest = digestOf(kind, name);
    if (this.#seen.has(digest)) return false;
    this.#seen.set(digest, true, { ttl: forMs });
    const [redis, guard] = [this.#redis, this.#guard];
    if (redis === undefined || guard === undefined) return true;
    const ask = () => redis.set(PREFIX + digest, '1', 'PX', Math.ceil(forMs), 'NX');
    // Fails open without Redis: a code is good once at the provider anyway, and a log-out that is told twice ends nothing more.
    return answerOf(guard, ask).then(
      (answer) => answer !== null,
      () => true,
    );
  }

  /** Forgets what came to nothing, so that it may be tried again. */
  async forget(kind: string, name: string): Promise<void> {
    const digest = digestOf(kind, name);
    this.#seen.delete(digest);
    const [redis, guard] = [this.#redis, this.#guard];
    if (redis !== undefined && guard !== undefined)
      await answerOf(guard, () => redis.del(PREFIX + digest)).catch(() => undefined);
  }
}

function digestOf(kind: string, name: string): string {
  return hash('sha256', `${kind}\n${name}`, 'base64url');
}
