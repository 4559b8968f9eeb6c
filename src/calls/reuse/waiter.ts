import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { CallContext } from '../call.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Who or what a waiter leaves. */
export interface WaitedFor {
  left(waiter: Waiter<never>, reason: Problem): void;
}

/**
 * One party that waits for a run which it does not own: its time and its cancellation are its own, and when
 * they end, only it leaves.
 */
export class Waiter<in Out> {
  readonly context: CallContext;
  readonly #run: WaitedFor;
  readonly #resolve: (value: Out) => void;
  readonly #reject: (reason: unknown) => void;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(context: CallContext, run: WaitedFor, settle: Settle<Out>) {
    this.context = context;
    this.#run = run;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
    const left = leftMs(context);
    if (left !== Infinity)
      this.#timer = setTimeout(expire<Out>, Math.min(Math.ceil(left), LONGEST_TIMER_MS), this);
    context.exchange.onCancel(this.leave);
  }

  /** Gives it the value. */
  resolve(value: Out): void {
    this.#end();
    this.#resolve(value);
  }

  /** Tells it that there is no value. */
  reject(reason: unknown): void {
    this.#end();
    this.#reject(reason);
  }

  /** Takes it away from the run, for a reason of its own. */
  readonly leave = (reason: Problem): void => {
    this.reject(reason);
    this.#run.left(this as Waiter<never>, reason);
  };

  #end(): void {
    clearTimeout(this.#timer);
    this.context.exchange.offCancel(this.leave);
  }
}

/** The two ends of a promise. */
export interface Settle<Out> {
  readonly resolve: (value: Out) => void;
  readonly reject: (reason: unknown) => void;
}

/** Why nothing can be started or awaited in a context any more; undefined while it can. */
export function refusalOf(context: CallContext): Problem | undefined {
  if (context.exchange.cancelled !== undefined) return context.exchange.cancelled;
  return leftMs(context) <= 0 ? timeoutOf(context) : undefined;
}

/** Time left in a context, in ms. */
export function leftMs({ exchange, timeoutMs }: CallContext): number {
  return Math.min(timeoutMs, exchange.remainingMs());
}

function expire<Out>(waiter: Waiter<Out>): void {
  waiter.leave(timeoutOf(waiter.context));
}

/** Whose time is up: the one of the whole request, or the one of this call. */
function timeoutOf({ exchange }: { readonly exchange: Exchange }): Problem {
  return new Problem(exchange.remainingMs() <= 1 ? 'deadline-exceeded' : 'upstream-timeout');
}
