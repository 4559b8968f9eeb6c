import type { Logger } from '../telemetry/logger.ts';
import { keySetDocument, MAX_AGE_S, type KeyRing, type KeySetDocument } from './key-ring.ts';
import { generatedKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts';

/** Keeps the keys that all replicas share, one for each epoch. */
export interface KeyStore {
  /**
   * The key of an epoch: the one that is kept, or else the given one, which is kept from now on.
   *
   * @returns undefined when the store does not answer, or has something there that is no key of ours.
   */
  agree(epoch: number, offered: (() => SigningKey) | undefined): Promise<SigningKey | undefined>;
}

/** What rotating keys are made with. */
export interface RotationOptions {
  readonly id: string;
  /** How long each key signs, in ms. */
  readonly rotateMs: number;
  readonly algorithm: SigningAlgorithm;
  readonly store: KeyStore;
  readonly logger?: Logger | undefined;
  readonly clock?: (() => number) | undefined;
}

/** The part of an epoch after which the store is asked again, and the longest time until then. */
const LOOKS_PER_EPOCH = 10;
const LONGEST_LOOK_MS = 30_000;
/** How soon it is asked again while keys are missing. */
const SOON_MS = 500;
/** A key set may be kept for a quarter of an epoch: a key is published for most of one before it signs. */
const AGES_PER_EPOCH = 4;

/**
 * Keys that the gateway makes by itself. Time is cut into epochs of `rotate`, and each has one key, on which the replicas agree
 * through a store. Published are always those of the epochs before, now and next: whoever has kept the key set for less than
 * an epoch can verify what any replica signs.
 */
export class RotatingKeys implements KeyRing {
  readonly id: string;
  readonly #options: RotationOptions;
  readonly #clock: () => number;
  /** By epoch; where a store has lost its memory, an epoch may have had two. The last one signs. */
  readonly #keys = new Map<number, readonly SigningKey[]>();
  #document: KeySetDocument | undefined = undefined;
  #looking: Promise<void> | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #holders = 0;
  #isMissing = false;

  constructor(options: RotationOptions) {
    this.id = options.id;
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  current(): SigningKey | undefined {
    const now = this.#epoch();
    const own = this.#keys.get(now)?.at(-1);
    if (own !== undefined) return own;
    // Fails open: while the store is gone the last key signs on. Every replica publishes it as long as it has no later one.
    const earlier = [...this.#keys.keys()].filter((epoch) => epoch < now);
    return this.#keys.get(Math.max(...earlier))?.at(-1);
  }

  document(): KeySetDocument {
    return (this.#document ??= this.#published());
  }

  ready(): Promise<void> {
    return this.current() === undefined ? this.look() : Promise.resolve();
  }

  hold(): void {
    this.#holders += 1;
    if (this.#holders === 1) void this.look();
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Asks the store for the keys of this epoch and of those beside it. Who asks meanwhile waits for the same answer. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      this.#lookAgain();
    }));
  }

  async #look(): Promise<void> {
    const now = this.#epoch();
    const isWhole = [
      await this.#agree(now, true),
      await this.#agree(now + 1, true),
      // Nobody has signed with one that there is not.
      (await this.#agree(now - 1, false)) || true,
    ].every(Boolean);
    this.#tell(!isWhole);
    if (!this.#keys.has(now)) return;
    for (const epoch of this.#keys.keys()) if (epoch < now - 1) this.#keys.delete(epoch);
    this.#document = undefined;
  }

  async #agree(epoch: number, isWanted: boolean): Promise<boolean> {
    const known = this.#keys.get(epoch) ?? [];
    const offered = isWanted
      ? (): SigningKey => known.at(-1) ?? generatedKey(this.#options.algorithm)
      : undefined;
    const key = await this.#options.store.agree(epoch, offered);
    if (key === undefined) return false;
    const { kid } = key.published;
    this.#keys.set(epoch, [...known.filter((one) => one.published.kid !== kid), key]);
    return true;
  }

  #published(): KeySetDocument {
    const { rotateMs } = this.#options;
    const keys = [...this.#keys].sort(([a], [b]) => a - b).flatMap(([, some]) => some);
    const maxAgeS = Math.min(MAX_AGE_S, Math.floor(rotateMs / AGES_PER_EPOCH / 1000));
    // Without keys nobody shall remember that.
    return keySetDocument(keys.map(({ published }) => published), keys.length === 0 ? 0 : maxAgeS); // prettier-ignore
  }

  #epoch(): number {
    return Math.floor(this.#clock() / this.#options.rotateMs);
  }

  #lookAgain(): void {
    clearTimeout(this.#timer);
    if (this.#holders === 0) return;
    const waitMs = Math.min(LONGEST_LOOK_MS, this.#options.rotateMs / LOOKS_PER_EPOCH);
    this.#timer = setTimeout(() => void this.look(), this.#isMissing ? SOON_MS : waitMs).unref();
  }

  #tell(isMissing: boolean): void {
    if (isMissing === this.#isMissing) return;
    this.#isMissing = isMissing;
    const { logger } = this.#options;
    if (isMissing) logger?.warn({}, 'signing keys: Redis tells none for this time or the next; the last known one signs on');
    else logger?.info({}, 'signing keys: there are keys for this time and the next'); // prettier-ignore
  }
}
