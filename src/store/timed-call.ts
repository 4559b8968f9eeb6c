import { isOfOneCall, isReply, isUnsent, redisFault } from './redis-fault.ts';

/** What a guarded call yields when the store did not answer: the caller decides what that means. */
export const STORE_UNAVAILABLE: unique symbol = Symbol('STORE_UNAVAILABLE');

/** What a guarded call yields when the store did not answer. */
export type StoreUnavailable = typeof STORE_UNAVAILABLE;

/**
 * How a call ended: answered; answered with an error of this call alone; refused by Redis in the state that it is in; without
 * an answer in time; not sent, because there is no connection.
 */
export type CallEnd = 'answered' | 'wrong' | 'refused' | 'late' | 'unsent';

/**
 * One call under a budget. The budget runs in two slices, each judged after the sockets were read: when this process
 * itself was busy for longer than the budget, the answer that lies in the socket still counts as in time.
 */
export class TimedCall<T> {
  readonly #budgetMs: number;
  readonly #resolve: (outcome: T | StoreUnavailable) => void;
  readonly #heard: (end: CallEnd, reason: string) => void;
  readonly #timer: NodeJS.Timeout;
  #slicesLeft = 2;
  #settled = false;

  constructor(
    budgetMs: number,
    resolve: (outcome: T | StoreUnavailable) => void,
    heard: (end: CallEnd, reason: string) => void,
  ) {
    this.#budgetMs = budgetMs;
    this.#resolve = resolve;
    this.#heard = heard;
    this.#timer = setTimeout(setImmediate, budgetMs / 2, judge, this);
  }

  readonly answered = (value: T): void => {
    clearTimeout(this.#timer);
    if (this.#settled) return;
    this.#settled = true;
    this.#heard('answered', '');
    this.#resolve(value);
  };

  readonly refused = (error: unknown): void => {
    clearTimeout(this.#timer);
    this.#fail(endOf(error), redisFault(error));
  };

  /** Ends a slice of the budget. */
  judge(): void {
    this.#slicesLeft -= 1;
    if (this.#slicesLeft === 0) this.#fail('late', `no answer within ${String(this.#budgetMs)} ms`);
    else if (!this.#settled) this.#timer.refresh();
  }

  #fail(end: CallEnd, reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#heard(end, reason);
    this.#resolve(STORE_UNAVAILABLE);
  }
}

function endOf(error: unknown): CallEnd {
  if (isOfOneCall(error)) return 'wrong';
  if (isUnsent(error)) return 'unsent';
  // What is no reply is a connection that has broken while the call was under way.
  return isReply(error) ? 'refused' : 'late';
}

function judge(call: { judge(): void }): void {
  call.judge();
}
