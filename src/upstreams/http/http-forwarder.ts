import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { Attempts, type AttemptEnd, type AttemptMaker } from '../attempts.ts';
import { blameOf } from '../call-run.ts';
import { isRepeatable } from '../idempotent-methods.ts';
import { retryAfterMs } from '../retry-wait.ts';
import type { Lease } from '../target.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';
import { isStreamed, type OutboundMessage } from '../transport/http1/carried-call.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Upstream } from '../upstream.ts';
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
export class HttpForwarding implements AttemptMaker, ForwardHost {
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

  retriesStatus(head: AnswerHead): boolean {
    const { status } = head;
    if (status < FIRST_ERROR_STATUS) return false;
    const afterMs = retryAfterMs(status, head.headers['retry-after']);
    return this.#attempts?.retries({ retry: status, afterMs }) === true;
  }

  retry(): void {
    this.#attempts?.again(this);
  }

  failed(error: unknown): void {
    const attempts = this.#attempts;
    const isUnsent = error instanceof NoFreeConnection;
    const fault = httpFault(error);
    // Whoever has waited for a connection in vain says nothing about the target.
    if (isUnsent) attempts?.settle('neutral', 'no-connection');
    else attempts?.settle('failure', fault.outcome);
    if (attempts?.retries(isUnsent ? NO_CONNECTION : fault) === true) attempts.again(this);
    else this.#sink.fail(isUnsent ? noFreeConnection(error) : faultProblem(fault, error));
  }

  brokeOff(error: unknown): string {
    const fault = httpFault(error);
    this.#sink.fail(faultProblem(fault, error));
    return fault.outcome;
  }

  note(outcome: string): void {
    this.#attempts?.note(outcome);
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
    let lease: Lease | undefined;
    try {
      lease = attempts.next(this);
      if (lease === undefined) return;
    } catch (error) {
      return this.#sink.fail(error as Problem);
    }
    try {
      this.#send(lease);
    } catch (error) {
      // What cannot be sent, such as an invalid value: the client's doing.
      attempts.settle('neutral', 'not-sent');
      this.#sink.fail(new Problem('request-malformed', { cause: error }));
    }
  }

  #send(lease: Lease): void {
    const { method } = this.exchange;
    const { path, headers, host, upgrade } = this.#outbound;
    const { targetEdits } = this.exchange;
    const fields = targetEdits === undefined ? headers : targetEdits.requestFields(headers, this.exchange);
    const body = this.#body;
    // Targets of upstreams of HTTP have one; only specs of balancing make them without.
    const pool = lease.target.http1 as Http1Pool;
    const head = pool.headOf({ method, path, fields, body, host, upgrade: upgrade?.protocol });
    const message = { head, body, isIdempotent: this.#isRepeatable };
    const { patience } = this.#upstream;
    this.#current = new ForwardAttempt(this, lease, this.#sink, { message, patience, upgrade });
    pool.carry(this.#current);
  }

  readonly #cancelled = (reason: Problem): void => {
    const current = this.#current;
    // The next attempt waits for its time or its turn, or the body is still awaited.
    if (this.#attempts?.stop() === true || current === undefined) return this.#sink.fail(reason);
    if (current.isUnwanted) return;
    this.#attempts?.settle(blameOf(reason), reason.code);
    current.abandon();
    this.#sink.fail(reason);
  };
}
