import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Lease } from '../lease.ts';
import type { Target } from '../target.ts';
import { WaitQueue } from '../transport/wait-queue.ts';

/** Who waits for a target that is not full. */
export interface Waiter {
  readonly exchange: Exchange;
  /** Targets that are chosen again only if no other is available. */
  readonly tried: readonly Target[];
  /** Takes the right to a target. */
  granted(lease: Lease): void;
  /** Hears that there is none for it. */
  refused(problem: Problem): void;
}

/** Who chooses for those who have waited. */
interface Chooser {
  readonly members: readonly Target[];
  /** Whether there is a target that only has too much to do. */
  readonly isFull: boolean;
  choose(exchange: Exchange, tried: readonly Target[]): Target | undefined;
  refusal(): Problem;
}

/** How soon to ask again; calls come and go. */
const RETRY_AFTER = { headers: { 'retry-after': '1' } } as const;
/** A target that comes, or becomes healthy, tells nobody: as long as somebody waits, it is looked for. */
const LOOK_AGAIN_MS = 50;

/**
 * Those who wait because all targets are full: first come, first served, so many at most, and none of them longer
 * than a time. Nobody overtakes them while there is anybody.
 */
export class TargetQueue {
  readonly #chooser: Chooser;
  readonly #max: number;
  readonly #waiting: WaitQueue<Waiter>;
  /** Targets that tell when a call has ended. */
  #watched: readonly Target[] = [];
  #isWoken = false;
  #looking: NodeJS.Timeout | undefined = undefined;

  /** @param limits how many may wait, and how long, in ms. */
  constructor(chooser: Chooser, { max, waitMs }: { readonly max: number; readonly waitMs: number }) {
    this.#chooser = chooser;
    this.#max = max;
    this.#waiting = new WaitQueue(waitMs, (waiter) => {
      this.#unwatch();
      waiter.refused(new Problem('no-available-target', RETRY_AFTER));
    });
  }

  /** Whether anybody waits. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Has one wait. @throws {Problem} `no-available-target` when too many do. */
  add(waiter: Waiter): void {
    if (this.#waiting.size >= this.#max) throw new Problem('no-available-target', RETRY_AFTER);
    this.#waiting.add(waiter);
    this.#watch();
    this.#looking ??= setInterval(this.#wake, LOOK_AGAIN_MS);
  }

  /** Lets one go that does not want any more. */
  delete(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#unwatch();
  }

  readonly #wake = (): void => {
    if (this.#isWoken) return;
    this.#isWoken = true;
    // Not within: whoever gives a lease back is still busy with the connection.
    setImmediate(this.#serve);
  };

  readonly #serve = (): void => {
    this.#isWoken = false;
    for (const waiter of this.#waiting) {
      const target = this.#chooser.choose(waiter.exchange, waiter.tried);
      if (target === undefined && this.#chooser.isFull) break;
      this.#waiting.delete(waiter);
      // Without any there is nothing to wait for.
      if (target === undefined) waiter.refused(this.#chooser.refusal());
      else waiter.granted(new Lease(target));
    }
    this.#watch();
    this.#unwatch();
  };

  #watch(): void {
    const { members } = this.#chooser;
    if (this.#watched === members) return;
    for (const target of this.#watched) target.onFreed.delete(this.#wake);
    this.#watched = members;
    for (const target of members) target.onFreed.add(this.#wake);
  }

  #unwatch(): void {
    if (this.isBusy) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
    for (const target of this.#watched) target.onFreed.delete(this.#wake);
    this.#watched = [];
  }
}
