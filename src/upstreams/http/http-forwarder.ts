import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { Attempts, type AttemptEnd, type AttemptMaker } from '../attempts.ts';
import { blameOf } from '../call-run.ts';
import { isRepeatable } from '../idempotent-methods.ts';
import { retryAfterMs } from '../retry-wait.ts';
import type { SlotTaker } from '../connection-slots.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Lease } from '../target.ts';
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
  /** Flat list of names and values. */
  readonly headers: string[];
  /** The body to stream, or null. */
  readonly body: Readable | null;
}

/** Answers with a status below are never given up. */
const FIRST_ERROR_STATUS = 400;

/** Nothing was sent, and nothing of the body was read. */
const NO_CONNECTION: AttemptEnd = { retry: 'queue', untouched: true };

/** Whether a request has a body to stream. */
export function hasBody(exchange: Exchange): boolean {
  return announcesBody(exchange.request);
}

/**
 * Sends one exchange to its upstream: attempt after attempt, each at another target, as opaque streams both
 * ways with back-pressure, until one answers, the budget is spent, or the exchange is cancelled.
 */
export class HttpForwarding implements AttemptMaker, SlotTaker {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly #outbound: Outbound;
  readonly #sink: AnswerSink;
  readonly #attempts: Attempts;
  #current: AttemptHandler | undefined = undefined;

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
    const mayRepeat = outbound.body === null && isRepeatable(exchange.method, outbound.headers);
    this.#attempts = new Attempts(exchange, upstream, parts.metrics, mayRepeat);
  }

  /** Starts the first attempt. Answers, problems included, go to the sink. */
  start(): void {
    this.exchange.upstream = this.upstream.name;
    this.exchange.onCancel((reason) => this.#cancelled(reason));
    if (this.exchange.cancelled === undefined) this.attempt();
  }

  /** Whether an answer with this status, and this `Retry-After` field, is given up for another attempt. */
  retriesStatus(status: number, retryAfter: string | undefined): boolean {
    if (status < FIRST_ERROR_STATUS) return false;
    return this.#attempts.retries({ retry: status, afterMs: retryAfterMs(status, retryAfter) });
  }

  /** Ends an attempt whose answer was given up, and makes the next one. */
  retry(): void {
    this.#attempts.again(this);
  }

  /** Ends an attempt that failed before its answer began. */
  failed(error: unknown): void {
    const fault = httpFault(error);
    this.#attempts.settle('failure', fault.outcome);
    if (this.#attempts.retries(fault)) this.#attempts.again(this);
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
    this.#attempts.note(outcome);
  }

  /** Makes an attempt; called by nobody but the forwarding itself and its attempts. */
  attempt(): void {
    let lease: Lease;
    try {
      lease = this.#attempts.next();
    } catch (error) {
      return this.#sink.fail(error as Problem);
    }
    this.#current = new AttemptHandler(this, lease, this.#sink);
    // Only specs of balancing make targets without.
    if (lease.target.slots?.take(this) !== false) this.granted();
  }

  /** Sends the attempt: there is a connection for it. */
  granted(): void {
    const lease = this.#attempts.lease as Lease;
    lease.occupy(lease.target.slots);
    this.#dispatch(lease, this.#current as AttemptHandler);
  }

  /** Gives an attempt up that has waited for a connection; nothing of the body was read. */
  waitedInVain(): void {
    this.#attempts.settle('neutral', 'no-connection');
    if (this.#attempts.retries(NO_CONNECTION)) this.#attempts.again(this);
    else this.#sink.fail(noFreeConnection(new NoFreeConnection()));
  }

  #dispatch({ target }: Lease, handler: AttemptHandler): void {
    try {
      (target.pool as Dispatcher).dispatch(
        {
          path: this.#outbound.path,
          method: this.exchange.method as Dispatcher.HttpMethod,
          headers: this.#outbound.headers,
          body: this.#outbound.body,
        },
        handler,
      );
    } catch (error) {
      // undici throws at once for what it will not send, such as an invalid header value: the client's doing.
      this.#attempts.settle('neutral', 'not-sent');
      this.#sink.fail(new Problem('request-malformed', { cause: error }));
    }
  }

  #cancelled(reason: Problem): void {
    if (this.#attempts.stop()) return this.#sink.fail(reason);
    const current = this.#current;
    if (current === undefined || current.finished) return;
    this.#attempts.lease?.target.slots?.forget(this);
    this.#attempts.settle(blameOf(reason), reason.code);
    current.abandon(reason);
    this.#sink.fail(reason);
  }
}
