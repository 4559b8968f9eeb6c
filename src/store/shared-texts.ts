import type { Redis } from 'ioredis';
import type { StoreGuard } from './store-guard.ts';

/**
 * Texts that all replicas share for a while. Never makes a request wait longer than the guard allows: what Redis
 * cannot tell in time is not there, and what it cannot keep is lost.
 */
export class SharedTexts {
  readonly #redis: Redis;
  readonly #guard: StoreGuard;

  constructor(redis: Redis, guard: StoreGuard) {
    this.#redis = redis;
    this.#guard = guard.forUse('texts');
  }

  /** Finds a text; undefined when there is none, or when Redis does not answer in time. */
  async get(key: string): Promise<string | undefined> {
    const text = await this.#guard.run(() => this.#redis.get(key));
    return typeof text === 'string' ? text : undefined;
  }

  /** Keeps a text for a number of seconds; nobody waits for it. */
  set(key: string, text: string, ttlS: number): void {
    // The guard never rejects.
    void this.#guard.run(() => this.#redis.set(key, text, 'EX', ttlS));
  }
}
