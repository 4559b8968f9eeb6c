import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { blameOf } from '../call-run.ts';
import type { SlotTaker } from '../connection-slots.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Lease, Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { AttemptHandler } from './attempt-handler.ts';
import { faultProblem, httpFault, type HttpFault } from './http-faults.ts';

/** Where an answer goes. The forwarder calls `start` once, then `data` and `end`, or `fail`. */
export interface AnswerSink {
  /** Takes status and header fields (a flat list, hop-by-hop fields already removed). */
  start(status: number, headers: string[]): void;
  /** Takes a piece of the body; returns false to be resumed later through `onDrain`. */
  data(chunk: Buffer): boolean;
  end(): void;
  /** Takes the reason why there is no answer, or no complete one. */
  fail(problem: Problem): void;
  /**
   * Calls back once when the sink can take more.
   *
   * @param idleMs how long its reader may take nothing; the exchange ends then, as for a client that has left.
   */
  onDrain(resume: () => void, idleMs: number): void;
}

/** What goes out for one exchange; the same for every attempt. */
export interface Outbound {
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values, without `Host`. */
  readonly headers: string[];
  /** What `Host` says; undefined for the host of the target. */
  readonly host: string | undefined;
  /** The body to stream, or null. */
  readonly body: Readable | null;
}

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Statuses of a target in trouble: another target may do better. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether a request has a body to stream. */
export function hasBody(exchange: Exchange): boolean {
  return announcesBody(exchange.request);
}

/**
 * Sends one exchange to its upstream: attempt after attempt, each at another target, as opaque streams both
 * ways with back-pressure, until one answers, the budget is spent, or the exchange is cancelled.
 */
export class HttpForwarding implements SlotTaker {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly #outbound: Outbound;
  readonly #sink: AnswerSink;
  readonly #metrics: Metrics;
  #tried: Target[] | undefined = undefined;
  #attemptsLeft: number;
  #current: AttemptHandler | undefined = undefined;
  /** When the attempt under way began, on the clock of `performance.now()`. */
  #attemptAt = 0;
  #lease: Lease | undefined = undefined;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    outbound: Outbound,
    parts: { sink: AnswerSink; metrics: Metrics },
  ) {
    this.exchange = exchange;
    this.upstream = upstream;
    this.#outbound = outbound;
    this.#sink = parts.sink;
    this.#metrics = parts.metrics;
    const replayable = outbound.body === null && IDEMPOTENT.has(exchange.method);
    this.#attemptsLeft = replayable ? upstream.options.retry.attempts : 1;
  }

  /** Starts the first attempt. Answers, problems included, go to the sink. */
  start(): void {
    this.exchange.upstream = this.upstream.name;
    this.upstream.retryBudget.earn();
    this.exchange.onCancel((reason) => this.#cancelled(reason));
    if (this.exchange.cancelled === undefined) this.#attempt();
  }

  /** Whether an answer with this status is given up for another attempt. */
  retriesStatus(status: number): boolean {
    return RETRYABLE_STATUS.has(status) && this.#mayRetry();
  }

  /** Ends an attempt whose answer was given up, and makes the next one. */
  retry(): void {
    this.#attempt();
  }

  /** Ends an attempt that failed before its answer began. */
  failed(error: unknown): void {
    const fault = httpFault(error);
    this.#settle('failure', fault.outcome);
    if (fault.retryable && this.#mayRetry()) this.#attempt();
    else this.#sink.fail(faultProblem(fault, error));
  }

  /** Ends an attempt whose answer broke off; nothing can be taken back. */
  brokeOff(error: unknown): HttpFault {
    const fault = httpFault(error);
    this.#sink.fail(faultProblem(fault, error));
    return fault;
  }

  /** Shows in the access line and the metrics what an attempt became. */
  note(outcome: string): void {
    const attempt = this.exchange.attempts[this.exchange.attempts.length - 1];
    if (attempt !== undefined) {
      attempt.outcome = outcome;
      attempt.durationMs = performance.now() - this.#attemptAt;
    }
    this.#metrics.attempted(this.upstream.name, outcome);
  }

  #attempt(): void {
    let lease: Lease;
    try {
      lease = this.upstream.lease(this.#tried);
    } catch (error) {
      return this.#sink.fail(error as Problem);
    }
    this.#attemptsLeft -= 1;
    this.exchange.attempts.push({ target: lease.target.host, outcome: 'pending', durationMs: 0 });
    this.#attemptAt = performance.now();
    if (this.#attemptsLeft > 0) (this.#tried ??= []).push(lease.target);
    this.#current = new AttemptHandler(this, lease, this.#sink);
    this.#lease = lease;
    // Only specs of balancing make targets without.
    if (lease.target.slots?.take(this) !== false) this.granted();
  }

  /** Sends the attempt: there is a connection for it. */
  granted(): void {
    this.#lease?.occupy(this.#lease.target.slots);
    this.#dispatch(this.#lease as Lease, this.#current as AttemptHandler);
  }

  /** Gives an attempt up that has waited for a connection; nothing of the body was read. */
  waitedInVain(): void {
    this.#settle('neutral', 'no-connection');
    if (this.#mayRetry()) this.#attempt();
    else this.#sink.fail(noFreeConnection(new NoFreeConnection()));
  }

  #dispatch({ target }: Lease, handler: AttemptHandler): void {
    const { host, headers } = this.#outbound;
    try {
      (target.pool as Dispatcher).dispatch(
        {
          path: this.#outbound.path,
          method: this.exchange.method as Dispatcher.HttpMethod,
          headers: host === undefined ? headers : [...headers, 'host', host],
          body: this.#outbound.body,
        },
        handler,
      );
    } catch (error) {
      // undici throws at once for what it will not send, such as an invalid header value: the client's doing.
      this.#settle('neutral', 'not-sent');
      this.#sink.fail(new Problem('request-malformed', { cause: error }));
    }
  }

  #cancelled(reason: Problem): void {
    const current = this.#current;
    if (current === undefined || current.finished) return;
    this.#lease?.target.slots?.forget(this);
    this.#settle(blameOf(reason), reason.code);
    current.abandon(reason);
    this.#sink.fail(reason);
  }

  #settle(outcome: 'failure' | 'neutral', word: string): void {
    this.#current?.release(outcome);
    this.note(word);
  }

  #mayRetry(): boolean {
    return (
      this.#attemptsLeft > 0 &&
      this.exchange.cancelled === undefined &&
      this.upstream.hasFresh(this.#tried ?? []) &&
      this.upstream.retryBudget.spend()
    );
  }
}
