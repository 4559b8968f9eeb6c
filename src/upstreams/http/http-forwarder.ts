import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Attempts, type AttemptMaker } from '../attempts.ts';
import { blameOf } from '../call-run.ts';
import { isRepeatable } from '../idempotent-methods.ts';
import { retryAfterMs } from '../retry-wait.ts';
import type { Lease } from '../lease.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';
import { SilentService } from '../transport/http1/http1-faults.ts';
import { isStreamed, type OutboundMessage } from '../transport/http1/carried-call.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import type { Upstream } from '../upstream.ts';
import { attemptFields } from './attempt-fields.ts';
import { ForwardAttempt } from './forward-attempt.ts';
import type { ForwardHost, ForwardingDeps } from './forward-host.ts';
import { faultProblem, httpFault, verdictOf } from './http-faults.ts';
import type { Outbound } from './outbound.ts';
import { holdBody } from './outbound-body.ts';

/** Answers with a status below are never given up. */
const FIRST_ERROR_STATUS = 400;

/**
 * Sends one exchange to its upstream: attempt after attempt, as opaque streams both ways with back-pressure, until one
 * answers, the budget is spent, or the exchange is cancelled.
 */
export class HttpForwarding implements AttemptMaker, ForwardHost {
  readonly exchange: Exchange;
  protected readonly upstream: Upstream;
  protected readonly outbound: Outbound;
  protected readonly deps: ForwardingDeps;
  protected body: OutboundMessage['body'] = null;
  protected isRepeatable = false;
  /** Undefined until there is enough of the body. */
  protected given: Attempts | undefined = undefined;
  protected current: ForwardAttempt | undefined = undefined;

  constructor(exchange: Exchange, upstream: Upstream, outbound: Outbound, deps: ForwardingDeps) {
    this.exchange = exchange;
    this.upstream = upstream;
    this.outbound = outbound;
    this.deps = deps;
  }

  /** Starts the first attempt, once there is enough of the body. Answers, problems included, go to the sink. */
  start(): void {
    const { body } = this.outbound;
    this.exchange.onCancel(this.whenCancelled);
    if (this.exchange.cancelled !== undefined) return;
    if (body === null) this.#begin(null);
    else holdBody(body, this.#begin);
  }

  givesUp(head: AnswerHead): boolean {
    const { status } = head;
    if (status < FIRST_ERROR_STATUS) return false;
    const afterMs = retryAfterMs(status, head.headers['retry-after']);
    return this.given?.retries({ retry: status, afterMs }) === true;
  }

  retry(): void {
    this.given?.again(this);
  }

  failed(error: unknown): void {
    const fault = httpFault(error);
    this.given?.settle(verdictOf(fault), fault.outcome);
    if (this.leaves()) return;
    if (this.given?.retries(fault) === true) this.given.again(this);
    else this.deps.sink.fail(faultProblem(fault, error));
  }

  brokeOff(error: unknown): string {
    const fault = httpFault(error);
    this.deps.sink.fail(faultProblem(fault, error));
    return fault.outcome;
  }

  note(outcome: string): void {
    this.given?.note(outcome);
  }

  /** Ends the attempt under way, because it takes longer than each may. */
  tryExpired(): void {
    this.current?.abandon();
    this.failed(new SilentService('within one try'));
  }

  /** Hears that an attempt has a target now, which it may have waited for. */
  protected leased(): void {}

  /** Whether somebody else goes on with the request, when an attempt ends without an answer. */
  protected leaves(): boolean {
    return false;
  }

  readonly #begin = (body: OutboundMessage['body']): void => {
    const { exchange } = this;
    if (exchange.cancelled !== undefined) return;
    this.body = body;
    this.isRepeatable = isRepeatable(exchange, this.outbound.headers);
    // What streams is gone once it was sent.
    const mayRepeat = this.isRepeatable && !isStreamed(body);
    this.given = new Attempts(exchange, this.upstream, this.deps.metrics, mayRepeat);
    this.attempt();
  };

  /** Makes an attempt; called by nobody but the forwarding itself and its attempts. */
  attempt(): void {
    const attempts = this.given as Attempts;
    let lease: Lease | undefined;
    try {
      lease = attempts.next(this);
      if (lease === undefined) return;
    } catch (error) {
      return void (this.leaves() || this.deps.sink.fail(error as Problem));
    }
    this.leased();
    try {
      this.#send(lease, attempts);
    } catch (error) {
      // What cannot be sent, such as an invalid value: the client's doing.
      attempts.settle('neutral', 'not-sent');
      if (!this.leaves()) this.deps.sink.fail(new Problem('request-malformed', { cause: error }));
    }
  }

  #send(lease: Lease, attempts: Attempts): void {
    const { exchange, upstream, body } = this;
    const { method } = exchange;
    const { patience } = upstream;
    const { path, headers, host, upgrade } = this.outbound;
    // Targets of upstreams of HTTP have one; only specs of balancing make them without.
    const pool = lease.target.http1 as Http1Pool;
    const fields = attempts.asks(method, path, attemptFields(headers, exchange, upstream, attempts));
    const head = pool.headOf({ method, path, fields, body, host, upgrade: upgrade?.protocol });
    const message = { head, body, isIdempotent: this.isRepeatable };
    attempts.limit(this);
    if (isStreamed(body) || upgrade !== undefined) lease.streams();
    this.current = new ForwardAttempt(this, lease, this.deps.sink, { message, patience, upgrade });
    pool.carry(this.current);
  }

  protected readonly whenCancelled = (reason: Problem): void => {
    const current = this.current;
    // The next attempt waits for its time or its turn, or the body is still awaited.
    if (this.given?.stop() === true || current === undefined) return this.deps.sink.fail(reason);
    if (current.isUnwanted) return;
    this.given?.settle(blameOf(reason, this.given.lease), reason.code);
    current.abandon();
    if (!this.leaves()) this.deps.sink.fail(reason);
  };
}
