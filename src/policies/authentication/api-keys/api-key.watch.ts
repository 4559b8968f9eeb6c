import type { Exchange } from '../../../exchange/exchange.ts';
import type { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { credentialsOf } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import type { PubSub } from '../../../store/pub-sub.ts';
import { endExchange } from '../revocation/revoked-exchange.ts';
import type { Upkeep } from '../scheme.ts';
import { unavailable, type Clock } from '../verifier.ts';
import type { ApiKeyDirectory } from './api-key.directory.ts';
import type { ApiKeyUsage } from './api-key.usage.ts';
import { refusalOf, type KnownKey } from './known-key.ts';

/** The channel on which replicas tell each other of keys that have changed, by their hash. */
export const KEY_CHANGES = 'api-keys';

/** How often the keys of open exchanges are looked at again: one that has expired ends what it has opened within a second. */
const LOOK_MS = 500;
/** So many looks go by what is known, before the store is asked again: a change that nobody has told of is seen by then. */
const LOOKS_PER_ASKING = 4;
/** Changes that come together are looked at together. */
const GATHER_MS = 20;
/** Keys that are looked up at once, so that requests have their turn. */
const BATCH = 200;
const RETRY_AFTER_MS = 1000;

const HASH = /^[0-9a-f]{64}$/;

/** Keys of the configuration by their hash. */
export type ConfiguredKeys = ReadonlyMap<string, KnownKey>;

/** What a watch looks at. */
export interface WatchDeps {
  readonly exchanges: OpenExchanges;
  /** Undefined where there is no store. */
  readonly directory: ApiKeyDirectory | undefined;
  readonly usage: ApiKeyUsage | undefined;
  readonly pubSub: PubSub | undefined;
  readonly clock: Clock;
  /** How often it looks again. Default 0.5 s. */
  readonly lookMs?: number | undefined;
}

/**
 * Has changes of keys act on what is under way: a key that was revoked, has expired or is gone ends its requests, streams and
 * sockets, at once when somebody tells of it and within seconds when nobody does.
 */
export class ApiKeyWatch implements Upkeep {
  readonly #deps: WatchDeps;
  readonly #changed = new Set<string>();
  #configured: ConfiguredKeys = new Map();
  #timer: NodeJS.Timeout | undefined = undefined;
  #soon: NodeJS.Timeout | undefined = undefined;
  #deaf: (() => void) | undefined = undefined;
  #isLooking = false;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const { pubSub, directory, lookMs = LOOK_MS } = this.#deps;
    this.#timer = setInterval(() => void this.#lookAtAll(), lookMs).unref();
    if (directory !== undefined) this.#deaf = pubSub?.listen(KEY_CHANGES, (hash) => this.#heard(hash));
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#timer = undefined;
    this.#soon = undefined;
    this.#deaf?.();
    void this.#deps.usage?.flush();
  }

  /** Takes over the keys of a configuration that has come into force. */
  use(configured: ConfiguredKeys): void {
    this.#configured = configured;
    void this.#lookAtAll();
  }

  /** Lets an exchange begin with a key, until that ends. */
  admitted(exchange: Exchange, key: KnownKey, now: number): void {
    this.#deps.exchanges.add(exchange);
    this.#deps.usage?.note(key, now);
  }

  #heard(hash: string): void {
    if (!HASH.test(hash)) return;
    this.#deps.directory?.forget(hash);
    this.#changed.add(hash);
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      const changed = new Set(this.#changed);
      this.#changed.clear();
      void this.#lookAt((hash) => changed.has(hash));
    }, GATHER_MS).unref();
  }

  async #lookAtAll(): Promise<void> {
    // One at a time: a slow store shall not be asked twice.
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#lookAt(() => true).finally(() => {
      this.#isLooking = false;
    });
  }

  async #lookAt(isMeant: (hash: string) => boolean): Promise<void> {
    const byKey = new Map<string, Exchange[]>();
    for (const exchange of this.#deps.exchanges.filter(({ principal }) => principal !== undefined)) {
      for (const hash of keysOf(exchange)) {
        if (!isMeant(hash)) continue;
        const others = byKey.get(hash);
        if (others === undefined) byKey.set(hash, [exchange]);
        else others.push(exchange);
      }
    }
    const all = [...byKey];
    for (let i = 0; i < all.length; i += BATCH)
      await Promise.all(all.slice(i, i + BATCH).map(([hash, exchanges]) => this.#check(hash, exchanges)));
  }

  async #check(hash: string, exchanges: readonly Exchange[]): Promise<void> {
    const { directory, clock, lookMs = LOOK_MS } = this.#deps;
    let key: KnownKey | undefined;
    let fault: Problem | undefined;
    try {
      key = this.#configured.get(hash) ?? (await directory?.find(hash, lookMs * LOOKS_PER_ASKING));
    } catch (error) {
      // Fails closed, after the minute for which a key goes on without its store.
      fault = error instanceof Problem ? error : unavailable(RETRY_AFTER_MS, error);
    }
    for (const exchange of exchanges) {
      const problem = fault ?? refusalOf(key, exchange, clock());
      if (problem !== undefined && exchange.listedIn !== undefined) endExchange(exchange, problem);
    }
  }
}

const NO_KEYS: readonly string[] = [];

// A key may have come beside another credential.
function keysOf({ principal }: Exchange): readonly string[] {
  if (principal === undefined) return NO_KEYS;
  if (principal.also === undefined) return principal.apiKeyId === undefined ? NO_KEYS : [principal.apiKeyId];
  return credentialsOf(principal).flatMap(({ apiKeyId }) => (apiKeyId === undefined ? [] : [apiKeyId]));
}
