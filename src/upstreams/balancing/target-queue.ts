import { callerOf } from '../../exchange/caller-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { FairQueue, type QueueOrder } from '../../exchange/fair-queue.ts';
import { Problem } from '../../problems/problem.ts';
import { Lease } from '../lease.ts';
import type { Target } from '../target.ts';
import type { CallsUnderWay } from './calls-under-way.ts';

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
  readonly calls: CallsUnderWay;
  /** Whether there is a target that only has too much to do. */
  readonly isFull: boolean;
  choose(exchange: Exchange, tried: readonly Target[]): Target | undefined;
  refusal(): Problem;
}

/** How soon to ask again; calls come and go. */
const RETRY_AFTER = { headers: { 'retry-after': '1' } } as const;
/** A target that comes, or becomes healthy, tells nobody: as long as somebody waits, it is looked for. */
const LOOK_AGAIN_MS = 50;

/** A queue that has not been empty for as long as one may wait only makes everybody late: this part of the time is left then. */
const STANDING = 1 / 20;

/** How many may wait, and how long. */
export interface QueueLimits {
  readonly max: number;
  /** In ms. */
  readonly waitMs: number;
  /** Whether the targets have adaptive limits: who waits is waited for by the same measure. Default false. */
  readonly isAdaptive?: boolean;
  /** See `WaitOptions.order`. Default `fifo`. */
  readonly order?: QueueOrder | undefined;
}

/** The refusal of targets that are full: they have not failed. */
export function saturated(): Problem {
  return new Problem('upstream-saturated', RETRY_AFTER);
}

/**
 * Those who wait because all targets are full: callers in turn, each of them first come, first served, so many at most,
 * and none of them longer than a time. Nobody overtakes them while there is anybody.
 */
export class TargetQueue {
  readonly #chooser: Chooser;
  readonly #limits: QueueLimits;
  readonly #waiting: FairQueue<Waiter>;
  #isWoken = false;
  #looking: NodeJS.Timeout | undefined = undefined;

  constructor(chooser: Chooser, limits: QueueLimits) {
    this.#chooser = chooser;
    this.#limits = limits;
    this.#waiting = new FairQueue((waiter) => {
      this.#rest();
      waiter.refused(saturated());
    });
  }

  /** Whether anybody waits. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether anybody may wait in it who does not find others there. */
  get hasRoom(): boolean {
    return this.#limits.max > 0;
  }

  /** Has one wait. @throws {Problem} `upstream-saturated` when too many do. */
  add(waiter: Waiter): void {
    const { max, order } = this.#limits;
    const caller = callerOf(waiter.exchange);
    if (!this.#waiting.add(waiter, { caller, max, order, waitMs: this.#waitMs() })) throw saturated();
    this.#chooser.calls.await(this.wake);
    this.#looking ??= setInterval(this.wake, LOOK_AGAIN_MS);
  }

  /** Has those who wait looked after at once: it may be that there is a target. */
  readonly wake = (): void => {
    if (this.#isWoken) return;
    this.#isWoken = true;
    // Not within: whoever gives a lease back is still busy with the connection.
    setImmediate(this.#serve);
  };

  /** Lets one go that does not want any more. */
  delete(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#rest();
  }

  #waitMs(): number {
    const { waitMs, isAdaptive = false } = this.#limits;
    if (!isAdaptive) return waitMs;
    return this.#waiting.busyForMs(performance.now()) > waitMs ? waitMs * STANDING : waitMs;
  }

  readonly #serve = (): void => {
    this.#isWoken = false;
    const { size } = this.#waiting;
    for (let waiter = this.#waiting.peek(); waiter !== undefined; waiter = this.#waiting.peek()) {
      const target = this.#chooser.choose(waiter.exchange, waiter.tried);
      if (target === undefined && this.#chooser.isFull) break;
      this.#waiting.take();
      // Without any there is nothing to wait for.
      if (target === undefined) waiter.refused(this.#chooser.refusal());
      else waiter.granted(new Lease(target));
    }
    // Not where it had nothing of this turn: the next one is its own.
    if (this.#waiting.size < size) this.#chooser.calls.passOn(this.wake);
    this.#rest();
  };

  #rest(): void {
    if (this.isBusy) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#chooser.calls.forget(this.wake);
  }
}
