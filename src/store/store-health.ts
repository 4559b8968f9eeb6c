import type { RedisLine } from './redis-line.ts';
import type { StoreGuard } from './store-guard.ts';

/** How the store does, for readiness and people: what it is not used for at the moment, and nothing of where it is. */
export class StoreHealth {
  readonly #line: RedisLine | undefined;
  readonly #guard: StoreGuard | undefined;

  constructor(line: RedisLine | undefined, guard: StoreGuard | undefined) {
    this.#line = line;
    this.#guard = guard;
  }

  /** `off` where there is none; `degraded` while it is not used for something, or a node of a Cluster is lost. */
  get state(): 'off' | 'ok' | 'degraded' {
    if (this.#guard === undefined) return 'off';
    return this.without.length === 0 ? 'ok' : 'degraded';
  }

  /** Uses that are given up; `connection` where there is none, to all of Redis or to a node of a Cluster. */
  get without(): readonly string[] {
    const line = this.#line;
    const isWhole = line === undefined || (line.isUp && line.lost.length === 0);
    return [...(isWhole ? [] : ['connection']), ...(this.#guard?.givenUp ?? [])];
  }
}
