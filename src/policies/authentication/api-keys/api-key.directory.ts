import { LRUCache } from 'lru-cache';
import { isDeepStrictEqual } from 'node:util';
import { unavailable, type Clock } from '../verifier.ts';
import type { ApiKeyStore } from './api-key.store.ts';
import { KnownKey } from './known-key.ts';

/** How long an answer of the store is believed: the longest time that a change nobody tells of goes unnoticed. */
const FRESH_MS = 5000;
/** How long a key that the store has confirmed goes on working while the store is down. */
const OUTAGE_MS = 60_000;
/** How long a store that failed is left alone. */
const STORE_PAUSE_MS = 500;
const MAX_KEYS = 10_000;

interface RefusedKey {
  /** Undefined for one that the store does not know. */
  readonly key: KnownKey | undefined;
  readonly at: number;
}

type Asking = Promise<KnownKey | undefined>;

/**
 * Knows the API keys of a store. Answers, yes and no alike, are remembered for 5 s, so a busy key costs the store one look-up in
 * that time, and forgotten at once when somebody tells of a change.
 */
export class ApiKeyDirectory {
  readonly #store: ApiKeyStore;
  readonly #clock: Clock;
  readonly #accepted = new LRUCache<string, KnownKey>({ max: MAX_KEYS });
  /** Apart from the accepted ones, so that made-up keys cannot push those out. */
  readonly #refused = new LRUCache<string, RefusedKey>({ max: MAX_KEYS });
  readonly #asking = new Map<string, Asking>();
  #askAgainAt = -Infinity;
  #failure: unknown = undefined;

  constructor(store: ApiKeyStore, clock: Clock = Date.now) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Returns what is known of a key, whether or not it may be used; undefined for one that is unknown. Synchronous while the last
   * answer is fresh. The same work for whatever it is, so that its time tells nothing.
   *
   * @param freshMs how old an answer may be.
   * @throws {Problem} `identity-unavailable` when the store is down and the key was not confirmed lately.
   */
  find(sha256: string, freshMs = FRESH_MS): KnownKey | undefined | Asking {
    const now = this.#clock();
    const accepted = this.#accepted.get(sha256);
    if (accepted !== undefined && now < accepted.confirmedAt + freshMs) return accepted;
    const refused = this.#refused.get(sha256);
    if (refused !== undefined && now < refused.at + freshMs) return refused.key;
    if (now < this.#askAgainAt) return this.#withoutStore(sha256);
    return this.#asking.get(sha256) ?? this.#ask(sha256);
  }

  /** A key that the store has confirmed a moment ago; undefined for any that would have to be asked for. */
  remembered(sha256: string): KnownKey | undefined {
    const accepted = this.#accepted.get(sha256);
    return accepted !== undefined && this.#clock() < accepted.confirmedAt + FRESH_MS ? accepted : undefined;
  }

  /**
   * Forgets a key that has changed. Fails closed: while the store is down then, not even a key that it has confirmed lately is
   * believed.
   */
  forget(sha256: string): void {
    this.#accepted.delete(sha256);
    this.#refused.delete(sha256);
    // Whoever is on his way may have looked before the change, and is not believed either.
    this.#asking.delete(sha256);
  }

  /** Requests that miss the same key at the same time share one look-up. */
  #ask(sha256: string): Asking {
    const asking: Asking = this.#look(sha256, () => this.#asking.get(sha256) === asking).finally(() => {
      if (this.#asking.get(sha256) === asking) this.#asking.delete(sha256);
    });
    this.#asking.set(sha256, asking);
    return asking;
  }

  async #look(sha256: string, isAwaited: () => boolean): Asking {
    let record;
    try {
      record = await this.#store.find(sha256);
    } catch (error) {
      this.#failure = error;
      this.#askAgainAt = this.#clock() + STORE_PAUSE_MS;
      return this.#withoutStore(sha256);
    }
    // It has changed meanwhile: once more.
    if (!isAwaited()) return this.#asking.get(sha256) ?? this.#ask(sha256);
    const before = this.#accepted.get(sha256);
    const key = record && (isDeepStrictEqual(before?.record, record) ? before : new KnownKey(record));
    this.#remember(sha256, key, before);
    return key;
  }

  #remember(sha256: string, key: KnownKey | undefined, before: KnownKey | undefined): void {
    const now = this.#clock();
    if (key?.refusal(now) !== undefined || key === undefined) {
      this.#accepted.delete(sha256);
      this.#refused.set(sha256, { key, at: now });
      return;
    }
    this.#refused.delete(sha256);
    key.confirmedAt = now;
    if (before !== undefined) key.notedAt = before.notedAt;
    this.#accepted.set(sha256, key);
  }

  /**
   * Fails open for keys that were confirmed within the last minute, because a short outage of the store must
   * not cut off every client; fails closed for all others.
   */
  #withoutStore(sha256: string): KnownKey {
    const accepted = this.#accepted.get(sha256);
    const now = this.#clock();
    if (accepted !== undefined && now < accepted.confirmedAt + OUTAGE_MS) return accepted;
    throw unavailable(this.#askAgainAt - now, this.#failure);
  }
}
