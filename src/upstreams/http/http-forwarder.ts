import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { Attempts, type AttemptEnd, type AttemptMaker } from '../attempts.ts';
import { blameOf } from '../call-run.ts';
import type { HedgePolicy } from '../hedging/hedge-policy.ts';
import { Hedge, type Racer } from '../hedging/hedge.ts';
import { isRepeatable } from '../idempotent-methods.ts';
import { retryAfterMs } from '../retry-wait.ts';
import type { Lease } from '../target.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';
import { SilentService } from '../transport/http1/http1-faults.ts';
import { isStreamed, type OutboundMessage } from '../transport/http1/carried-call.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Upstream } from '../upstream.ts';
import { attemptFields } from './attempt-fields.ts';
import { ForwardAttempt } from './forward-attempt.ts';
import type { ForwardHost } from './forward-host.ts';
import { faultProblem, httpFault } from './http-faults.ts';
import type { Outbound } from './outbound.ts';
import { holdBody } from './outbound-body.ts';

/** Answers with a status below are never given up. */
const FIRST_ERROR_STATUS = 400;

/** Nothing was sent, and nothing of the body was read. */
const NO_CONNECTION: AttemptEnd = { retry: 'queue', untouched: true };

/**
 * Sends one exchange to its upstream: attempt after attempt, as opaque streams both ways with back-pressure, until one
 * answers, the budget is spent, or the exchange is cancelled.
 */
export class HttpForwarding implements AttemptMaker, ForwardHost, Racer {
  readonly exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #outbound: Outbound;
  readonly #sink: AnswerSink;
  readonly #metrics: Metrics;
  #body: OutboundMessage['body'] = null;
  #isRepeatable = false;
  /** Undefined until there is enough of the body. */
  #attempts: Attempts | undefined = undefined;
  #current: ForwardAttempt | undefined = undefined;
  /** Ends an attempt that takes longer than each may. */
  #tryTimer: NodeJS.Timeout | undefined = undefined;
  /** Its race against another one of the same request. */
  #hedge: Hedge | undefined = undefined;
  /** The other one goes on alone. */
  #isOut = false;

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

  /** The attempts; there are some once one was made. */
  get attempts(): Attempts {
    return this.#attempts as Attempts;
  }

  rival(attempts: Attempts, hedge: Hedge): Racer {
    const deps = { sink: this.#sink, metrics: this.#metrics };
    const other = new HttpForwarding(this.exchange, this.#upstream, this.#outbound, deps);
    other.#body = this.#body;
    other.#isRepeatable = true;
    other.#attempts = attempts;
    other.#hedge = hedge;
    return other;
  }

  begin(): void {
    this.exchange.onCancel(this.#cancelled);
    this.attempt();
  }

  lose(): void {
    clearTimeout(this.#tryTimer);
    this.#isOut = true;
    this.#attempts?.settle('neutral', 'lost');
    this.#current?.abandon();
  }

  givesUp(head: AnswerHead): boolean {
    const { status } = head;
    const hedge = this.#hedge;
    if (status >= FIRST_ERROR_STATUS) {
      const isUseless =
        hedge !== undefined && (status >= 500 || this.#attempts?.isTriedAgain(status) === true);
      if (isUseless && hedge.yields(this)) return (this.#isOut = true);
      const afterMs = retryAfterMs(status, head.headers['retry-after']);
      if (this.#attempts?.retries({ retry: status, afterMs }) === true) return true;
    }
    hedge?.wins(this);
    return false;
  }

  retry(): void {
    if (!this.#isOut) this.#attempts?.again(this);
  }

  failed(error: unknown): void {
    clearTimeout(this.#tryTimer);
    const attempts = this.#attempts;
    const isUnsent = error instanceof NoFreeConnection;
    const fault = httpFault(error);
    // Whoever has waited for a connection in vain says nothing about the target.
    if (isUnsent) attempts?.settle('neutral', 'no-connection');
    else attempts?.settle('failure', fault.outcome);
    if (this.#leaves()) return;
    if (attempts?.retries(isUnsent ? NO_CONNECTION : fault) === true) attempts.again(this);
    else this.#sink.fail(isUnsent ? noFreeConnection(error) : faultProblem(fault, error));
  }

  brokeOff(error: unknown): string {
    const fault = httpFault(error);
    this.#sink.fail(faultProblem(fault, error));
    return fault.outcome;
  }

  note(outcome: string): void {
    clearTimeout(this.#tryTimer);
    this.#attempts?.note(outcome);
  }

  /** Ends the attempt under way, because it takes longer than each may. */
  tryExpired(): void {
    this.#current?.abandon();
    this.failed(new SilentService('within one try'));
  }

  /** Whether the other one of its race goes on alone. */
  #leaves(): boolean {
    this.#isOut = this.#hedge?.yields(this) === true;
    return this.#isOut;
  }

  readonly #begin = (body: OutboundMessage['body']): void => {
    const { exchange } = this;
    if (exchange.cancelled !== undefined) return;
    this.#body = body;
    this.#isRepeatable = isRepeatable(exchange.method, this.#outbound.headers);
    // What streams is gone once it was sent.
    const mayRepeat = this.#isRepeatable && !isStreamed(body);
    this.#attempts = new Attempts(exchange, this.#upstream, this.#metrics, mayRepeat);
    this.attempt();
  };

  /** Makes an attempt; called by nobody but the forwarding itself and its attempts. */
  attempt(): void {
    const attempts = this.#attempts as Attempts;
    let lease: Lease;
    try {
      lease = attempts.next();
    } catch (error) {
      if (!this.#leaves()) this.#sink.fail(error as Problem);
      return;
    }
    if (attempts.hedge !== undefined && this.#current === undefined && this.#hedge === undefined)
      this.#race(attempts.hedge);
    try {
      this.#send(lease);
    } catch (error) {
      // What cannot be sent, such as an invalid value: the client's doing.
      attempts.settle('neutral', 'not-sent');
      if (!this.#leaves()) this.#sink.fail(new Problem('request-malformed', { cause: error }));
    }
  }

  #send(lease: Lease): void {
    const { method } = this.exchange;
    const { path, headers, host, upgrade } = this.#outbound;
    const body = this.#body;
    // Targets of upstreams of HTTP have one; only specs of balancing make them without.
    const pool = lease.target.http1 as Http1Pool;
    const fields = attemptFields(headers, this.exchange, this.#upstream, this.attempts);
    const head = pool.headOf({ method, path, fields, body, host, upgrade: upgrade?.protocol });
    const message = { head, body, isIdempotent: this.#isRepeatable };
    const { patience } = this.#upstream;
    const { perTryMs } = this.attempts;
    if (perTryMs !== undefined) this.#tryTimer = setTimeout(tryExpired, perTryMs, this);
    this.#current = new ForwardAttempt(this, lease, this.#sink, { message, patience, upgrade });
    pool.carry(this.#current);
  }

  #race(policy: HedgePolicy): void {
    // A handshake is answered by one connection for good.
    if (this.#outbound.upgrade === undefined) this.#hedge = new Hedge(this, policy);
  }

  readonly #cancelled = (reason: Problem): void => {
    const current = this.#current;
    if (this.#isOut) return;
    // The body is still awaited, or the next attempt waits for its time.
    if (current === undefined || this.#attempts?.stop() === true) return this.#sink.fail(reason);
    if (current.isUnwanted) return;
    clearTimeout(this.#tryTimer);
    this.#attempts?.settle(blameOf(reason), reason.code);
    current.abandon();
    if (!this.#leaves()) this.#sink.fail(reason);
  };
}

function tryExpired(forwarding: HttpForwarding): void {
  forwarding.tryExpired();
}
