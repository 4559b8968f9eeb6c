import type { Exchange } from '../../../exchange/exchange.ts';
import { addressBlock } from '../../../exchange/address-block.ts';
import type { BucketRule } from '../../../policies/rate-limit/rate-limiter.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import { Problem, retryAfterSeconds } from '../../../problems/problem.ts';

const REFILL_MS = 60_000;
const RETRY_AFTER_S = '5';

/** How many sockets there may be. */
export interface AdmissionLimits {
  /** Most of clients that are known. */
  readonly sockets: number;
  /** Most of clients that have yet to say who they are. */
  readonly unidentified: number;
  /** Most of these at once from one address, and in a minute those that never say it. */
  readonly perAddress: number;
}

/** The place of one socket. */
export interface SocketPlace {
  /** Takes the place of a known client; false when all of them are taken. */
  identify(): boolean;
  /** Gives the place back; more than once makes no difference. */
  leave(): void;
}

/**
 * Gives sockets their places. Who has yet to say who he is takes none from those who have: he is counted apart, and
 * charged to his address until he says it, so that handshakes alone keep nobody out. Counted in this process.
 */
export class SocketAdmission {
  readonly #limits: AdmissionLimits;
  readonly #rule: BucketRule;
  readonly #addresses = new MemoryTokenBucket();
  #identified = 0;
  #unidentified = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#rule = { rate: limits.perAddress, perMs: REFILL_MS, burst: limits.perAddress };
  }

  /**
   * Admits the socket of an exchange.
   *
   * @throws {Problem} `rate-limited` when there is no place for it.
   */
  admit(exchange: Exchange): SocketPlace {
    if (this.#identified >= this.#limits.sockets) throw full();
    if (exchange.principal !== undefined) {
      this.#identified += 1;
      return { identify: () => true, leave: once(() => (this.#identified -= 1)) };
    }
    if (this.#unidentified >= this.#limits.unidentified) throw full();
    const address = addressBlock(exchange.clientAddress);
    const { allowed, retryAfterMs } = this.#addresses.take(address, this.#rule, 1);
    if (!allowed)
      throw new Problem('rate-limited', {
        headers: { 'retry-after': retryAfterSeconds(retryAfterMs) },
        by: 'unidentified sockets',
      });
    this.#unidentified += 1;
    return this.#unidentifiedPlace(address);
  }

  #unidentifiedPlace(address: string): SocketPlace {
    let isIdentified = false;
    const identify = (): boolean => {
      // Known clients are charged by their own limits.
      this.#addresses.refund(address, this.#rule, 1);
      if (this.#identified >= this.#limits.sockets) return false;
      isIdentified = true;
      this.#unidentified -= 1;
      this.#identified += 1;
      return true;
    };
    const leave = once(() => {
      if (isIdentified) this.#identified -= 1;
      else this.#unidentified -= 1;
    });
    return { identify, leave };
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

function full(): Problem {
  return new Problem('rate-limited', { headers: { 'retry-after': RETRY_AFTER_S }, by: 'sockets' });
}
