import { createHash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { addressBlock } from '../../exchange/address-block.ts';
import { Damping } from '../../policies/authentication/damping/damping.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TokenEntry } from './access-file.ts';
import type { Refusal, Verdict } from './roles.ts';

/** After so many bad credentials within the window, an address is not looked at until it ends. */
const DAMPED = { failures: 10, window: 30_000 };
/** Characters of a token of 256 bits in 64 characters; a digest of a shorter one may be guessed. */
const LEAST_CHARACTERS = 43;
const MOST_CHARACTERS = 512;
/** Of how many addresses and tokens it is remembered that they belong together. */
const MOST_KNOWN = 1000;

/** Looks at tokens, and less at those of addresses that many bad ones come from. */
export class TokenCheck {
  readonly #damping: Damping;
  readonly #clock: () => number;
  /** Tokens that were good, each with the address that it came from. */
  readonly #known = new LRUCache<string, true>({ max: MOST_KNOWN });

  constructor(clock: () => number, logger?: Logger) {
    this.#clock = clock;
    this.#damping = new Damping({ logger, clock });
  }

  /**
   * Whose token it is. Where too many bad ones come from, only those are looked at that were good there before: whoever shares
   * an address with somebody who guesses is not locked out, and nobody learns whether a guess was right.
   */
  check(token: unknown, address: string, entries: readonly TokenEntry[]): Verdict {
    const entry = typeof token === 'string' ? find(token, entries) : undefined;
    const place = entry && `${addressBlock(address)} ${entry.sha256}`;
    const leftMs = this.#damping.leftMs(address);
    if (leftMs > 0 && (place === undefined || !this.#known.has(place))) {
      const retryAfterS = Math.ceil(leftMs / 1000);
      return refused('damped', `too many bad credentials from this address; try again in ${retryAfterS} s`, { retryAfterS }); // prettier-ignore
    }
    if (entry === undefined || place === undefined) {
      this.#damping.failed(address, DAMPED);
      return refused('unknown-token', 'this is no token of this listener');
    }
    // It was good once, so that it is nobody's guess.
    if (entry.expires !== undefined && entry.expires <= this.#clock())
      return refused('expired', `the token of "${entry.name}" has expired`, { name: entry.name });
    this.#known.set(place, true);
    return { caller: { name: entry.name, role: entry.role, by: 'token' } };
  }
}

/** Lets somebody not in. */
export function refused(reason: Refusal['reason'], error: string, more: Partial<Refusal> = {}): Verdict {
  return { refusal: { reason, error, ...more } };
}

/** What the file of tokens holds of one, in bytes. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

// All of them are compared, each in the same time, so that how long it takes tells nothing.
function find(token: string, entries: readonly TokenEntry[]): TokenEntry | undefined {
  if (token.length < LEAST_CHARACTERS || token.length > MOST_CHARACTERS) return undefined;
  const digest = digestOf(token);
  let found: TokenEntry | undefined;
  for (const entry of entries) if (timingSafeEqual(digest, Buffer.from(entry.sha256, 'hex'))) found = entry;
  return found;
}
