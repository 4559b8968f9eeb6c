import { Logger } from '@nestjs/common';
import { errorName } from '../../../telemetry/error-facts.ts';
import type { JwtAlgorithm } from '../identity.schema.ts';
import type { JwksLoader } from './jwks-document.ts';
import type { KeySource, SigningKey } from './signing-key.ts';
import { unavailable, type Clock } from '../verifier.ts';

/** How a key set is kept fresh. */
export interface JwksOptions {
  /** The issuer, for the log. */
  readonly issuer: string;
  /** The file that is read, for the log. */
  readonly file?: string;
  readonly load: JwksLoader;
  readonly refreshMs: number;
  readonly cooldownMs: number;
  readonly clock?: Clock;
}

/** Pause between attempts while the issuer has never answered: then every token waits for it. */
const FIRST_KEYS_COOLDOWN_MS = 1000;

/**
 * The key set of an issuer. It is loaded in the background, and once more when a token names an unknown key,
 * so that a rotation heals within the request that meets it; at most once per cooldown, so that made-up
 * names cannot flood the issuer.
 */
export class Jwks implements KeySource {
  readonly #options: JwksOptions;
  readonly #clock: Clock;
  readonly #log = new Logger('Jwks');
  #keys: readonly SigningKey[] | undefined = undefined;
  #failure: unknown = undefined;
  #loading: Promise<void> | undefined = undefined;
  #nextExtraLoadAt = -Infinity;
  #timer: NodeJS.Timeout | undefined = undefined;
  #stopping: AbortController | undefined = undefined;

  constructor(options: JwksOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /** Loads now and keeps loading. */
  start(): void {
    this.#stopping ??= new AbortController();
    void this.#load();
  }

  /** Ends the loading, a load under way included. Known keys stay. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopping?.abort();
    this.#stopping = undefined;
  }

  find(
    kid: string | undefined,
    algorithm: JwtAlgorithm,
  ): SigningKey | undefined | Promise<SigningKey | undefined> {
    const fitting = this.#fitting(kid, algorithm);
    if (fitting.length === 0) return this.#findAfterLoading(kid, algorithm);
    // Without a name there must be no doubt which key is meant.
    return kid === undefined && fitting.length > 1 ? undefined : fitting[0];
  }

  #fitting(kid: string | undefined, algorithm: JwtAlgorithm): readonly SigningKey[] {
    const keys = this.#keys ?? [];
    return keys.filter((key) => (kid === undefined || key.kid === kid) && key.algorithms.includes(algorithm));
  }

  async #findAfterLoading(kid: string | undefined, algorithm: JwtAlgorithm): Promise<SigningKey | undefined> {
    if (this.#loading !== undefined) await this.#loading;
    else if (this.#clock() >= this.#nextExtraLoadAt) await this.#extraLoad();
    const fitting = this.#fitting(kid, algorithm);
    if (fitting.length === 1 || (fitting.length > 1 && kid !== undefined)) return fitting[0];
    // The issuer could not be asked, so the name may well be one of its new keys: neither yes nor no.
    if (this.#failure !== undefined) throw unavailable(this.#nextExtraLoadAt - this.#clock(), this.#failure);
    return undefined;
  }

  async #extraLoad(): Promise<void> {
    this.#nextExtraLoadAt = this.#clock() + this.#options.cooldownMs;
    await this.#load();
    if (this.#keys !== undefined) return;
    this.#nextExtraLoadAt = this.#clock() + Math.min(this.#options.cooldownMs, FIRST_KEYS_COOLDOWN_MS);
  }

  #load(): Promise<void> {
    return (this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined;
      this.#schedule();
    }));
  }

  async #loadOnce(): Promise<void> {
    const stop = this.#stopping?.signal ?? new AbortController().signal;
    try {
      this.#replace(await this.#options.load(stop));
      if (this.#failure !== undefined)
        this.#log.log(`The keys of ${this.#options.issuer} can be loaded again.`);
      this.#failure = undefined;
    } catch (error) {
      // Fails open for known keys, for as long as it takes: an outage of the issuer must not become ours.
      if (this.#failure === undefined && !stop.aborted) this.#warn(error);
      this.#failure = error;
    }
  }

  /** Takes the new keys over; fails closed when the issuer withdrew all of them, because that is its say. */
  #replace(loaded: readonly SigningKey[]): void {
    const previous = this.#keys ?? [];
    const emptied = loaded.length === 0 && (this.#keys === undefined || previous.length > 0);
    // A key that is still published keeps its identity, so that tokens that it verified stay verified.
    const known = new Map(previous.map((key) => [key.thumbprint, key]));
    this.#keys = loaded.map((key) => known.get(key.thumbprint) ?? key);
    const kept = new Set(this.#keys);
    for (const key of previous) key.withdrawn = !kept.has(key);
    if (emptied) this.#log.warn(`${this.#options.issuer} publishes no key that can be used.`);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopping === undefined) return;
    const { refreshMs, cooldownMs } = this.#options;
    const delayMs = this.#failure === undefined ? refreshMs : Math.min(refreshMs, cooldownMs);
    // Replicas that started together must not ask together.
    this.#timer = setTimeout(() => void this.#load(), delayMs * (0.9 + Math.random() * 0.2)).unref();
  }

  #warn(error: unknown): void {
    const reason = errorName(error);
    const consequence =
      this.#keys === undefined ? 'its tokens are answered with 503' : 'the last known keys stay';
    const { issuer, file } = this.#options;
    const from = file === undefined ? '' : ` from ${file}`;
    this.#log.warn(`The keys of ${issuer} cannot be loaded${from} (${reason}); ${consequence}.`);
  }
}
