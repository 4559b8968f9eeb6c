import type { Socket } from 'node:net';
import { performance as measured } from 'node:perf_hooks';
import { openSocket, type SocketOptions, type SocketUser } from '../socket.ts';
import { AnswerParser, type AnswerLimits } from './answer-parser.ts';
import { BodySender, outliveWrites, type SentBody } from './body-sender.ts';
import { isStreamed, type CallCarrier, type CarriedCall } from './carried-call.ts';
import { ConnectionEnded, MalformedAnswer, SilentService } from './http1-faults.ts';
import { MovingDeadline } from './moving-deadline.ts';
import { UpgradedSocket } from './upgraded-socket.ts';

/** How long an idle connection is kept when its server does not say: less than what most of them allow. */
const KEEP_FOR_MS = 4000;
const LONGEST_KEEP_MS = 600_000;
/** A server may close while a request is on its way: its patience is used but for this. */
const MARGIN_MS = 1000;
/** How long the rest of an answer that nobody wants may keep a connection. */
const DRAIN_MS = 5000;
/** How long a service that takes no more of a request is waited for to have said something: it is here, or never will be. */
const LAST_WORDS_MS = 500;

/** What a connection tells the pool that it belongs to. */
export interface ConnectionHost {
  /** It can take the next call. */
  idle(connection: Http1Connection): void;
  /** A call comes back that is sent once more: the connection ended before its answer began. */
  resend(call: CarriedCall): void;
  closed(connection: Http1Connection): void;
}

/** How a connection is made, and what may come over it. */
export interface ConnectionOptions extends SocketOptions, AnswerLimits {}

/** A connection of HTTP/1.1 that carries one call at a time. */
export class Http1Connection implements SocketUser, CallCarrier, SentBody {
  /** When an idle one is given up, on the clock of `performance.now()`. */
  expiresAt = Infinity;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #maxHeadBytes: number | undefined;
  /** When the service has been silent for too long. */
  readonly #patience = new MovingDeadline(() => this.#silent());
  #isConnected = false;
  #isClosed = false;
  #hasRested = false;
  /** The turn of the loop in which the request was written. */
  #sentIn = -1;
  #drain: NodeJS.Timeout | undefined = undefined;
  #call: CarriedCall | undefined = undefined;
  #parser: AnswerParser | undefined = undefined;
  /** Sends a body that is still to come. */
  #sender: BodySender | undefined = undefined;
  /** Why no more of the request can be sent. */
  #refusal: Error | undefined = undefined;
  #canOutliveWrites = false;
  /** What it has become, once it carries another protocol. */
  #upgraded: UpgradedSocket | undefined = undefined;

  constructor(options: ConnectionOptions, host: ConnectionHost) {
    this.#host = host;
    this.#maxHeadBytes = options.maxHeadBytes;
    this.#socket = openSocket(options, this);
  }

  /** Sends a call; there has to be none under way. */
  carry(call: CarriedCall): void {
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

  pause(): void {
    this.#socket.pause();
    // Whoever takes nothing cannot wait for something.
    this.#patience.rest();
  }

  resume(): void {
    if (this.#isClosed) return;
    this.#socket.resume();
    if (this.#call?.patience !== undefined) this.#patience.set(this.#call.patience.idleMs);
  }

  stalled(): void {
    const patience = this.#call?.patience;
    if (patience !== undefined) this.#patience.set(patience.idleMs);
  }

  flows(): void {
    this.#patience.rest();
  }

  sent(): void {
    this.#sender = undefined;
    const patience = this.#call?.patience;
    if (patience !== undefined && this.#parser?.progress === 0) this.#patience.set(patience.firstByteMs);
  }

  failed(error: Error): void {
    this.#sender = undefined;
    this.destroy(error);
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
    if (this.#isClosed) return this.#upgraded?.take(bytes);
    const parser = this.#parser;
    // Nobody has asked: whatever it is, it must not become somebody's answer.
    if (parser === undefined) return this.destroy();
    // Fail closed: what is read in the turn in which the request was written was there before the request.
    if (this.#hasRested && !parser.hasBegun && turnOfLoop() === this.#sentIn)
      return this.destroy(new ConnectionEnded('the service spoke before it was asked'));
    const { progress } = parser;
    let taken: number;
    try {
      taken = parser.take(bytes);
    } catch (error) {
      return this.destroy(error as Error);
    }
    if (parser.isDone) this.#done(parser);
    else if (parser.hasSwitched) this.#switch(bytes.subarray(taken));
    else if (this.#call?.isUnwanted === true) this.#drain ??= setTimeout(giveUp, DRAIN_MS, this).unref();
    else if (parser.progress > progress) {
      if (this.#refusal !== undefined) this.#speaks();
      const patience = this.#call?.patience;
      if (patience !== undefined) this.#patience.set(patience.idleMs);
      this.#call?.progress();
    }
  }

  closed(isComplete: boolean, error: Error | undefined): void {
    if (this.#isClosed) return this.#upgraded?.closed();
    this.#isClosed = true;
    clearTimeout(this.#drain);
    this.#patience.end();
    this.#sender?.stop();
    const call = this.#call;
    const parser = this.#parser;
    this.#call = this.#parser = this.#sender = undefined;
    this.#host.closed(this);
    if (call === undefined || (isComplete && parser?.finish() === true)) return;
    call.carrier = undefined;
    const { isIdempotent, body } = call.message;
    const isSilent = parser?.hasBegun === false && !(error instanceof MalformedAnswer);
    // The server may have closed an idle connection at the same time (RFC 9112 section 9.3.1).
    if (isIdempotent && !isStreamed(body) && !call.wasSent && this.#hasRested && isSilent)
      return this.#host.resend(call);
    const reason = error instanceof MalformedAnswer ? error : (this.#refusal ?? error);
    call.broke(reason ?? new ConnectionEnded('the connection ended before the answer'));
  }

  #send(call: CarriedCall): void {
    this.#parser = new AnswerParser(call, { maxHeadBytes: this.#maxHeadBytes });
    this.#sentIn = turnOfLoop();
    const { head, body } = call.message;
    if (body === null) {
      this.#socket.write(head, 'latin1');
      return this.sent();
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    if (isStreamed(body)) {
      if (!this.#canOutliveWrites) outliveWrites(this.#socket, this.#refused);
      this.#canOutliveWrites = true;
      this.#sender = new BodySender(this.#socket, body, this);
      this.#sender.start();
    } else {
      this.#socket.write(body);
      this.sent();
    }
    this.#socket.uncork();
  }

  // What the service has said by now, such as 413 or 401, is the answer: it goes on to the client. What is there is no more
  // than the system has kept for the socket, and it is read as any answer is.
  readonly #refused = (error: Error): boolean => {
    if (this.#isClosed || this.#parser === undefined) return false;
    if (this.#refusal !== undefined) return true;
    this.#refusal = error;
    this.#sender?.rest();
    if (this.#parser.progress === 0) this.#drain ??= setTimeout(giveUp, LAST_WORDS_MS, this).unref();
    else if (this.#call?.patience !== undefined) this.#patience.set(this.#call.patience.idleMs);
    return true;
  };

  /** The service has said something after all. */
  #speaks(): void {
    clearTimeout(this.#drain);
    this.#drain = undefined;
  }

  /** Leaves HTTP, and the pool: what it counts from now on are the others. */
  #switch(first: Buffer): void {
    const call = this.#call as CarriedCall;
    this.#isClosed = true;
    this.#call = this.#parser = undefined;
    this.#patience.end();
    call.carrier = undefined;
    this.#host.closed(this);
    this.#upgraded = new UpgradedSocket(this.#socket, first);
    call.switched?.(this.#upgraded);
  }

  #silent(): void {
    this.destroy(new SilentService(this.#parser?.progress === 0 ? 'before its answer' : 'in its answer'));
  }

  #done({ keepForMs }: AnswerParser): void {
    const call = this.#call;
    this.#call = this.#parser = undefined;
    if (call !== undefined) call.carrier = undefined;
    if (this.#isClosed) return;
    clearTimeout(this.#drain);
    this.#drain = undefined;
    this.#patience.rest();
    const keepFor = keepForMs === undefined ? KEEP_FOR_MS : Math.min(keepForMs, LONGEST_KEEP_MS) - MARGIN_MS;
    // Complete before the request was, or the server is about to close, or it may have meant to switch.
    if (
      keepFor <= 0 ||
      call?.upgrade !== undefined ||
      this.#sender !== undefined ||
      this.#socket.writableLength > 0
    )
      return this.destroy();
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
