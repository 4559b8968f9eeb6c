import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../store/store-guard.ts';
import type { KeyStore } from './rotating-keys.ts';
import type { KeySeal } from './sealed-key.ts';
import type { SigningKey } from './signing-key.ts';

const BUDGET_MS = 2000;
/** A key is published for three epochs; the clocks of replicas may be apart. */
const EPOCHS_KEPT = 4;

/** Keeps encrypted keys in Redis, where the first replica that offers one for an epoch decides. */
export class RedisKeyStore implements KeyStore {
  readonly #redis: Redis;
  readonly #guard: StoreGuard;
  readonly #seal: KeySeal;
  readonly #prefix: string;
  readonly #keepMs: number;

  /** @param name of the keys: who asks for others has others. */
  constructor(
    { redis, guard }: { readonly redis: Redis; readonly guard: StoreGuard },
    seal: KeySeal,
    { name, rotateMs }: { readonly name: string; readonly rotateMs: number },
  ) {
    this.#redis = redis;
    this.#guard = guard.forUse('signing', { budgetMs: BUDGET_MS });
    this.#seal = seal;
    this.#prefix = `gatehouse:signing:${seal.id}:${name}:`;
    this.#keepMs = EPOCHS_KEPT * rotateMs;
  }

  async agree(epoch: number, offered: (() => SigningKey) | undefined): Promise<SigningKey | undefined> {
    const place = this.#prefix + String(epoch);
    const kept = await this.#ask(() => this.#redis.get(place));
    if (typeof kept === 'string') return this.#seal.open(kept, place);
    if (kept !== null || offered === undefined) return undefined;
    const text = this.#seal.seal(offered(), place);
    // Whoever comes first: what is there by then is what all replicas read.
    await this.#ask(() => this.#redis.set(place, text, 'PX', this.#keepMs, 'NX'));
    const agreed = await this.#ask(() => this.#redis.get(place));
    return typeof agreed === 'string' ? this.#seal.open(agreed, place) : undefined;
  }

  async #ask(call: () => Promise<string | null>): Promise<string | null | undefined> {
    const answer = await this.#guard.run(call);
    return answer === STORE_UNAVAILABLE ? undefined : answer;
  }
}
