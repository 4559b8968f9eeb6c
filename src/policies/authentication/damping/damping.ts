import { LRUCache } from 'lru-cache';
import { Counter } from 'prom-client';
import { addressBlock } from '../../../exchange/address-block.ts';
import { AddressBlocks } from '../../../exchange/address-blocks.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../../../problems/problem.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import { ProofRefused } from '../proof-of-possession/proof-refused.ts';
import type { Clock } from '../verifier.ts';
import type { DampingOptions } from './damping.schema.ts';

/** How many addresses are remembered. Of more, those that failed longest ago are forgotten. */
const MAX_ADDRESSES = 10_000;
/** How often it is written that addresses are damped: a flood of addresses may not become one of lines. */
const LOG_EVERY_MS = 10_000;

interface Attempts {
  count: number;
  /** When the first of them failed. */
  readonly since: number;
}

/** What damping tells and asks. */
export interface DampingDeps {
  readonly metrics?: Metrics | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock;
}

/**
 * Counts bad credentials by the address that they come from: IPv4, or the /64 of IPv6. From an address with too many of them,
 * nothing but credentials that are known to be good is looked at for a while, so that guessing costs no signature checks and
 * finds out nothing. Of this process alone: replicas count by themselves.
 */
export class Damping {
  readonly #deps: DampingDeps;
  readonly #clock: Clock;
  // Both are made when they are needed first: room for so many takes longer than all else of a start that nobody attacks.
  #madeAttempts: LRUCache<string, Attempts> | undefined = undefined;
  #madeUntil: LRUCache<string, number> | undefined = undefined;
  /** When the last of them is free again. */
  #lastUntil = -Infinity;
  #refused: Counter | undefined = undefined;
  #loggedAt = -Infinity;
  #unlogged = 0;

  constructor(deps: DampingDeps = {}) {
    this.#deps = deps;
    this.#clock = deps.clock ?? Date.now;
  }

  get #attempts(): LRUCache<string, Attempts> {
    return (this.#madeAttempts ??= new LRUCache({ max: MAX_ADDRESSES }));
  }

  /** Until when addresses are damped. */
  get #until(): LRUCache<string, number> {
    return (this.#madeUntil ??= new LRUCache({ max: MAX_ADDRESSES }));
  }

  /** For one configuration: {@link Damped}. */
  with(options: DampingOptions): Damped {
    this.#register();
    return new Damped(this, options);
  }

  /** How long an address is not looked at, in ms; 0 for one that is. */
  leftMs(address: string): number {
    // Nobody is damped nearly always.
    if (this.#lastUntil === -Infinity) return 0;
    const now = this.#clock();
    if (now >= this.#lastUntil) {
      this.#until.clear();
      this.#lastUntil = -Infinity;
      return 0;
    }
    return Math.max(0, (this.#until.get(addressBlock(address)) ?? 0) - now);
  }

  /** Notes a credential that was refused. */
  failed(
    address: string,
    { failures, window }: Pick<Exclude<DampingOptions, 'off'>, 'failures' | 'window'>,
  ): void {
    const block = addressBlock(address);
    const now = this.#clock();
    let attempts = this.#attempts.get(block);
    if (attempts === undefined || now >= attempts.since + window) attempts = { count: 0, since: now };
    attempts.count += 1;
    this.#attempts.set(block, attempts);
    if (attempts.count < failures) return;
    const until = attempts.since + window;
    this.#until.set(block, until);
    this.#attempts.delete(block);
    this.#lastUntil = Math.max(this.#lastUntil, until);
    this.#log(block, failures, until - now);
  }

  /** Counts a request that was not looked at. */
  refused(): void {
    this.#refused?.inc();
  }

  #register(): void {
    if (this.#deps.metrics === undefined || this.#refused !== undefined) return;
    this.#refused = new Counter({
      name: 'gatehouse_damped_requests_total',
      help: 'Requests whose credentials were not looked at, because too many bad ones came from their address.',
      registers: [this.#deps.metrics.registry],
    });
  }

  #log(address: string, failures: number, forMs: number): void {
    const now = this.#clock();
    if (now < this.#loggedAt + LOG_EVERY_MS) return void (this.#unlogged += 1);
    const others = this.#unlogged;
    this.#loggedAt = now;
    this.#unlogged = 0;
    this.#deps.logger?.warn(
      { address, failures, forMs, others },
      'Too many bad credentials from an address: unknown ones are not looked at for a while.',
    );
  }
}

/** Damping as one configuration says. */
export class Damped {
  readonly #damping: Damping;
  readonly #options: Exclude<DampingOptions, 'off'> | undefined;
  readonly #exempt: AddressBlocks;

  constructor(damping: Damping, options: DampingOptions) {
    this.#damping = damping;
    this.#options = options === 'off' ? undefined : options;
    this.#exempt = new AddressBlocks(this.#options?.exempt ?? []);
  }

  /** The refusal of whatever is not known to be good; undefined for an exchange whose credentials are looked at. */
  refusal({ clientAddress, addressDoubt }: Exchange): Problem | undefined {
    if (this.#options === undefined) return undefined;
    const leftMs = this.#damping.leftMs(clientAddress);
    if (leftMs === 0 || this.#isExempt(clientAddress, addressDoubt)) return undefined;
    return new Problem('too-many-attempts', { headers: { 'retry-after': retryAfterSeconds(leftMs) } });
  }

  /** Counts a request that was not looked at. */
  refused(): void {
    this.#damping.refused();
  }

  /** Notes what became of a credential. */
  note(problem: Problem, { clientAddress, addressDoubt }: Exchange): void {
    // One that has expired or was revoked was good once: that is nobody's guess.
    if (problem.code !== 'credentials-invalid' || this.#options === undefined) return;
    // Nor is a proof that only lacks our nonce: every client begins so, and begins again with each nonce.
    if (problem instanceof ProofRefused && problem.error === 'use_dpop_nonce') return;
    if (!this.#isExempt(clientAddress, addressDoubt)) this.#damping.failed(clientAddress, this.#options);
  }

  // Fails open for an address that nobody vouches for: it may be that of everybody.
  #isExempt(address: string, doubt: Exchange['addressDoubt']): boolean {
    return doubt !== undefined || address === '' || this.#exempt.has(address);
  }
}
