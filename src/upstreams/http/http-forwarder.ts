import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { blameOf } from '../call-run.ts';
import type { Lease, Target } from '../target.ts';
import { isStreamed, type OutboundMessage } from '../transport/http1/carried-call.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Upstream } from '../upstream.ts';
import { ForwardAttempt, type AttemptMaker } from './forward-attempt.ts';
import { faultProblem, httpFault } from './http-faults.ts';
import { holdBody, type IncomingBody } from './outbound-body.ts';

/** What goes out for one exchange; the same for every attempt. */
export interface Outbound {
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  /** The host that is asked for; default: where the target is. */
  readonly host?: string | undefined;
  /** What the client sends, or null. */
  readonly body: IncomingBody | null;
}

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Statuses of a target in trouble: another target may do better. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Sends one exchange to its upstream: attempt after attempt, each at another target, as opaque streams both
 * ways with back-pressure, until one answers, the budget is spent, or the exchange is cancelled.
 */
export class HttpForwarding implements AttemptMaker {
  readonly exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #outbound: Outbound;
  readonly #sink: AnswerSink;
  readonly #metrics: Metrics;
  #body: OutboundMessage['body'] = null;
  #tried: Target[] | undefined = undefined;
  #attemptsLeft = 1;
  #current: ForwardAttempt | undefined = undefined;
  /** When the attempt under way began, on the clock of `performance.now()`. */
  #attemptAt = 0;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    outbound: Outbound,
    deps: { sink: AnswerSink; metrics: Metrics },
  ) {
    this.exchange = exchange;
    this.#upstream = upstream;
    this.#outbound = outbound;
    this.#sink = deps.sink;
    this.#metrics = deps.metrics;
  }

  /** Starts the first attempt, once there is enough of the body. Answers, problems included, go to the sink. */
  start(): void {
    const { body } = this.#outbound;
    this.exchange.onCancel(this.#cancelled);
    if (this.exchange.cancelled !== undefined) return;
    if (body === null) this.#begin(null);
    else holdBody(body, this.#begin);
  }

  retriesStatus(status: number): boolean {
    return RETRYABLE_STATUS.has(status) && this.#mayRetry();
  }

  retry(): void {
    this.#attempt();
  }

  failed(error: unknown): void {
    // Whoever has waited for a connection in vain says nothing about the target.
    if (error instanceof NoFreeConnection) return this.#giveUp('neutral', 'no-connection', error);
    const fault = httpFault(error);
    this.#settle('failure', fault.outcome);
    if (fault.retryable && this.#mayRetry()) this.#attempt();
    else this.#sink.fail(faultProblem(fault, error));
  }

  brokeOff(error: unknown): string {
    const fault = httpFault(error);
    this.#sink.fail(faultProblem(fault, error));
    return fault.outcome;
  }

  note(outcome: string): void {
    const attempt = this.exchange.attempts[this.exchange.attempts.length - 1];
    if (attempt !== undefined) {
      attempt.outcome = outcome;
      attempt.durationMs = performance.now() - this.#attemptAt;
    }
    this.#metrics.attempted(this.#upstream.name, outcome);
  }

  readonly #begin = (body: OutboundMessage['body']): void => {
    if (this.exchange.cancelled !== undefined) return;
    this.#body = body;
    this.exchange.upstream = this.#upstream.name;
    this.#upstream.retryBudget.earn();
    // What streams is gone once it was sent.
    const replayable = !isStreamed(body) && IDEMPOTENT.has(this.exchange.method);
    this.#attemptsLeft = replayable ? this.#upstream.options.retry.attempts : 1;
    this.#attempt();
  };

  #attempt(): void {
    let lease: Lease;
    try {
      lease = this.#upstream.lease(this.#tried);
    } catch (error) {
      return this.#sink.fail(error as Problem);
    }
    this.#attemptsLeft -= 1;
    this.exchange.attempts.push({ target: lease.target.host, outcome: 'pending', durationMs: 0 });
    this.#attemptAt = performance.now();
    if (this.#attemptsLeft > 0) (this.#tried ??= []).push(lease.target);
    this.#send(lease, lease.target.http1 as Http1Pool);
  }

  #send(lease: Lease, pool: Http1Pool): void {
    const { method } = this.exchange;
    const { path, headers: fields, host } = this.#outbound;
    const body = this.#body;
    let head: string;
    try {
      head = pool.headOf({ method, path, fields, body, host });
    } catch (error) {
      // What cannot be sent, such as an invalid value: the client's doing.
      lease.release('neutral');
      this.note('not-sent');
      return this.#sink.fail(new Problem('request-malformed', { cause: error }));
    }
    const message = { head, body, isIdempotent: IDEMPOTENT.has(method) };
    const { patience } = this.#upstream;
    this.#current = new ForwardAttempt(this, lease, this.#sink, { message, patience });
    pool.carry(this.#current);
  }

  readonly #cancelled = (reason: Problem): void => {
    const current = this.#current;
    // The body is still awaited.
    if (current === undefined) return this.#sink.fail(reason);
    if (current.isUnwanted) return;
    this.#settle(blameOf(reason), reason.code);
    current.abandon();
    this.#sink.fail(reason);
  };

  #giveUp(outcome: 'failure' | 'neutral', word: string, error: NoFreeConnection): void {
    this.#settle(outcome, word);
    if (this.#mayRetry()) this.#attempt();
    else this.#sink.fail(noFreeConnection(error));
  }

  #settle(outcome: 'failure' | 'neutral', word: string): void {
    this.#current?.release(outcome);
    this.note(word);
  }

  #mayRetry(): boolean {
    return (
      this.#attemptsLeft > 0 &&
      this.exchange.cancelled === undefined &&
      this.#upstream.hasFresh(this.#tried ?? []) &&
      this.#upstream.retryBudget.spend()
    );
  }
}
