import type { Attempt, Exchange } from '../exchange/exchange.ts';
import type { Outcome } from '../policies/circuit-breaker/breaker.ts';
import { Problem } from '../problems/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import { nameUpstream } from './asked-upstreams.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { attemptTraceOf, type AttemptTrace } from './attempt-trace.ts';
import { countedLease, countRefusal } from './counted-refusal.ts';
import { waitBefore } from './retry-wait.ts';
import type { RetryCause, RetryPolicy } from './retry-policy.ts';
import type { Waiter } from './balancing/target-queue.ts';
import type { Lease } from './lease.ts';
import type { Target } from './target.ts';
import type { Upstream } from './upstream.ts';

/** Whoever makes attempts. */
export interface AttemptMaker {
  /** Makes the next one: takes a lease with {@link Attempts.next}, and sends. */
  attempt(): void;
}

/** Who else hears of attempts, besides their exchange. */
export interface AttemptsWatch {
  readonly trail?: { readonly attempts: Attempt[] } | undefined;
  /** What they are a part of in the trace. Default the exchange. */
  readonly span?: SpanNote | undefined;
}

/**
 * The attempts of one request at the targets of one upstream, whatever the protocol: who is asked, what became of it,
 * and whether it is asked again. One object per request; whoever sends it holds it.
 */
export class Attempts implements Waiter {
  /** When no other attempt is made any more, on the clock of `performance.now()`. Default: the exchange's deadline. */
  endsAt: number;
  readonly exchange: Exchange;
  /** Whether it can be sent twice, and may without harm. */
  readonly mayRepeat: boolean;
  readonly #upstream: Upstream;
  readonly #policy: RetryPolicy;
  readonly #metrics: Metrics;
  readonly #watch: AttemptsWatch | undefined;
  #trace: AttemptTrace | undefined;
  /** Attempts that have begun. */
  #made = 0;
  /** Whether its first attempt stands beside another's. */
  #isBeside = false;
  /** Who was asked before, since all were the last time. */
  #tried: Target[] | undefined = undefined;
  /** Whether a target is waited for that is not full, and what has come of that. */
  #turn: 'waits' | Lease | Problem | undefined = undefined;
  #lease: Lease | undefined = undefined;
  #attempt: Attempt | undefined = undefined;
  /** When the attempt under way began, on the clock of `performance.now()`. */
  #attemptAt = 0;
  /** How long the next attempt waits, in ms. */
  #waitMs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #tryTimer: NodeJS.Timeout | undefined = undefined;
  #maker: AttemptMaker | undefined = undefined;

  /**
   * @param mayRepeat whether it can be sent twice, and may without harm. Without, it is only sent to another target when
   * the first has certainly not begun with it.
   * @param watch hears of the attempts, besides the exchange.
   */
  constructor(
    exchange: Exchange,
    upstream: Upstream,
    metrics: Metrics,
    mayRepeat: boolean,
    watch?: AttemptsWatch,
  ) {
    this.exchange = exchange;
    this.#upstream = upstream;
    this.#policy = exchange.route?.retry ?? upstream.retry;
    this.#metrics = metrics;
    this.mayRepeat = mayRepeat;
    this.#watch = watch;
    this.#trace = attemptTraceOf(exchange, upstream, watch?.span);
    this.endsAt = exchange.deadlineAt;
  }

  /** The right to the target that was asked last. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** Time left for the attempt under way, in ms; may be `Infinity`, or below 0. */
  tryLeftMs(): number {
    const { perTry } = this.#policy;
    return perTry === undefined ? Infinity : this.#attemptAt + perTry - performance.now();
  }

  /** Time left for all of them, in ms; may be `Infinity`, or below 0. */
  leftMs(): number {
    return this.endsAt === Infinity ? Infinity : this.endsAt - performance.now();
  }

  /** Targets that are asked again only if no other can be. */
  get tried(): readonly Target[] {
    return this.#tried ?? NONE;
  }

  /**
   * Begins an attempt: chooses a target, and takes the right to call it.
   *
   * @param maker waits while all targets are full, and is asked for the attempt again when it is its turn; undefined then.
   * @throws {Problem} when no target can be asked.
   */
  next(): Lease;
  next(maker: AttemptMaker): Lease | undefined;
  next(maker?: AttemptMaker): Lease | undefined {
    // A second attempt beside another one has nothing to wait for.
    const waits = maker !== undefined && !this.#isBeside;
    const lease = waits ? this.#takeOrWait(maker) : this.#upstream.lease(this.exchange, this.tried);
    return lease && this.#begin(lease);
  }

  /** Takes the right to a target that was waited for. */
  granted(lease: Lease): void {
    this.#turn = lease;
    this.#maker?.attempt();
  }

  /** Hears that it was waited for in vain. */
  refused(problem: Problem): void {
    this.#turn = countRefusal(problem, this.exchange, this.#upstream.name, this.#metrics);
    this.#maker?.attempt();
  }

  #takeOrWait(maker: AttemptMaker): Lease | undefined {
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn instanceof Problem) throw turn;
    if (turn !== undefined && turn !== 'waits') return turn;
    this.#maker = maker;
    const lease = countedLease(this.#upstream, this, this.#metrics);
    if (lease === undefined) this.exchange.timings?.waiting(performance.now());
    if (lease === undefined) this.#turn = 'waits';
    return lease;
  }

  #begin(lease: Lease): Lease {
    this.#attemptAt = performance.now();
    if (this.#made === 0) {
      nameUpstream(this.exchange, this.#upstream.name);
      this.#upstream.retryBudget.earn(this.#attemptAt);
    }
    this.#made += 1;
    this.#lease = lease;
    if (this.#upstream.watch !== undefined) lease.watchedBy(this.#upstream.watch);
    const line = { target: lease.target.host, outcome: 'pending', durationMs: 0 };
    this.#attempt = this.#isBeside ? { ...line, hedge: true } : line;
    this.#trace?.begin(lease.target, this.#made - 1, this.#isBeside);
    if (this.#isBeside) lease.unsampled();
    this.#isBeside = false;
    this.exchange.attempts.push(this.#attempt);
    this.exchange.timings?.attempting(this.#attemptAt);
    this.exchange.targetLabels = lease.target.labels;
    this.#watch?.trail?.attempts.push(this.#attempt);
    return lease;
  }

  /** Ends the attempt under way: gives its target back, and notes what came of it; `untouched`: surely nothing. */
  settle(outcome: Outcome, word: string, untouched = false): void {
    this.#lease?.release(outcome);
    if (untouched && this.#attempt !== undefined) this.#attempt.untouched = true;
    this.note(word);
  }

  /** Shows in the access line and the metrics what the attempt under way became. @param streams whether it goes on for its span. */
  note(word: string, streams = false): void {
    if (this.#tryTimer !== undefined) clearTimeout(this.#tryTimer);
    if (this.#attempt !== undefined) {
      if (this.isPending) this.exchange.timings?.attempted(performance.now());
      this.#attempt.outcome = word;
      this.#attempt.durationMs = performance.now() - this.#attemptAt;
    }
    this.#metrics.upstreams.attempted(this.#upstream.name, word, this.#attempt?.durationMs);
    if (!streams) this.#trace?.ended(word);
  }

  /** Shows in the access line, and in the trace with its time, how what was noted has ended. */
  correct(word: string): void {
    if (this.#attempt !== undefined) this.#attempt.outcome = word;
    this.#trace?.ended(word);
  }

  /** Takes note of what is asked for. @returns the fields by which the target under way goes on with the trace. */
  asks(method: string, path: string, fields: readonly string[]): readonly string[] {
    return this.#trace === undefined ? fields : this.#trace.asks(method, path, fields);
  }

  /** Whether an attempt has begun that nothing was noted of. */
  get isPending(): boolean {
    return this.#attempt?.outcome === 'pending';
  }

  /** Whether another attempt is made after one that ended; that takes it from the budget. */
  retries(end: AttemptEnd): boolean {
    if (end.retry === undefined || this.#made >= this.#policy.attempts) return false;
    if (!this.#policy.on.has(end.retry) || !(this.mayRepeat || end.untouched === true)) return false;
    if (this.exchange.cancelled !== undefined || this.#lease === undefined) return false;
    (this.#tried ??= []).push(this.#lease.target);
    const [made, maxWait] = [this.#made, this.#policy.maxWait];
    const waitMs = waitBefore(end, this.#tried, this.#upstream, { exchange: this.exchange, made, maxWait });
    if (waitMs === undefined) return false;
    if (waitMs >= this.leftMs()) return this.#refused('wait');
    if (!this.#upstream.retryBudget.spend(performance.now())) return this.#refused('budget');
    this.#waitMs = waitMs;
    this.#metrics.upstreams.retried(this.#upstream.name, String(end.retry));
    return true;
  }

  /** Whether `retry.on` names it, so that an attempt which ends so is not what anybody waits for. */
  isTriedAgain(cause: RetryCause | undefined): boolean {
    return cause !== undefined && this.#policy.on.has(cause);
  }

  /** Whether the attempt under way is not the first one of its request. */
  get isRepeated(): boolean {
    return this.#made > 1;
  }

  /** Ends the attempt under way when it takes longer than each may, unless something is noted of it before. */
  limit(attempt: { tryExpired(): void }): void {
    const { perTry } = this.#policy;
    if (perTry !== undefined) this.#tryTimer = setTimeout(() => attempt.tryExpired(), perTry);
  }

  /**
   * Takes the right to a second attempt at another target beside the first one, which is under way.
   *
   * @returns the attempts of whoever makes it; undefined when it may not be made.
   */
  beside(): Attempts | undefined {
    if (this.#lease === undefined || this.exchange.cancelled !== undefined || this.leftMs() <= 0)
      return undefined;
    const avoided = this.#upstream.avoidedBeside(this.exchange, this.#lease.target);
    if (avoided === undefined) return undefined;
    if (!this.#upstream.retryBudget.spend(performance.now())) {
      this.hedged('refused');
      return undefined;
    }
    const other = new Attempts(this.exchange, this.#upstream, this.#metrics, true, this.#watch);
    other.#trace = this.#trace?.beside();
    other.endsAt = this.endsAt;
    other.#made = this.#made;
    other.#isBeside = true;
    other.#tried = avoided;
    return other;
  }

  /** Counts an attempt that was made beside its own. */
  count(beside: Attempts): void {
    this.#made = beside.#made;
    if (beside.#lease !== undefined) (this.#tried ??= []).push(beside.#lease.target);
  }

  /** Shows in the metrics what became of a second attempt. */
  hedged(outcome: 'won' | 'lost' | 'failed' | 'refused'): void {
    this.#metrics.upstreams.hedged(this.#upstream.name, outcome);
  }

  /** Has the exchange name the target under way as the one that answers. */
  showTarget(): void {
    if (this.#lease !== undefined) this.exchange.targetLabels = this.#lease.target.labels;
  }

  /** Has the next attempt made, after {@link retries}. */
  again(maker: AttemptMaker): void {
    if (this.#waitMs === 0) return maker.attempt();
    this.#maker = maker;
    this.exchange.timings?.waiting(performance.now());
    this.#timer = setTimeout((waiting: Attempts) => waiting.waited(), this.#waitMs, this);
  }

  /** Ends the wait for the next attempt. @returns whether there was one. */
  stop(): boolean {
    const waits = this.#timer !== undefined || this.#turn === 'waits';
    if (this.#turn === 'waits') this.#upstream.leave(this);
    this.#turn = undefined;
    this.#timer = void clearTimeout(this.#timer);
    return waits;
  }

  /** Ends the wait because it is over. */
  waited(): void {
    this.#timer = undefined;
    this.#maker?.attempt();
  }

  #refused(reason: 'budget' | 'wait'): false {
    this.#metrics.upstreams.retryRefused(this.#upstream.name, reason);
    return false;
  }
}
const NONE: readonly Target[] = [];
