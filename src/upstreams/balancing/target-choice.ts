import type { Exchange } from '../../exchange/exchange.ts';
import { circuitOpen } from '../../policies/circuit-breaker/circuit-open.ts';
import { Problem } from '../../problems/problem.ts';
import { Lease } from '../lease.ts';
import type { Target } from '../target.ts';
import type { CallsUnderWay } from './calls-under-way.ts';
import type { StickySessions } from './sticky-sessions.ts';
import type { TargetPool } from './target-pool.ts';
import { saturated, TargetQueue, type QueueLimits, type Waiter } from './target-queue.ts';

/** What a choice is made with. */
export interface ChoiceDeps {
  readonly pool: TargetPool;
  /** Those of the whole upstream. */
  readonly calls: CallsUnderWay;
  /** How many of them there may be. Default any number. */
  readonly maxInFlight?: number | undefined;
  /** Who is asked while none of its own targets is available. */
  readonly fallback?: TargetChoice | undefined;
  /** Keeps clients with their targets; what it returns may change. */
  readonly sticky: () => StickySessions | undefined;
  /** How many may wait for a target that is not full, and how long; absent where nobody has to. */
  readonly queue?: QueueLimits | undefined;
}

/** Chooses among the targets of an upstream, or of a part of it, with all that holds there. */
export class TargetChoice {
  readonly pool: TargetPool;
  readonly calls: CallsUnderWay;
  readonly #deps: ChoiceDeps;
  readonly #queue: TargetQueue | undefined;

  constructor(deps: ChoiceDeps) {
    this.pool = deps.pool;
    this.calls = deps.calls;
    this.#deps = deps;
    this.#queue = deps.queue && new TargetQueue(this, deps.queue);
  }

  /** Those that may be chosen if they are available; not those of the fallback. */
  get members(): readonly Target[] {
    return this.pool.members;
  }

  /** Whether a target only has too much to do, so that it is worth waiting; known once none could be chosen. */
  get isFull(): boolean {
    return this.#lacksPlace || this.pool.lack === 'full' || this.#deps.fallback?.isFull === true;
  }

  /** See {@link TargetPool.choose}. */
  choose(exchange: Exchange | undefined, tried: readonly Target[]): Target | undefined {
    if (this.#isCapped) return undefined;
    const { sticky: stickyOf, fallback } = this.#deps;
    const sticky = exchange === undefined ? undefined : stickyOf();
    const chosen =
      sticky === undefined
        ? this.pool.choose(exchange, tried)
        : sticky.choose(this.pool, exchange as Exchange, tried);
    return chosen ?? fallback?.choose(exchange, tried);
  }

  /** See {@link TargetPool.peek}. */
  peek(exchange: Exchange): Target | undefined {
    const known = this.#deps.sticky()?.peek(this.pool, exchange);
    return known ?? this.pool.peek(exchange) ?? this.#deps.fallback?.peek(exchange);
  }

  /** Takes the right to call a target. @throws {Problem} when none is available. */
  lease(exchange: Exchange | undefined, tried: readonly Target[]): Lease {
    const target = this.choose(exchange, tried);
    if (target === undefined) throw this.refusal();
    return new Lease(target);
  }

  /** The same, but while all are full the caller waits for its turn. @returns undefined for one who waits. */
  leaseOrWait(waiter: Waiter): Lease | undefined {
    const queue = this.#queue;
    if (queue === undefined) return this.lease(waiter.exchange, waiter.tried);
    if (!queue.isBusy) {
      if (this.#waitsForOthers(queue)) queue.wake();
      else {
        const target = this.choose(waiter.exchange, waiter.tried);
        if (target !== undefined) return new Lease(target);
        const { fallback } = this.#deps;
        // Who only lacks a place gets one of its own targets with it.
        if (fallback !== undefined && !this.#lacksPlace) return fallback.leaseOrWait(waiter);
        if (!this.isFull) throw this.refusal();
      }
    }
    queue.add(waiter);
    return undefined;
  }

  /** Lets one go that waits and does not want any more. */
  leave(waiter: Waiter): void {
    this.#queue?.delete(waiter);
    this.#deps.fallback?.leave(waiter);
  }

  /** Whether a target is available that has not been tried. */
  hasFresh(tried: readonly Target[]): boolean {
    return this.pool.hasFresh(tried) || this.#deps.fallback?.hasFresh(tried) === true;
  }

  /** Why nobody can be chosen, when nobody can. */
  refusal(): Problem {
    if (this.#deps.fallback !== undefined) return this.#deps.fallback.refusal();
    if (this.#queue !== undefined && this.isFull) return saturated();
    const isOpen = this.pool.lack !== 'full' && this.members.some(hasOpenBreaker);
    // Without an open breaker it is probes that speak against the targets: nobody knows how long.
    return isOpen
      ? circuitOpen(openForMs(this.members))
      : new Problem('no-available-target', { headers: { 'retry-after': '1' } });
  }

  /** Whether as many calls are under way as the whole upstream takes. */
  get #isCapped(): boolean {
    const { maxInFlight } = this.#deps;
    return maxInFlight !== undefined && this.calls.count >= maxInFlight;
  }

  /** Whether that is all that keeps one of its own targets from being called. */
  get #lacksPlace(): boolean {
    return this.#isCapped && this.pool.isOpen;
  }

  /** Whether somebody waits elsewhere, perhaps for the same target: then nobody overtakes, and the queues take turns. */
  #waitsForOthers(queue: TargetQueue): boolean {
    return this.calls.isAwaited && queue.hasRoom && this.#deps.fallback === undefined;
  }
}

/** How long until the first of those breakers that are open lets a probe through, in ms. */
function openForMs(targets: readonly Target[]): number {
  return Math.min(...targets.filter(hasOpenBreaker).map(({ breaker }) => breaker?.openForMs ?? 0));
}

function hasOpenBreaker({ breaker }: Target): boolean {
  return breaker !== undefined && !breaker.available;
}
