import { LRUCache } from 'lru-cache';
import type { BucketRule, RateLimiter } from '../../../policies/rate-limit/rate-limiter.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import { sha256 } from './trusted-documents.ts';

const MIB = 1024 * 1024;
const MEMORY_BYTES = 16 * MIB;
const BYTES_PER_ENTRY = 256;
const KEPT_FOR_S = 24 * 60 * 60;
const KEY = 'graphql:apq:';
const EVERYBODY = 'all';

/** Texts that all replicas share; what cannot be told in time is not there. */
export interface TextStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlS: number): void;
}

/** How many bytes of texts are kept: half of them may come at once, the other half in the course of a day. */
export interface PersistedShares {
  /** For one principal, or one address of those who have none, in this process as well as in the store. Default 2 MiB. */
  readonly perPrincipal: number;
  /** For all together, in the store. Default 64 MiB. */
  readonly inStore: number;
}

const SHARES: PersistedShares = { perPrincipal: 2 * MIB, inStore: 64 * MIB };

/** Where texts are kept beside this process, and who counts there. */
export interface SharedPlace {
  readonly store: TextStore;
  /** Counts for all replicas, where it can. */
  readonly limiter: RateLimiter;
}

/**
 * Remembers documents that clients sent once, by their hash: in this process within a number of bytes, and in
 * the shared store for a day when there is one, so that all replicas know them. What is not there is not found;
 * the client then sends the text again, which is all that this may ever cost. Nobody fills it alone: each principal has
 * a share, counted in bytes that flow back within the day for which they are kept.
 */
export class PersistedQueries {
  readonly #known = new LRUCache<string, string>({ maxSize: MEMORY_BYTES });
  readonly #shared: SharedPlace | undefined;
  readonly #own = new MemoryTokenBucket();
  readonly #perPrincipal: BucketRule;
  readonly #inStore: BucketRule;

  constructor(shared: SharedPlace | undefined, { perPrincipal, inStore } = SHARES) {
    this.#shared = shared;
    this.#perPrincipal = ruleOf(perPrincipal);
    this.#inStore = ruleOf(inStore);
  }

  /** The text of a hash; undefined when nobody has sent it. */
  async find(hash: string): Promise<string | undefined> {
    const known = this.#known.get(hash);
    if (known !== undefined || this.#shared === undefined) return known;
    const text = await this.#shared.store.get(KEY + hash);
    // Whoever can write to the store must not be able to pass off one document as another.
    if (text === undefined || sha256(text) !== hash) return undefined;
    this.#remember(hash, text);
    return text;
  }

  /** Keeps a text whose hash was checked, unless the share of its owner is used up. Nobody waits for the store. */
  keep(hash: string, text: string, owner: string): void {
    if (this.#known.get(hash) !== undefined) return;
    const bytes = Buffer.byteLength(text) + BYTES_PER_ENTRY;
    if (!this.#own.take(owner, this.#perPrincipal, bytes).allowed) return;
    this.#remember(hash, text);
    if (this.#shared !== undefined) void share(this.#shared, { hash, text, bytes, owner }, this.#rules);
  }

  get #rules(): Rules {
    return { perPrincipal: this.#perPrincipal, inStore: this.#inStore };
  }

  #remember(hash: string, text: string): void {
    this.#known.set(hash, text, { size: text.length * 2 + BYTES_PER_ENTRY });
  }
}

interface Rules {
  readonly perPrincipal: BucketRule;
  readonly inStore: BucketRule;
}

interface Kept {
  readonly hash: string;
  readonly text: string;
  readonly bytes: number;
  readonly owner: string;
}

async function share({ store, limiter }: SharedPlace, kept: Kept, rules: Rules): Promise<void> {
  const { hash, text, bytes, owner } = kept;
  // Another replica may have kept it: that is paid for.
  if ((await store.get(KEY + hash)) === text) return;
  if (!(await isGranted(limiter, KEY + owner, rules.perPrincipal, bytes))) return;
  if (await isGranted(limiter, KEY + EVERYBODY, rules.inStore, bytes))
    return store.set(KEY + hash, text, KEPT_FOR_S);
  limiter.refund(KEY + owner, rules.perPrincipal, bytes);
}

// Fails closed: where it cannot be counted nothing is kept, and clients send their texts.
async function isGranted(
  limiter: RateLimiter,
  key: string,
  rule: BucketRule,
  bytes: number,
): Promise<boolean> {
  const outcome = await limiter.take(key, rule, bytes);
  return typeof outcome === 'object' && outcome.allowed;
}

function ruleOf(bytes: number): BucketRule {
  return { rate: bytes / 2, perMs: KEPT_FOR_S * 1000, burst: bytes / 2 };
}
