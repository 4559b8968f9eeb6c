import type { Attempts } from '../attempts.ts';
import type { HedgePolicy } from './hedge-policy.ts';

/** Who makes the attempts of a request, and can have it made by another one at the same time. */
export interface Racer {
  readonly attempts: Attempts;
  /** Makes who makes the same request at another target; what comes of it goes where this one's would have gone. */
  rival(attempts: Attempts, hedge: Hedge): Racer;
  /** Makes its first attempt; whatever becomes of it, nothing is thrown. */
  begin(): void;
  /** Stops without a verdict about the target: the other one was answered first. */
  lose(): void;
}

/**
 * The race of one request: when its first attempt has no answer after a while, a second one is made at another target. The
 * first answer that can be used wins, and the other attempt is given up. One that fails while the other runs is dropped.
 */
export class Hedge {
  readonly #policy: HedgePolicy;
  readonly #first: Racer;
  readonly #startedAt = performance.now();
  #second: Racer | undefined = undefined;
  /** Who has failed while the other one went on. */
  #out: Racer | undefined = undefined;
  #isDecided = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(first: Racer, policy: HedgePolicy) {
    this.#first = first;
    this.#policy = policy;
    const delayMs = policy.delayMs(this.#startedAt);
    if (delayMs !== undefined) this.#timer = setTimeout(fire, delayMs, this);
  }

  /** Hears that one has an answer that can be used: the other is given up. */
  wins(racer: Racer): void {
    if (this.#isDecided) return;
    const isFirst = racer === this.#first;
    const second = this.#second;
    if (isFirst || this.#out !== this.#first) this.#learn(isFirst);
    const wasAlone = this.#isAlone;
    this.#decide();
    if (second === undefined) return;
    racer.attempts.showTarget();
    if (wasAlone) return;
    second.attempts.hedged(isFirst ? 'lost' : 'won');
    (isFirst ? second : this.#first).lose();
  }

  /**
   * Hears that one has no answer that can be used, or that nobody waits for it any more.
   *
   * @returns whether the other one still runs, so that this one has nothing to say any more.
   */
  yields(racer: Racer): boolean {
    if (this.#isDecided) return false;
    const isFirst = racer === this.#first;
    if (isFirst) this.#learn(false);
    else racer.attempts.hedged('failed');
    if (this.#second === undefined || this.#isAlone) {
      this.#decide();
      return false;
    }
    this.#out = racer;
    return true;
  }

  /** Makes the second attempt, if that may be; called by the timer alone. */
  fire(): void {
    this.#timer = undefined;
    const attempts = this.#first.attempts.beside();
    if (attempts === undefined) return;
    const second = (this.#second = this.#first.rival(attempts, this));
    second.begin();
    this.#first.attempts.count(attempts);
  }

  get #isAlone(): boolean {
    return this.#out !== undefined;
  }

  #learn(isAnswered: boolean): void {
    const now = performance.now();
    if (isAnswered) this.#policy.answered(now - this.#startedAt, now);
    else this.#policy.givenUp(now - this.#startedAt, now);
  }

  #decide(): void {
    this.#isDecided = true;
    clearTimeout(this.#timer);
  }
}

function fire(hedge: Hedge): void {
  hedge.fire();
}
