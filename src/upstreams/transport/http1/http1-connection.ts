import type { Socket } from 'node:net';
import { performance as measured } from 'node:perf_hooks';
import { openSocket, type SocketOptions, type SocketUser } from '../socket.ts';
import { AnswerParser } from './answer-parser.ts';
import { ConnectionEnded, MalformedAnswer } from './http1-faults.ts';
import type { CallCarrier, OutboundCall } from './outbound-call.ts';

/** How long an idle connection is kept when its server does not say: less than what most of them allow. */
const KEEP_FOR_MS = 4000;
const LONGEST_KEEP_MS = 600_000;
/** A server may close while a request is on its way: its patience is used but for this. */
const MARGIN_MS = 1000;
/** How long the rest of an answer that nobody wants may keep a connection. */
const DRAIN_MS = 5000;

/** What a connection tells the pool that it belongs to. */
export interface ConnectionHost {
  /** It can take the next call. */
  idle(connection: Http1Connection): void;
  /** A call comes back that is sent once more: the connection ended before its answer began. */
  resend(call: OutboundCall): void;
  closed(connection: Http1Connection): void;
}

/** A connection of HTTP/1.1 that carries one call at a time. */
export class Http1Connection implements SocketUser, CallCarrier {
  /** When an idle one is given up, on the clock of `performance.now()`. */
  expiresAt = Infinity;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  #isConnected = false;
  #isClosed = false;
  #hasRested = false;
  /** The turn of the loop in which the request was written. */
  #sentIn = -1;
  #drain: NodeJS.Timeout | undefined = undefined;
  #call: OutboundCall | undefined = undefined;
  #parser: AnswerParser | undefined = undefined;

  constructor(options: SocketOptions, host: ConnectionHost) {
    this.#host = host;
    this.#socket = openSocket(options, this);
  }

  /** Sends a call; there has to be none under way. */
  carry(call: OutboundCall): void {
    this.#call = call;
    call.carrier = this;
    // Until then it can be taken back.
    if (this.#isConnected) this.#send(call);
  }

  forget(): void {
    this.#call = undefined;
    // One that was sent cannot be taken back; one that was not leaves a connection for the next.
    if (this.#isConnected) this.destroy();
  }

  /** Ends it; the call under way hears of it. */
  destroy(reason?: Error): void {
    this.#socket.destroy(reason);
    if (!this.#isClosed) this.closed(false, reason);
  }

  connected(): void {
    this.#isConnected = true;
    if (this.#call === undefined) this.#rest();
    else this.#send(this.#call);
  }

  take(bytes: Buffer): void {
    if (this.#isClosed) return;
    const parser = this.#parser;
    // Nobody has asked: whatever it is, it must not become somebody's answer.
    if (parser === undefined) return this.destroy();
    // Fail closed: what is read in the turn in which the request was written was there before the request.
    if (this.#hasRested && !parser.hasBegun && turnOfLoop() === this.#sentIn)
      return this.destroy(new ConnectionEnded('the service spoke before it was asked'));
    const { progress } = parser;
    try {
      parser.take(bytes);
    } catch (error) {
      return this.destroy(error as Error);
    }
    if (parser.isDone) this.#done(parser);
    else if (this.#call?.isUnwanted === true) this.#drain ??= setTimeout(giveUp, DRAIN_MS, this).unref();
    else if (parser.progress > progress) this.#call?.progress();
  }

  closed(isComplete: boolean, error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#drain);
    const call = this.#call;
    const parser = this.#parser;
    this.#call = this.#parser = undefined;
    this.#host.closed(this);
    if (call === undefined || (isComplete && parser?.finish() === true)) return;
    call.carrier = undefined;
    const { isIdempotent } = call.message;
    const isSilent = parser?.hasBegun === false && !(error instanceof MalformedAnswer);
    // The server may have closed an idle connection at the same time (RFC 9112 section 9.3.1).
    if (isIdempotent && !call.wasSent && this.#hasRested && isSilent) return this.#host.resend(call);
    call.broke(error ?? new ConnectionEnded('the connection ended before the answer'));
  }

  #send(call: OutboundCall): void {
    this.#parser = new AnswerParser(call);
    this.#sentIn = turnOfLoop();
    const { head, body } = call.message;
    if (body === null) {
      this.#socket.write(head, 'latin1');
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  #done({ keepForMs }: AnswerParser): void {
    const call = this.#call;
    this.#call = this.#parser = undefined;
    if (call !== undefined) call.carrier = undefined;
    if (this.#isClosed) return;
    clearTimeout(this.#drain);
    this.#drain = undefined;
    const keepFor = keepForMs === undefined ? KEEP_FOR_MS : Math.min(keepForMs, LONGEST_KEEP_MS) - MARGIN_MS;
    // Written before the answer came to its end, or the server is about to close.
    if (keepFor <= 0 || this.#socket.writableLength > 0) return this.destroy();
    this.#rest(keepFor);
  }

  #rest(keepFor = KEEP_FOR_MS): void {
    this.#hasRested = true;
    this.expiresAt = performance.now() + keepFor;
    this.#host.idle(this);
  }
}

/** Which turn of the event loop it is; changes right before sockets are looked at. */
function turnOfLoop(): number {
  return measured.nodeTiming.uvMetricsInfo.loopCount;
}

function giveUp(connection: Http1Connection): void {
  connection.destroy();
}
