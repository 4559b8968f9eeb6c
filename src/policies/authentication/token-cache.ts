import { hash } from 'node:crypto';
import type { Principal } from '../../exchange/principal.ts';
import { BoundedMap } from './bounded-map.ts';
import type { SigningKey } from './signing-key.ts';
import type { Clock } from './verifier.ts';

interface VerifiedToken {
  readonly principal: Principal;
  readonly key: SigningKey;
  readonly until: number;
}

/** Bounds of the token cache. */
export interface TokenCacheOptions {
  /** The longest time in ms that a token is believed; 0 keeps nothing. */
  readonly ttl: number;
  /** How many tokens are kept. */
  readonly max: number;
}

/**
 * Remembers verified tokens until their `exp` or for the ttl, whichever is shorter, and never longer than
 * their key is published. Holds digests only, so that a heap dump gives away no token.
 */
export class TokenCache {
  readonly #tokens: BoundedMap<VerifiedToken>;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor(options: TokenCacheOptions, clock: Clock = Date.now) {
    this.#tokens = new BoundedMap(options.max);
    this.#ttlMs = options.ttl;
    this.#clock = clock;
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#tokens.size;
  }

  /** Returns who presented the token, if it was verified, has not expired and its key still stands. */
  get(token: string): Principal | undefined {
    const digest = hash('sha256', token, 'base64');
    const verified = this.#tokens.get(digest);
    if (verified === undefined) return undefined;
    if (this.#clock() < verified.until && !verified.key.withdrawn) return verified.principal;
    this.#tokens.delete(digest);
    return undefined;
  }

  /**
   * Remembers a verified token.
   *
   * @param expiresAt its `exp`, in ms since the epoch.
   */
  set(token: string, principal: Principal, key: SigningKey, expiresAt: number): void {
    const now = this.#clock();
    const until = Math.min(expiresAt, now + this.#ttlMs);
    if (until > now) this.#tokens.set(hash('sha256', token, 'base64'), { principal, key, until });
  }
}
