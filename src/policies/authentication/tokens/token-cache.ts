import { LRUCache } from 'lru-cache';
import { hash } from 'node:crypto';
import type { Principal } from '../../../exchange/principal.ts';
import type { SigningKey } from './signing-key.ts';
import type { Clock } from '../verifier.ts';

/** What a token was verified with; once that is withdrawn, the token is not believed any longer. */
type Verifying = Readonly<Pick<SigningKey, 'withdrawn'>>;

interface VerifiedToken {
  readonly principal: Principal;
  readonly key: Verifying;
  readonly until: number;
}

/** Bounds of the token cache. */
export interface TokenCacheOptions {
  /** The longest time in ms that a token is believed; 0 keeps nothing. */
  readonly ttl: number;
  /** How many tokens are kept. */
  readonly max: number;
}

/** Power of two. */
const RECENT_SLOTS = 256;
/** Characters at the end of a token, which are those of its signature, that choose its slot. */
const SLOT_CHARACTERS = 4;

interface RecentToken {
  readonly text: string;
  readonly verified: VerifiedToken;
}

/**
 * Remembers verified tokens until their `exp` or for the ttl, whichever is shorter, and never longer than
 * their key is published. Holds digests only, so that a heap dump gives away no token, but for the few that were used
 * last: those are found by their text, because a digest costs as much as several stages.
 */
export class TokenCache {
  readonly #tokens: LRUCache<string, VerifiedToken>;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #recent = new Array<RecentToken | undefined>(RECENT_SLOTS).fill(undefined);

  constructor(options: TokenCacheOptions, clock: Clock = Date.now) {
    this.#tokens = new LRUCache({ max: options.max });
    this.#ttlMs = options.ttl;
    this.#clock = clock;
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#tokens.size;
  }

  /** Returns who presented the token, if it was verified, has not expired and its key still stands. */
  get(token: string): Principal | undefined {
    const slot = slotOf(token);
    const recent = this.#recent[slot];
    // The whole text is compared: the slot only says where to look.
    if (recent !== undefined && recent.text === token && this.#stands(recent.verified))
      return recent.verified.principal;
    const digest = hash('sha256', token, 'base64');
    const verified = this.#tokens.get(digest);
    if (verified === undefined) return undefined;
    if (!this.#stands(verified)) {
      this.#tokens.delete(digest);
      this.#recent[slot] = undefined;
      return undefined;
    }
    this.#recent[slot] = { text: token, verified };
    return verified.principal;
  }

  /**
   * Remembers a verified token.
   *
   * @param expiresAt its `exp`, in ms since the epoch.
   */
  set(token: string, principal: Principal, key: Verifying, expiresAt: number): void {
    const now = this.#clock();
    const until = Math.min(expiresAt, now + this.#ttlMs);
    if (until > now) this.#tokens.set(hash('sha256', token, 'base64'), { principal, key, until });
  }

  #stands({ until, key }: VerifiedToken): boolean {
    return this.#clock() < until && !key.withdrawn;
  }
}

function slotOf(token: string): number {
  let slot = 0;
  for (let i = token.length - SLOT_CHARACTERS; i < token.length; i += 1)
    slot = (slot * 31 + token.charCodeAt(i)) & (RECENT_SLOTS - 1);
  return slot;
}
