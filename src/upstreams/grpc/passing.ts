import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http';
import { awaitsBody } from '../../exchange/awaited-body.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { grpcStatusName } from '../../problems/grpc-refusal.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { AttemptEnd } from '../attempt-end.ts';
import { Attempts, type AttemptMaker } from '../attempts.ts';
import { blameOf, type AttemptFault } from '../call-run.ts';
import { isKnownAgain } from '../idempotent-methods.ts';
import type { Lease } from '../lease.ts';
import type { DuplexReader, DuplexStream } from '../transport/http2/duplex-stream.ts';
import type { Http2Pool } from '../transport/http2/http2-pool.ts';
import { signedFor } from '../identity/service-identity.ts';
import { StreamedBody } from '../transport/http2/streamed-body.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';
import type { Upstream } from '../upstream.ts';
import { grpcFault, RefusedCall } from './grpc-faults.ts';
import { endOf, endOfError, timeoutText } from './unary-wire.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NO_FIELDS: IncomingHttpHeaders = Object.freeze({});
const NO_CONNECTION: AttemptEnd = { retry: 'queue', untouched: true };
/** A target that has said nothing for too long, and may have been at work. */
const SILENT: AttemptEnd = { retry: 'DEADLINE_EXCEEDED' };
const GRPC_TYPE = /^application\/grpc(?:$|[+;\s])/;
const STATUS = /^(?:0|[1-9]\d?)$/;

/** A call that is passed on; the same for every attempt. */
export interface PassedCall {
  readonly path: string;
  /** Names in lower case and values, flat; without the time that is left. */
  readonly fields: readonly string[];
  /** When its time is up, on the clock of `performance.now()`. */
  readonly endsAt: number;
  /** Whether it was the client who wants it that soon, and not the route. */
  readonly isHurried: boolean;
}

/** Who takes the answer of a call, and lets its messages go on. */
export interface PassTaker {
  /** Takes the metadata that comes first. @returns false when it could not be sent on; that was answered. */
  open(fields: IncomingHttpHeaders): boolean;
  /** Takes a piece of the messages, which is only valid until this returns. @returns false for no more until `onDrain`. */
  data(piece: Buffer): boolean;
  /** Takes the end as the target said it; `head` is what came first, where that was not taken before. */
  end(trailers: IncomingHttpHeaders, head: IncomingHttpHeaders | undefined): void;
  fail(problem: Problem): void;
  onDrain(resume: () => void): void;
  /** Hears that the client may send more. */
  hasRoom(): void;
}

/**
 * Passes one call on to its upstream as it comes, both ways at the pace of the slower side: attempt after attempt until one
 * has opened its answer, the budget is spent, or the exchange is cancelled. A call can be made again as long as all that
 * its client has said is small enough to be kept.
 */
export class GrpcPassing implements AttemptMaker, DuplexReader {
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #call: PassedCall;
  readonly #taker: PassTaker;
  readonly #attempts: Attempts;
  readonly #body = new StreamedBody();
  #stream: DuplexStream | undefined = undefined;
  /** The head of an answer that has a status, so that it may be given up. */
  #held: IncomingHttpHeaders | undefined = undefined;
  #isOpen = false;
  #isOver = false;
  #hasAll = false;
  #deadline: NodeJS.Timeout | undefined = undefined;
  #silence: NodeJS.Timeout | undefined = undefined;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    call: PassedCall,
    { taker, metrics }: { readonly taker: PassTaker; readonly metrics: Metrics },
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#call = call;
    this.#taker = taker;
    this.#attempts = new Attempts(exchange, upstream, metrics, isKnownAgain(exchange, call.fields));
    this.#attempts.endsAt = call.endsAt;
  }

  /** Makes the call; what comes of it goes to the taker. */
  start(): void {
    const { endsAt } = this.#call;
    this.#exchange.onCancel(this.#cancelled);
    if (this.#isOver) return;
    if (endsAt !== Infinity) {
      const left = Math.ceil(endsAt - performance.now());
      if (left <= 0) return this.#fail(new Problem('deadline-exceeded'));
      this.#deadline = setTimeout(this.#expire, Math.min(left, LONGEST_TIMER_MS));
    }
    this.attempt();
  }

  /** Passes on a piece of what the client says. @returns false for no more until `hasRoom`. */
  push(piece: Buffer): boolean {
    if (this.#isOver) return true;
    this.#body.push(piece);
    return this.#send();
  }

  /** Passes on that the client has said all. */
  finish(): void {
    this.#hasAll = true;
    this.#body.end();
    if (this.#isOver) return;
    this.#attempts.lease?.awaits();
    this.#send();
    this.#listen();
  }

  /** Makes an attempt; called by nobody but the call itself and its attempts. */
  attempt(): void {
    let lease: Lease | undefined;
    try {
      lease = this.#attempts.next(this);
      if (lease === undefined) return;
    } catch (error) {
      return this.#fail(error as Problem);
    }
    try {
      this.#open(lease);
    } catch (error) {
      // What cannot be sent, such as an invalid value: the client's doing.
      this.#attempts.settle('neutral', 'not-sent');
      this.#fail(new Problem('request-malformed', { cause: error }));
    }
  }

  head(httpStatus: number, fields: IncomingHttpHeaders): void {
    if (fields['grpc-status'] !== undefined) return void (this.#held = fields);
    if (httpStatus !== 200 || !GRPC_TYPE.test(fields['content-type'] ?? '')) {
      this.#stream?.abandon();
      const end = endOf(httpStatus, fields, NO_FIELDS);
      return this.#broken(grpcFault(end, 'upstream-timeout'), new RefusedCall(end));
    }
    this.#isOpen = true;
    this.#attempts.lease?.opened();
    if (!this.#taker.open(fields)) return;
    this.#listen();
  }

  data(piece: Buffer): boolean {
    if (!this.#isOpen || this.#isOver) return true;
    this.#silence?.refresh();
    if (this.#taker.data(piece) || this.#isOver) return true;
    // The client is slow, not the target: its silence is not counted meanwhile.
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#taker.onDrain(this.#resume);
    return false;
  }

  ended(trailers: IncomingHttpHeaders): void {
    const head = this.#held;
    const code = trailers['grpc-status'] ?? head?.['grpc-status'];
    if (typeof code !== 'string' || !STATUS.test(code))
      return this.#broken(NO_STATUS, new RefusedCall(endOf(200, NO_FIELDS, trailers)));
    const end = endOf(200, head ?? NO_FIELDS, trailers);
    const fault = end.code === status.OK ? undefined : grpcFault(end, 'upstream-timeout');
    const speaksAgainst =
      fault?.failure === true && !(end.code === status.DEADLINE_EXCEEDED && this.#isClientLate());
    this.#attempts.settle(speaksAgainst ? 'failure' : 'success', grpcStatusName(code));
    if (fault !== undefined && !this.#isOpen && this.#retries(fault)) return;
    this.#close();
    this.#taker.end(trailers, this.#isOpen ? undefined : head);
  }

  broke(error: Error): void {
    if (this.#isOver) return;
    if (error instanceof NoFreeConnection) {
      this.#attempts.settle('neutral', 'no-connection');
      if (!this.#retries(NO_CONNECTION)) this.#fail(noFreeConnection(error));
      return;
    }
    this.#broken(grpcFault(endOfError(error, this.#isOpen), 'upstream-timeout'), error);
  }

  drained(): void {
    this.#taker.hasRoom();
  }

  #open(lease: Lease): void {
    const { path } = this.#call;
    const fields = this.#attempts.asks('POST', path, this.#fields());
    const leftMs = this.#attempts.leftMs();
    const all = leftMs === Infinity ? fields : [...fields, 'grpc-timeout', timeoutText(leftMs)];
    this.#held = undefined;
    // Who has not said everything may be what the answer waits for.
    if (!this.#hasAll) lease.streams();
    // Targets of upstreams of gRPC have one; only specs of balancing make them without.
    const pool = lease.target.http2Streams as Http2Pool;
    this.#stream = pool.open({ path, fields: all }, this.#body, this);
    if (this.#stream.send()) this.#taker.hasRoom();
    this.#listen();
  }

  /** What this target gets. */
  #fields(): readonly string[] {
    const { targetEdits } = this.#exchange;
    const fields = signedFor(this.#upstream, this.#call.fields, this.#exchange);
    if (targetEdits === undefined) return fields;
    const edited = targetEdits.requestFields([...fields], this.#exchange);
    return edited.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text));
  }

  #send(): boolean {
    return this.#stream === undefined ? this.#body.isKept : this.#stream.send();
  }

  // While its client may still speak, the silence of a target means nothing; the body's own watch sees to both.
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (!this.#hasAll || this.#stream === undefined || this.#isOver) return;
    const { firstByte, idle } = this.#upstream.options.timeouts;
    const limitMs = this.#isOpen ? idle : firstByte;
    if (limitMs < Infinity) this.#silence = setTimeout(this.#silent, limitMs);
  }

  readonly #resume = (): void => {
    if (this.#isOver) return;
    this.#listen();
    this.#stream?.resume();
  };

  // Fails open: neither a client in a hurry nor one that does not say all opens the breaker of a target for others.
  #isClientLate(): boolean {
    return this.#call.isHurried || awaitsBody(this.#exchange.request);
  }

  readonly #expire = (): void => {
    const isWaiting = awaitsBody(this.#exchange.request);
    this.#exchange.cancel(new Problem(isWaiting ? 'request-timeout' : 'deadline-exceeded'));
  };

  readonly #silent = (): void => {
    this.#stream?.abandon();
    // Many services say nothing before their first message: that there is none yet says nothing about them.
    this.#attempts.settle('neutral', 'upstream-timeout');
    if (this.#isOpen || !this.#retries(SILENT)) this.#fail(new Problem('upstream-timeout'));
  };

  readonly #cancelled = (reason: Problem): void => {
    if (this.#isOver) return;
    const isOurs = reason.code === 'deadline-exceeded' && this.#isClientLate();
    const blame = isOurs ? 'neutral' : blameOf(reason, this.#attempts.lease);
    if (!this.#attempts.stop()) this.#attempts.settle(blame, reason.code);
    this.#stream?.abandon();
    this.#fail(reason);
  };

  #broken(fault: AttemptFault, cause: Error): void {
    // What breaks off after it has begun speaks against the target, whatever it says.
    this.#attempts.settle(fault.failure || this.#isOpen ? 'failure' : 'success', fault.outcome);
    if (!this.#isOpen && this.#retries(fault)) return;
    this.#fail(new Problem(fault.code, { cause }));
  }

  #retries(end: AttemptEnd): boolean {
    if (!this.#body.isKept || !this.#attempts.retries(end)) return false;
    this.#stream = undefined;
    this.#held = undefined;
    this.#body.rewind();
    clearTimeout(this.#silence);
    this.#attempts.again(this);
    return true;
  }

  #fail(problem: Problem): void {
    this.#close();
    this.#taker.fail(problem);
  }

  #close(): void {
    this.#isOver = true;
    this.#exchange.offCancel(this.#cancelled);
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
  }
}

/** An answer that does not say how the call has ended. */
const NO_STATUS: AttemptFault = {
  code: 'upstream-response-invalid',
  outcome: 'invalid',
  failure: true,
  retry: undefined,
};
