import { LRUCache } from 'lru-cache';
import type { Principal } from '../../../exchange/principal.ts';
import type { ApiKeyRecord, ApiKeyStore } from './api-key.store.ts';
import { unavailable, type Clock } from '../verifier.ts';

/** How long an answer of the store is believed: the longest time that a disabled key goes on working. */
const FRESH_MS = 5000;
/** How long a key that the store has confirmed goes on working while the store is down. */
const OUTAGE_MS = 60_000;
/** How long a store that failed is left alone. */
const STORE_PAUSE_MS = 1000;
const MAX_KEYS = 10_000;

interface AcceptedKey {
  readonly principal: Principal;
  readonly confirmedAt: number;
}

/**
 * Knows who holds an API key: keys of the configuration first, then those of the store. Answers of the store,
 * yes and no alike, are remembered for 5 s, so a busy key costs it one look-up in that time.
 */
export class ApiKeyDirectory {
  readonly #configured: ReadonlyMap<string, Principal | undefined>;
  readonly #store: ApiKeyStore | undefined;
  readonly #clock: Clock;
  readonly #accepted = new LRUCache<string, AcceptedKey>({ max: MAX_KEYS });
  /** Apart from the accepted ones, so that made-up keys cannot push those out. */
  readonly #refusedAt = new LRUCache<string, number>({ max: MAX_KEYS });
  readonly #asking = new Map<string, Promise<Principal | undefined>>();
  #askAgainAt = -Infinity;
  #failure: unknown = undefined;

  constructor(configured: readonly ApiKeyRecord[], store: ApiKeyStore | undefined, clock: Clock = Date.now) {
    this.#configured = new Map(configured.map((record) => [record.sha256, holderOf(record)]));
    this.#store = store;
    this.#clock = clock;
  }

  /** False when there is neither a configured key nor a store. */
  get configured(): boolean {
    return this.#configured.size > 0 || this.#store !== undefined;
  }

  /**
   * Returns the holder of a key, or undefined for a key that is unknown or disabled. Synchronous while the
   * last answer is fresh.
   *
   * @throws {Problem} `identity-unavailable` when the store is down and the key was not confirmed lately.
   */
  holder(sha256: string): Principal | undefined | Promise<Principal | undefined> {
    if (this.#configured.has(sha256)) return this.#configured.get(sha256);
    if (this.#store === undefined) return undefined;
    const now = this.#clock();
    const accepted = this.#accepted.get(sha256);
    if (accepted !== undefined && now < accepted.confirmedAt + FRESH_MS) return accepted.principal;
    const refusedAt = this.#refusedAt.get(sha256);
    if (refusedAt !== undefined && now < refusedAt + FRESH_MS) return undefined;
    if (now < this.#askAgainAt) return this.#withoutStore(sha256);
    return this.#askOnce(this.#store, sha256);
  }

  /** Requests that miss the same key at the same time share one look-up. */
  #askOnce(store: ApiKeyStore, sha256: string): Promise<Principal | undefined> {
    let asking = this.#asking.get(sha256);
    if (asking === undefined) {
      asking = this.#ask(store, sha256).finally(() => this.#asking.delete(sha256));
      this.#asking.set(sha256, asking);
    }
    return asking;
  }

  async #ask(store: ApiKeyStore, sha256: string): Promise<Principal | undefined> {
    let record: ApiKeyRecord | undefined;
    try {
      record = await store.find(sha256);
    } catch (error) {
      this.#failure = error;
      this.#askAgainAt = this.#clock() + STORE_PAUSE_MS;
      return this.#withoutStore(sha256);
    }
    const principal = record === undefined ? undefined : holderOf(record);
    if (principal === undefined) {
      this.#accepted.delete(sha256);
      this.#refusedAt.set(sha256, this.#clock());
    } else {
      this.#refusedAt.delete(sha256);
      this.#accepted.set(sha256, { principal, confirmedAt: this.#clock() });
    }
    return principal;
  }

  /**
   * Fails open for keys that were confirmed within the last minute, because a short outage of the store must
   * not cut off every client; fails closed for all others.
   */
  #withoutStore(sha256: string): Principal {
    const accepted = this.#accepted.get(sha256);
    const now = this.#clock();
    if (accepted !== undefined && now < accepted.confirmedAt + OUTAGE_MS) return accepted.principal;
    throw unavailable(this.#askAgainAt - now, this.#failure);
  }
}

function holderOf(record: ApiKeyRecord): Principal | undefined {
  if (record.status !== 'active') return undefined;
  return Object.freeze({
    id: record.clientId,
    scheme: 'apiKey',
    issuer: undefined,
    subject: undefined,
    clientId: record.clientId,
    apiKeyId: record.sha256,
    roles: Object.freeze([...record.roles]),
    permissions: Object.freeze([...record.permissions]),
    scopes: NOTHING,
    email: undefined,
    tenant: undefined,
    tier: record.tier,
    claims: NO_CLAIMS,
  });
}

const NOTHING: readonly string[] = Object.freeze([]);
const NO_CLAIMS = Object.freeze({});
