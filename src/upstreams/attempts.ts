import type { Attempt, Exchange } from '../exchange/exchange.ts';
import type { Outcome } from '../policies/circuit-breaker/breaker.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Lease, Target } from './target.ts';
import type { Upstream } from './upstream.ts';

/** Whoever makes attempts. */
export interface AttemptMaker {
  /** Makes the next one: takes a lease with {@link Attempts.next}, and sends. */
  attempt(): void;
}

/**
 * The attempts of one request at the targets of one upstream, whatever the protocol: who is asked, what became of it,
 * and whether it is asked again. One object per request; whoever sends it holds it.
 */
export class Attempts {
  /** When no other attempt is made any more, on the clock of `performance.now()`. Default: the exchange's deadline. */
  endsAt: number;
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #metrics: Metrics;
  readonly #trail: Attempt[] | undefined;
  readonly #mayRepeat: boolean;
  /** Attempts that have begun. */
  #made = 0;
  #tried: Target[] | undefined = undefined;
  #lease: Lease | undefined = undefined;
  #attempt: Attempt | undefined = undefined;
  /** When the attempt under way began, on the clock of `performance.now()`. */
  #attemptAt = 0;

  /**
   * @param mayRepeat whether it can be sent twice, and may without harm.
   * @param trail hears of the attempts, besides the exchange.
   */
  constructor(
    exchange: Exchange,
    upstream: Upstream,
    metrics: Metrics,
    mayRepeat: boolean,
    trail?: Attempt[],
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#metrics = metrics;
    this.#mayRepeat = mayRepeat;
    this.#trail = trail;
    this.endsAt = exchange.deadlineAt;
  }

  /** The right to the target that was asked last. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** Time left for all of them, in ms; may be `Infinity`, or below 0. */
  leftMs(): number {
    return this.endsAt === Infinity ? Infinity : this.endsAt - performance.now();
  }

  /**
   * Begins an attempt: chooses a target, and takes the right to call it.
   *
   * @throws {Problem} when no target can be asked.
   */
  next(): Lease {
    if (this.#made === 0) {
      nameUpstream(this.#exchange, this.#upstream.name);
      this.#upstream.retryBudget.earn();
    } else if (this.#lease !== undefined) (this.#tried ??= []).push(this.#lease.target);
    this.#made += 1;
    this.#attempt = undefined;
    const lease = (this.#lease = this.#upstream.lease(this.#tried));
    this.#attempt = { target: lease.target.host, outcome: 'pending', durationMs: 0 };
    this.#exchange.attempts.push(this.#attempt);
    this.#trail?.push(this.#attempt);
    this.#attemptAt = performance.now();
    return lease;
  }

  /** Ends the attempt under way: gives its target back, and notes what came of it. */
  settle(outcome: Outcome, word: string): void {
    this.#lease?.release(outcome);
    this.note(word);
  }

  /** Shows in the access line and the metrics what the attempt under way became. */
  note(word: string): void {
    if (this.#attempt !== undefined) {
      this.#attempt.outcome = word;
      this.#attempt.durationMs = performance.now() - this.#attemptAt;
    }
    this.#metrics.attempted(this.#upstream.name, word);
  }

  /** Shows in the access line that what was noted is not how it ended. */
  correct(word: string): void {
    if (this.#attempt !== undefined) this.#attempt.outcome = word;
  }

  /** Whether an attempt has begun that nothing was noted of. */
  get isPending(): boolean {
    return this.#attempt?.outcome === 'pending';
  }

  /** Whether another attempt is made after one that ended; that takes it from the budget. */
  retries(): boolean {
    return (
      this.#mayRepeat &&
      this.#made < this.#upstream.options.retry.attempts &&
      this.#exchange.cancelled === undefined &&
      this.leftMs() > 0 &&
      this.#hasFresh() &&
      this.#upstream.retryBudget.spend()
    );
  }

  /** Has the next attempt made, after {@link retries}. */
  again(maker: AttemptMaker): void {
    maker.attempt();
  }

  #hasFresh(): boolean {
    const { target } = this.#lease as Lease;
    return this.#upstream.hasFresh(this.#tried === undefined ? [target] : [...this.#tried, target]);
  }
}

/** Adds an upstream to those the exchange has asked; each is named once. */
export function nameUpstream(exchange: Exchange, name: string): void {
  const { upstream } = exchange;
  if (upstream === undefined) exchange.upstream = name;
  else if (!isNamed(upstream, name)) exchange.upstream = `${upstream},${name}`;
}

function isNamed(names: string, name: string): boolean {
  // Most names are no part of another one, so that the list is seldom made.
  return names.includes(name) && (names === name || names.split(',').includes(name));
}
