import { STORE_UNAVAILABLE, type StoreGuard } from '../../../store/store-guard.ts';
import type { BucketRule, TakeOutcome } from '../rate-limiter.ts';

/** What requests want that wait together. */
export interface Wanted {
  readonly rule: BucketRule;
  readonly cost: number;
}

/** How many requests one call speaks for at most. */
const MOST_TOGETHER = 1000;

/** Requests that wait for the same call, no longer than the guard allows since the first of them does. */
export class Waiting {
  readonly #wanted: Wanted;
  readonly #guard: PromiseWithResolvers<void> = Promise.withResolvers();
  #tells: ((outcome: TakeOutcome) => void)[];

  constructor(wanted: Wanted, first: (outcome: TakeOutcome) => void, guard: StoreGuard) {
    this.#wanted = wanted;
    this.#tells = [first];
    void Promise.resolve(guard.run(() => this.#guard.promise)).then((heard) => {
      if (heard === STORE_UNAVAILABLE) this.#tellAll(() => STORE_UNAVAILABLE);
    });
  }

  /** Of each. */
  get cost(): number {
    return this.#wanted.cost;
  }

  /** How many wait. */
  get count(): number {
    return this.#tells.length;
  }

  /** Whether nobody waits any more. */
  get isOver(): boolean {
    return this.#tells.length === 0;
  }

  /** Whether another one can wait with these. */
  takes(rule: BucketRule, cost: number): boolean {
    const { length } = this.#tells;
    return rule === this.#wanted.rule && cost === this.#wanted.cost && length > 0 && length < MOST_TOGETHER;
  }

  /** Has another one wait. */
  add(tell: (outcome: TakeOutcome) => void): void {
    this.#tells.push(tell);
  }

  /** Tells each what came of it; those that came first, first. */
  tell(outcomeOf: (index: number) => TakeOutcome): void {
    this.#tellAll(outcomeOf);
    this.#guard.resolve();
  }

  /** Serves one after the other as long as there is an outcome without a call. */
  serve(outcomeOf: (wanted: Wanted) => TakeOutcome | undefined): void {
    let served = 0;
    for (const tell of this.#tells) {
      const outcome = outcomeOf(this.#wanted);
      if (outcome === undefined) break;
      tell(outcome);
      served += 1;
    }
    this.#tells = this.#tells.slice(served);
    if (this.isOver) this.#guard.resolve();
  }

  /** Tells the guard what went wrong, which tells all that wait. */
  fail(error: unknown): void {
    this.#guard.reject(error);
  }

  #tellAll(outcomeOf: (index: number) => TakeOutcome): void {
    const tells = this.#tells;
    this.#tells = [];
    tells.forEach((tell, index) => tell(outcomeOf(index)));
  }
}
