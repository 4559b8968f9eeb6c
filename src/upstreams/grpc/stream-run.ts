import { status, type ClientDuplexStream, type Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Outcome } from '../../policies/circuit-breaker/breaker.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CallRun, type AttemptFault } from '../call-run.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { cancelCall } from './cancel-call.ts';
import type { GrpcChannels } from './grpc-channel.ts';
import { fieldsForTarget, metadataOf } from './outbound-metadata.ts';
import { grpcFault } from './grpc-faults.ts';

/** A call whose messages are bytes. */
export type ByteCall = ClientDuplexStream<Buffer, Buffer>;

/** What takes the answer of a streaming call: `open` once, messages, and `end` or `fail`. */
export interface StreamTaker {
  /** Takes the head of the answer; returns false when it wants no messages. */
  open(metadata: Metadata | undefined): boolean;
  /** Takes one message; returns false to be resumed later through `onDrain`. */
  message(bytes: Buffer): boolean;
  end(trailers: Metadata | undefined): void;
  fail(problem: Problem): void;
  onDrain(resume: () => void): void;
}

/** Where the messages of the request come from. */
export interface StreamSource {
  /** Whether they can be sent again to another target. */
  readonly replayable: boolean;
  /** Writes them to the call, waits where it must, and ends it. `sent` is called after the last one. */
  send(call: ByteCall, sent: () => void): void;
  /** Hears that the call has ended which it sent to; perhaps another one follows. */
  rest?(): void;
  /** Stops writing; nobody reads any more. */
  stop(): void;
}

/** The deadline has passed while we waited for the client. */
const CLIENT_LATE: AttemptFault = {
  code: 'request-timeout',
  outcome: 'request-timeout',
  failure: false,
  neutral: true,
  retry: undefined,
};

/** What is called, and on what. */
export interface StreamRunOptions {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  /** What goes out along with the messages. */
  readonly metadata: Metadata;
  /** The same as a flat list, for what is edited for some targets. Default: nothing is. */
  readonly fields?: readonly string[];
  readonly channels: GrpcChannels;
  readonly metrics: Metrics;
  /** `/shop.v1.Orders/GetOrder`. */
  readonly path: string;
  /** Whether the call may be made twice without harm. */
  readonly idempotent: boolean;
  /** Whether the answer is one message, which has to be there by the deadline. */
  readonly answersWhole?: boolean;
  /**
   * Whether a target that has said nothing within `timeouts.firstByte` counts as open instead of too slow: many
   * servers send the head of an answer only with its first message, which may be hours away.
   */
  readonly patient?: boolean;
  /** Longest silence of an open stream whose client has said everything, in ms; `Infinity` for no limit. */
  readonly idleMs: number;
  /** What the caller is told of a fault; the problem of its code by default. */
  readonly problemOf?: (fault: AttemptFault, cause: unknown) => Problem;
}

/**
 * One streaming call. Until the target opens its answer it is an attempt like any other, with retries and the
 * breaker; from then on it is a stream, which only its silence, either side or its end stops.
 * The deadline of the exchange bounds the opening, as it does for proxied bodies.
 */
export class StreamRun extends CallRun<void> {
  readonly options: StreamRunOptions;
  readonly #source: StreamSource;
  readonly #taker: StreamTaker;
  #call: ByteCall | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #sent = false;
  #opened = false;
  #over = false;
  #fault: ServiceError | undefined = undefined;
  #trailers: Metadata | undefined = undefined;

  constructor(options: StreamRunOptions, source: StreamSource, taker: StreamTaker) {
    const { exchange, upstream, metrics, idempotent } = options;
    super(upstream, { exchange, timeoutMs: Infinity }, metrics, idempotent && source.replayable);
    this.options = options;
    this.#source = source;
    this.#taker = taker;
  }

  /** Makes the call; everything that comes of it goes to the taker. */
  run(): void {
    this.start().catch((problem: unknown) => {
      this.#source.stop();
      this.#taker.fail(problem as Problem);
    });
  }

  /** Ends the call because nobody listens any more; says nothing about the target. */
  leave(reason: Problem): void {
    if (this.#opened) this.#cut(reason);
    else this.withdraw(reason);
  }

  protected override send(target: Target): void {
    const { path, answersWhole = false, channels } = this.options;
    this.attempts.lease?.streams();
    const metadata = this.#metadata();
    const isWhole = answersWhole && this.leftMs() !== Infinity;
    // Only an answer that comes as a whole has to be there by the deadline.
    const options = isWhole ? { deadline: Date.now() + this.leftMs() } : {};
    const call: ByteCall = channels.call(target, this.upstream.options.maxConnections, (client) =>
      client.makeBidiStreamRequest(path, asIs, asIs, metadata, options),
    );
    this.#call = call;
    // Not only after the last message, which may never come: nobody else gets the probe of a breaker meanwhile.
    if (this.options.patient === true) this.#expectHead();
    call.once('metadata', (head: Metadata) => this.#isCurrent(call) && this.#open(head));
    call.on('data', (bytes: Buffer) => this.#isCurrent(call) && this.#message(call, bytes));
    call.on('error', (error: ServiceError) => this.#isCurrent(call) && this.#failed(error, target));
    call.once('status', (status) => (this.#trailers = status.metadata));
    call.once('end', () => this.#isCurrent(call) && this.#ended());
    this.#source.send(call, () => this.#isCurrent(call) && this.#allSent());
  }

  protected override abandon(): void {
    this.#cancel();
    this.#call = undefined;
    this.#source.rest?.();
  }

  protected override finished(): void {
    clearTimeout(this.#timer);
  }

  protected override problemOf(fault: AttemptFault, cause: unknown): Problem {
    return this.options.problemOf?.(fault, cause) ?? super.problemOf(fault, cause);
  }

  #metadata(): Metadata {
    const { metadata, fields, exchange, path } = this.options;
    if (fields === undefined) return metadata;
    const told = this.attempts.asks('POST', path, fieldsForTarget(fields, exchange, this.upstream));
    return told === fields ? metadata : metadataOf(told);
  }

  #isCurrent(call: ByteCall): boolean {
    return this.#call === call && !this.#over;
  }

  // An upload takes its time; only after it the target is expected to say something.
  #allSent(): void {
    this.#sent = true;
    if (this.#opened) this.#watchSilence();
    else if (this.options.patient !== true) this.#expectHead();
  }

  // Of this attempt: an earlier one may have left its own.
  #expectHead(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#unheard, this.upstream.options.timeouts.firstByte);
  }

  readonly #unheard = (): void => {
    if (this.options.patient !== true) return this.expire();
    // Whether the target is well is not known yet: the breaker hears neither the one nor the other.
    this.#open(undefined, 'neutral');
  };

  #watchSilence(): void {
    clearTimeout(this.#timer);
    const { idleMs } = this.options;
    // Not the old one: to refresh a timer that was cleared would start it again.
    this.#timer = this.#sent && idleMs !== Infinity ? setTimeout(this.#silent, idleMs) : undefined;
  }

  #open(head: Metadata | undefined, health: 'success' | 'neutral' = 'success'): void {
    if (this.#opened || this.exchange.cancelled !== undefined) return;
    this.#opened = true;
    this.deliverOpen(undefined, health);
    this.exchange.onCancel(this.#cut);
    this.#watchSilence();
    if (!this.#taker.open(head)) this.#close('neutral', () => this.#cancel());
  }

  #message(call: ByteCall, bytes: Buffer): void {
    this.#open(undefined);
    if (this.#over) return;
    this.heard();
    this.#timer?.refresh();
    if (this.#taker.message(bytes) || this.#over) return;
    // The client is slow, not the target: its silence is not counted meanwhile.
    call.pause();
    clearTimeout(this.#timer);
    this.#taker.onDrain(() => {
      if (!this.#isCurrent(call)) return;
      this.#watchSilence();
      call.resume();
    });
  }

  #failed(error: ServiceError, target: Target): void {
    // Messages that are still to be read come first; the stream says when it has ended.
    if (this.#opened) return void (this.#fault = error);
    const call = this.#call as ByteCall;
    this.#call = undefined;
    this.#source.rest?.();
    clearTimeout(this.#timer);
    const fault = this.#isClientLate(call, error) ? CLIENT_LATE : grpcFault(error, this.timeoutCode());
    this.fail(this.#source.replayable ? fault : { ...fault, retry: undefined }, reasonOf(error, target));
  }

  // The target hears of the deadline too and may tell of it before our own timer does: nothing speaks against one that
  // takes all it gets and waits for more.
  #isClientLate(call: ByteCall, { code }: ServiceError): boolean {
    if (this.#sent || code !== status.DEADLINE_EXCEEDED || call.writableNeedDrain) return false;
    return this.timeoutCode() === 'deadline-exceeded';
  }

  #ended(): void {
    if (this.#fault !== undefined) {
      const fault = grpcFault(this.#fault, this.timeoutCode());
      // That its time was up says nothing about what had begun well.
      const health = !fault.failure
        ? 'success'
        : this.#fault.code === status.DEADLINE_EXCEEDED
          ? 'neutral'
          : 'failure';
      return this.#close(health, () => this.#breakOff(fault, this.problemOf(fault, this.#fault)));
    }
    if (!this.#opened && this.#trailers === undefined) return;
    this.#open(undefined);
    this.#close('success', () => this.#taker.end(this.#trailers));
  }

  readonly #silent = (): void => this.#cut(new Problem('upstream-timeout'));

  readonly #cut = (reason: Problem): void => {
    this.#cancel();
    this.#close('neutral', () => this.#breakOff({ outcome: reason.code }, reason));
  };

  #cancel(): void {
    if (this.#call !== undefined) cancelCall(this.#call);
  }

  #breakOff({ outcome }: Pick<AttemptFault, 'outcome'>, problem: Problem): void {
    this.attempts.correct(outcome);
    this.#taker.fail(problem);
  }

  #close(health: Outcome, report: () => void): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.exchange.offCancel(this.#cut);
    this.streamed(health);
    this.#source.stop();
    report();
  }
}

// grpc-js tells of a handshake that failed in words that quote it; the log wants the error itself.
function reasonOf(error: ServiceError, { tls }: Target): Error {
  const reason = tls?.failure;
  return reason !== undefined && error.details.includes(reason.message) ? reason : error;
}

/** The messages are bytes already. */
export function asIs(bytes: Buffer): Buffer {
  return bytes;
}
