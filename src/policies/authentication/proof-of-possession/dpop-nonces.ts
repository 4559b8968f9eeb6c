import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../verifier.ts';

const BYTES = 16;

/**
 * The nonces that proofs have to have: a digest of the time, made with a secret, so that replicas that share it need not tell
 * each other.
 */
export class DpopNonces {
  readonly #secret: string | Buffer;
  readonly #lifetimeMs: number;
  readonly #clock: Clock;
  #slot = -1;
  #current = '';
  #previous = '';

  /** @param secret default: a random one, of this process. */
  constructor(lifetimeMs: number, secret: string | undefined, clock: Clock) {
    this.#secret = secret ?? randomBytes(32);
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  /** The one that is given out now. */
  get current(): string {
    this.#turn();
    return this.#current;
  }

  /** Whether a nonce is one of ours that still holds. */
  takes(nonce: unknown): boolean {
    this.#turn();
    return typeof nonce === 'string' && (equal(nonce, this.#current) || equal(nonce, this.#previous));
  }

  #turn(): void {
    const slot = Math.floor(this.#clock() / this.#lifetimeMs);
    if (slot === this.#slot) return;
    this.#slot = slot;
    this.#current = this.#of(slot);
    this.#previous = this.#of(slot - 1);
  }

  #of(slot: number): string {
    const digest = createHmac('sha256', this.#secret).update(`dpop-nonce ${slot}`).digest();
    return digest.subarray(0, BYTES).toString('base64url');
  }
}

function equal(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
