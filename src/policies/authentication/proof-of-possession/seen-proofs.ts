import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../../store/store-guard.ts';
import { unavailable, type Clock } from '../verifier.ts';
import { ProofGeneration } from './proof-generation.ts';

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

/** Who presents a proof. */
export interface ProofHolder {
  /** Who calls, as one text. */
  readonly caller: string;
  /** The thumbprint of his key. */
  readonly key: string;
}

/** The share of the memory that one caller may have, however many keys he makes. */
const SHARE_OF_A_CALLER = 10;
/** The share from which on a caller can be shut out for the sake of others, when there is no room. */
const SHARE_OF_A_FLOOD = 1000;
const RETRY_AFTER_MS = 1000;
const KEY = 'dpop:';
/** Longer than for a limit: without an answer requests are refused. */
const BUDGET_MS = 50;

/**
 * Remembers which proofs were presented, for as long as they would hold. Two generations take turns, so that nothing has to be
 * looked through; a proof is forgotten after once to twice that time. The memory is bounded, and whoever fills it is refused, not
 * those beside him: a caller has a share of it, and when several callers have filled it, the one who has most is shut out for as
 * long as his proofs would hold, which are forgotten for that.
 */
export class SeenProofs {
  readonly #deps: SeenProofsDeps;
  #now = new ProofGeneration();
  #before = new ProofGeneration();
  #turnsAt: number;
  /** Whether it is full of callers none of whom is a flood: then nobody is looked for again before the next turn. */
  #isCrowded = false;

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
   * @param by who presents it, and the thumbprint of the key that it is made with.
   * @param digest names the proof among those of the key.
   * @returns whether it is new.
   * @throws {Problem} `identity-unavailable` where that cannot be known.
   */
  async take({ caller, key }: ProofHolder, digest: string): Promise<boolean> {
    this.#turn();
    if (this.#now.has(caller, key, digest) || this.#before.has(caller, key, digest)) return false;
    // Fails closed: what is not remembered could come again.
    if (!this.#hasRoomFor(caller))
      throw unavailable(Math.max(this.#turnsAt - this.#deps.clock(), RETRY_AFTER_MS));
    // Before anybody is asked: the same proof may come twice in the meantime.
    this.#now.add(caller, key, digest);
    const { store } = this.#deps;
    return store === undefined || this.#isNewTo(store, key + digest);
  }

  #hasRoomFor(caller: string): boolean {
    const { max } = this.#deps;
    if (this.#now.shuts(caller) || this.#before.shuts(caller)) return false;
    if (this.#now.sizeOf(caller) >= max / SHARE_OF_A_CALLER) return false;
    if (this.#now.size < max) return true;
    if (this.#isCrowded) return false;
    this.#isCrowded = !this.#now.shutHeaviest(Math.max(2, max / SHARE_OF_A_FLOOD));
    // It may have been this one.
    return !this.#isCrowded && !this.#now.shuts(caller);
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
    this.#before = now - this.#turnsAt < this.#deps.keepMs ? this.#now : new ProofGeneration();
    this.#now = new ProofGeneration();
    this.#isCrowded = false;
    this.#turnsAt = now + this.#deps.keepMs;
  }
}
