import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../../store/store-guard.ts';
import { unavailable, type Clock } from '../verifier.ts';

/** What proofs are remembered by, and where. */
export interface SeenProofsDeps {
  /** How long a proof could be presented again, in ms. */
  readonly keepMs: number;
  /** How many a process remembers in that time. */
  readonly max: number;
  readonly onStoreError: 'closed' | 'local';
  /** What replicas share; absent: this process is alone. */
  readonly store?: { readonly redis: Redis; readonly guard: StoreGuard } | undefined;
  readonly clock: Clock;
}

/** The share of the memory that one key may have. */
const SHARE_OF_A_KEY = 10;
const RETRY_AFTER_MS = 1000;
const KEY = 'dpop:';
/** Longer than for a limit: without an answer requests are refused. */
const BUDGET_MS = 50;

/** The proofs that were seen since a time, by key. */
class Generation {
  readonly #byKey = new Map<string, Set<string>>();
  size = 0;

  has(key: string, digest: string): boolean {
    return this.#byKey.get(key)?.has(digest) === true;
  }

  sizeOf(key: string): number {
    return this.#byKey.get(key)?.size ?? 0;
  }

  add(key: string, digest: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, new Set([digest]));
    else known.add(digest);
    this.size += 1;
  }
}

/**
 * Remembers which proofs were presented, for as long as they would hold. Two generations take turns, so that nothing has to be
 * looked through; a proof is forgotten after once to twice that time.
 */
export class SeenProofs {
  readonly #deps: SeenProofsDeps;
  #now = new Generation();
  #before = new Generation();
  #turnsAt: number;

  constructor(deps: SeenProofsDeps) {
    this.#deps = deps;
    this.#turnsAt = deps.clock() + deps.keepMs;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#now.size + this.#before.size;
  }

  /**
   * Takes note of a proof.
   *
   * @param key thumbprint of the key that it is made with.
   * @param digest names the proof among those of the key.
   * @returns whether it is new.
   * @throws {Problem} `identity-unavailable` where that cannot be known.
   */
  async take(key: string, digest: string): Promise<boolean> {
    this.#turn();
    if (this.#now.has(key, digest) || this.#before.has(key, digest)) return false;
    const { max, store } = this.#deps;
    // Fails closed: what is not remembered could come again. A key has a share, so that one client cannot keep out the others.
    if (this.#now.size >= max || this.#now.sizeOf(key) >= max / SHARE_OF_A_KEY)
      throw unavailable(Math.max(this.#turnsAt - this.#deps.clock(), RETRY_AFTER_MS));
    // Before anybody is asked: the same proof may come twice in the meantime.
    this.#now.add(key, digest);
    return store === undefined || this.#isNewTo(store, key + digest);
  }

  async #isNewTo({ redis, guard }: NonNullable<SeenProofsDeps['store']>, name: string): Promise<boolean> {
    const { keepMs, onStoreError } = this.#deps;
    const set = await guard
      .forUse('proofs', { budgetMs: BUDGET_MS })
      .run(() => redis.set(KEY + name, '1', 'PX', Math.ceil(keepMs), 'NX'));
    if (set !== STORE_UNAVAILABLE) return set === 'OK';
    // Fails open where the configuration says so: then a proof can be presented once at each replica.
    if (onStoreError === 'local') return true;
    // Fails closed: another replica may have seen it.
    throw unavailable(RETRY_AFTER_MS);
  }

  #turn(): void {
    const now = this.#deps.clock();
    if (now < this.#turnsAt) return;
    // After a long silence both are old.
    this.#before = now - this.#turnsAt < this.#deps.keepMs ? this.#now : new Generation();
    this.#now = new Generation();
    this.#turnsAt = now + this.#deps.keepMs;
  }
}
