import type { Attempt, Exchange } from '../exchange/exchange.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { Outcome } from '../policies/circuit-breaker/breaker.ts';
import { Problem } from '../problems/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { Attempts, type AttemptMaker } from './attempts.ts';
import { hedgeOf } from './hedging/hedge-policy.ts';
import { Hedge, type Racer } from './hedging/hedge.ts';
import { NoFreeConnection, noFreeConnection } from './transport/no-free-connection.ts';
import type { Lease } from './lease.ts';
import type { Target } from './target.ts';
import type { Upstream } from './upstream.ts';

/** What one run of a call may use. */
export interface CallLimits {
  readonly exchange: Exchange;
  /** Time the whole run may take, retries included, in ms; `Infinity`: only the exchange's deadline. */
  readonly timeoutMs: number;
  /** Hears of the attempts of this run, besides the exchange. */
  readonly trail?: { readonly attempts: Attempt[] } | undefined;
  /** What this run is a part of in the trace. Default the exchange. */
  readonly span?: SpanNote | undefined;
}

/** How an attempt failed. */
export interface AttemptFault extends AttemptEnd {
  /** The problem that the caller sees when no other attempt is made. */
  readonly code: ProblemCode;
  /** The word for the access line and the metrics. */
  readonly outcome: string;
  /** Whether it speaks against the target and counts for its breaker. */
  readonly failure: boolean;
  /** Whether it says nothing about the target, neither good nor bad. */
  readonly neutral?: true;
}

/** Clocks of the two sides differ by a few ms; a deadline that has this little left counts as passed. */
const CLOCK_SLACK_MS = 5;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One run of a call that is awaited as a whole, whatever the protocol: attempt after attempt, each at another
 * target while the retry budget lasts, until one answers, the time is up, or the exchange is cancelled.
 */
export abstract class CallRun<Out> implements AttemptMaker, Racer {
  protected readonly upstream: Upstream;
  protected readonly exchange: Exchange;
  #attempts: Attempts;
  /** Its race against another run of the same call. */
  #hedge: Hedge | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #done = false;
  #resolve: (value: Out) => void = ignore;
  #reject: (reason: unknown) => void = ignore;

  /** @param mayRepeat whether the call can be made twice, and may without harm. */
  constructor(upstream: Upstream, limits: CallLimits, metrics: Metrics, mayRepeat: boolean) {
    this.upstream = upstream;
    this.exchange = limits.exchange;
    const { exchange, timeoutMs } = limits;
    this.#attempts = new Attempts(exchange, upstream, metrics, mayRepeat, limits);
    if (timeoutMs !== Infinity)
      this.#attempts.endsAt = Math.min(exchange.deadlineAt, performance.now() + timeoutMs);
  }

  /** Makes the call. @throws {Problem} always one of the catalogue, whatever the target did. */
  start(): Promise<Out> {
    return new Promise<Out>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#start();
    });
  }

  /** The attempts of this run. */
  get attempts(): Attempts {
    return this.#attempts;
  }

  rival(attempts: Attempts, hedge: Hedge): Racer {
    // Only one that has a twin ever races.
    const other = this.twin?.() as CallRun<Out>;
    other.#attempts = attempts;
    other.#hedge = hedge;
    other.#resolve = this.#resolve;
    other.#reject = this.#reject;
    return other;
  }

  begin(): void {
    this.exchange.onCancel(this.#cancelled);
    this.attempt();
  }

  lose(): void {
    this.#attempts.settle('neutral', 'lost');
    this.#finish();
    this.abandon(new Problem('upstream-timeout'));
  }

  /** Another run of the same call, for a second attempt at the same time; absent for a call that has only one. */
  protected twin?(): CallRun<Out>;

  /** Hears that an answer has begun which can be used: no other attempt is of use any more. */
  protected answered(): void {
    this.#hedge?.wins(this);
  }

  /** Starts one attempt; its end is reported with {@link deliver} or {@link fail}. */
  protected abstract send(target: Target): void;

  /** Stops the attempt under way; what it still reports is ignored. */
  protected abstract abandon(reason: Problem): void;

  /** Frees what the run holds besides the attempt. */
  protected finished(): void {}

  /** Makes what the caller gets of what was delivered; what it throws is what the caller hears. */
  protected shape(value: Out): Out {
    return value;
  }

  /** Takes note that the answer to this attempt has begun. */
  protected begun(): void {
    this.#attempts.lease?.begun();
  }

  /** From now on, in this attempt, {@link expire} ends the run when its time is up, or the given one if that is shorter, in ms. */
  protected keepTime(limitMs = Infinity): void {
    clearTimeout(this.#timer);
    const left = Math.min(this.leftMs(), limitMs, this.#attempts.tryLeftMs());
    if (left !== Infinity)
      this.#timer = setTimeout(expireRun, Math.min(Math.ceil(left), LONGEST_TIMER_MS), this);
  }

  /** Time left for the whole run, in ms; may be `Infinity`. */
  protected leftMs(): number {
    return this.#attempts.leftMs();
  }

  /** Whose budget has run out: the one of the whole request, or the one of this step. */
  protected timeoutCode(): ProblemCode {
    return this.exchange.remainingMs() <= CLOCK_SLACK_MS ? 'deadline-exceeded' : 'upstream-timeout';
  }

  /** Ends the run with a value. */
  protected deliver(value: Out, outcome: string): void {
    if (this.#done) return;
    this.#attempts.settle('success', outcome);
    this.answered();
    this.#finish();
    try {
      this.#resolve(this.shape(value));
    } catch (error) {
      this.#reject(error);
    }
  }

  /**
   * Ends the run with an answer that streams on. Its target counts as busy until {@link streamed}.
   *
   * @param health what the opening says about the target.
   */
  protected deliverOpen(value: Out, health: 'success' | 'neutral'): void {
    if (this.#done) return;
    if (health === 'success') this.heard();
    else this.#attempts.lease?.unheard();
    this.#attempts.note('OK', true);
    this.#finish();
    this.#resolve(value);
  }

  /**
   * Gives the target back after its answer has streamed.
   *
   * @param health what the end says about the target.
   */
  protected streamed(health: Outcome): void {
    this.#attempts.lease?.release(health);
    // The span of a call lasts as long as its stream; what breaks off says so after this.
    this.#attempts.correct('OK');
  }

  /** Takes note that the target has said something good, while its answer streams. */
  protected heard(): void {
    this.#attempts.lease?.opened();
  }

  /** Ends an attempt without a value, and the run too unless another target may be asked. */
  protected fail(fault: AttemptFault, cause: unknown): void {
    if (this.#done) return;
    const health = fault.neutral ? 'neutral' : fault.failure ? 'failure' : 'success';
    this.#attempts.settle(health, fault.outcome, fault.untouched);
    if (this.#hedge !== undefined) {
      const isAnswer = !fault.failure && !fault.neutral && !this.#attempts.isTriedAgain(fault.retry);
      if (isAnswer) this.#hedge.wins(this);
      else if (this.#hedge.yields(this)) return this.#finish();
    }
    if (this.#attempts.retries(fault)) this.#again();
    else this.#refuse(this.problemOf(fault, cause));
  }

  /** Ends an attempt for which no connection became free; another target may have one. */
  protected failUnsent(cause: NoFreeConnection): void {
    const fault = { failure: false, neutral: true, retry: 'queue', untouched: true } as const;
    this.fail({ code: 'no-available-target', outcome: 'no-connection', ...fault }, cause);
  }

  /** What the caller is told of a fault that ends the run. */
  protected problemOf(fault: AttemptFault, cause: unknown): Problem {
    if (cause instanceof NoFreeConnection) return noFreeConnection(cause);
    return new Problem(fault.code, { cause });
  }

  /** Makes an attempt; called by nobody but the run itself and its attempts. */
  attempt(): void {
    try {
      const lease = this.#attempts.next(this);
      if (lease === undefined) return this.keepTime();
      if (!this.#attempts.isRepeated) this.#race();
      this.send(lease.target);
    } catch (error) {
      // Every breaker is open, or the transport will not send this at all: our own defect, not the target's.
      if (this.#attempts.isPending) this.#attempts.settle('neutral', 'not-sent');
      if (this.#hedge?.yields(this) === true) return this.#finish();
      this.#refuse(error instanceof Problem ? error : new Problem('internal', { cause: error }));
    }
  }

  /** Ends the run because its time is up; or, if it is only that of the attempt, perhaps nothing but that. */
  expire(): void {
    const problem = new Problem(this.timeoutCode());
    if (this.leftMs() <= CLOCK_SLACK_MS) return this.#stop(problem, 'failure');
    const retry = this.upstream.options.protocol === 'grpc' ? 'DEADLINE_EXCEEDED' : 'timeout';
    this.abandon(problem);
    this.fail({ code: problem.code, outcome: problem.code, failure: true, retry }, undefined);
  }

  /** Ends the run because its answer is no longer wanted; says nothing about the target. */
  protected withdraw(reason: Problem): void {
    this.#stop(reason, 'neutral');
  }

  readonly #cancelled = (reason: Problem): void => this.#stop(reason, blameOf(reason));

  #race(): void {
    if (this.twin === undefined || !this.#attempts.mayRepeat) return;
    const hedge = hedgeOf(this.exchange, this.upstream);
    if (hedge !== undefined) this.#hedge = new Hedge(this, hedge);
  }

  #start(): void {
    if (this.exchange.cancelled !== undefined) return this.#reject(this.exchange.cancelled);
    if (this.leftMs() <= 0) return this.#reject(new Problem(this.timeoutCode()));
    this.begin();
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#attempts.again(this);
  }

  #stop(reason: Problem, outcome: 'failure' | 'neutral'): void {
    if (this.#done) return;
    // While the next attempt is waited for, none is under way.
    if (!this.#attempts.stop()) this.#attempts.settle(outcome, reason.code);
    if (this.#hedge?.yields(this) === true) this.#finish();
    else this.#refuse(reason);
    this.abandon(reason);
  }

  #refuse(problem: Problem): void {
    this.#finish();
    this.#reject(problem);
  }

  #finish(): void {
    this.#done = true;
    this.exchange.offCancel(this.#cancelled);
    clearTimeout(this.#timer);
    this.finished();
  }
}

/**
 * What the end of an exchange says about the target that was under way. The client's leaving, or ours, says nothing; a
 * deadline that passed while it was silent does, and so does that it took nothing of a body; but not once it answers.
 */
export function blameOf({ code }: Problem, lease?: Lease): 'failure' | 'neutral' {
  if (lease?.isOpen === true) return 'neutral';
  return code === 'deadline-exceeded' || code === 'upstream-timeout' ? 'failure' : 'neutral';
}

function expireRun(run: { expire(): void }): void {
  run.expire();
}

function ignore(): void {}
