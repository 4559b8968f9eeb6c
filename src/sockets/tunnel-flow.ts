import { randomBytes } from 'node:crypto';
import type { ByteEnd, EndReader } from './byte-end.ts';
import { controlFrame, Opcode } from './frame.ts';
import { FrameFault, FrameScanner, type FrameLimits, type FrameSink } from './frame-scanner.ts';

/** Who hears what happens to the frames of one direction. */
export interface FlowHost {
  /** Hears what came in one read. */
  passed(flow: TunnelFlow, messages: number, bytes: number): void;
  /** Hears that data of a message has come. */
  moved(): void;
  /** Hears that a message may not travel on. @returns after how long to ask again, in ms; undefined when it is over. */
  refused(error: unknown): number | undefined;
  /** Hears of the first frame that is none, or too big. */
  faulted(flow: TunnelFlow, fault: FrameFault): void;
  /** Hears that the sender has said goodbye, and that it has travelled on. */
  saidGoodbye(flow: TunnelFlow): void;
  /** Hears that nothing more comes, with a goodbye or without. */
  ended(flow: TunnelFlow): void;
  closed(flow: TunnelFlow): void;
  /** Hears that the receiver takes nothing, or that the sender answers no ping. */
  stalled(): void;
  vanished(flow: TunnelFlow): void;
}

/** How long the ends of a tunnel may be silent, in ms, and what a message costs. */
export interface FlowOptions {
  /** Asks whether the message that begins may travel on: at once, later, or never. Absent: always. */
  readonly charge?: (() => void | Promise<void>) | undefined;
  /** Without a byte from the sender, until it is asked whether it is there, and again until it is given up; `Infinity`: never. */
  readonly pingMs: number;
  /** Without the receiver taking anything of what waits for it. */
  readonly stalledMs: number;
}

/** Payload of a ping of ours: long enough that no end says it by chance. */
const PING_BYTES = 8;

/** One direction of a tunnel: the frames of one end on their way to the other, at the pace of who is slower. */
export class TunnelFlow implements EndReader, FrameSink {
  readonly name: 'client' | 'upstream';
  readonly from: ByteEnd;
  readonly to: ByteEnd;
  readonly scanner: FrameScanner;
  /** What its sender has said last, if it has said goodbye. */
  code: number | undefined = undefined;
  messages = 0;
  bytes = 0;
  readonly #host: FlowHost;
  readonly #options: FlowOptions;
  /** What was read, and waits for leave to travel on. */
  #rest: Buffer | undefined = undefined;
  #isStopped = false;
  #isFull = false;
  #isOver = false;
  #isBroken = false;
  #refusal: { readonly error: unknown } | undefined = undefined;
  #retry: NodeJS.Timeout | undefined = undefined;
  #life: NodeJS.Timeout | undefined = undefined;
  #ping: Buffer | undefined = undefined;
  #isAsked = false;

  constructor(
    ends: { from: ByteEnd; to: ByteEnd },
    limits: FrameLimits,
    options: FlowOptions,
    host: FlowHost,
  ) {
    this.name = limits.isMasked ? 'client' : 'upstream';
    this.from = ends.from;
    this.to = ends.to;
    this.scanner = new FrameScanner(limits, this);
    this.#options = options;
    this.#host = host;
    this.to.socket.on('drain', () => this.#drained());
    this.to.socket.on('timeout', () => this.#isFull && host.stalled());
  }

  /** Starts to read. @param ask sends a frame of ours to the sender. */
  start(ask: (frame: Buffer) => void): void {
    const { pingMs } = this.#options;
    if (pingMs !== Infinity) this.#life = setTimeout(() => this.#askForLife(ask), pingMs);
    this.from.use(this);
  }

  take(bytes: Buffer): void {
    this.#isAsked = false;
    this.#life?.refresh();
    this.bytes += bytes.length;
    // Nobody knows any more where a frame begins. It is read, so that who sends it hears what we say.
    if (this.#isBroken) return;
    if (this.#rest === undefined) this.#scan(bytes);
    else this.#rest = Buffer.concat([this.#rest, bytes]);
  }

  ended(): void {
    this.#host.ended(this);
  }

  closed(): void {
    this.#host.closed(this);
  }

  pass(bytes: Buffer): void {
    const { socket } = this.to;
    if (!socket.writable) return;
    // A copy: what is read next comes into the same memory.
    if (socket.write(Buffer.from(bytes)) || this.#isFull) return;
    this.#isFull = true;
    this.from.socket.pause();
    // Every byte that it takes winds the clock up again.
    socket.setTimeout(this.#options.stalledMs);
  }

  message(): boolean {
    if (this.#isOver) return true;
    this.messages += 1;
    return this.#mayGoOn();
  }

  control(opcode: number, payload: Buffer): boolean {
    // Who sent the ping gets the pong; one of ours is for us.
    return opcode !== Opcode.pong || this.#ping === undefined || !payload.equals(this.#ping);
  }

  goodbye(code: number): void {
    this.code = code;
  }

  /** Lets nobody be asked any more, and reads what still comes: a goodbye may be among it. */
  conclude(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#life);
    this.#life = undefined;
    this.#isOver = true;
    // Nobody is left who could be slower.
    if (this.#isFull && !this.to.socket.writable) this.#drained();
    this.#goOn();
  }

  /** Ends its clocks. */
  end(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#life);
    this.to.socket.setTimeout(0);
  }

  #scan(bytes: Buffer): void {
    const { messages, scanner } = this;
    const isWithin = !scanner.isBetween;
    const wasOver = scanner.isOver;
    let read: number;
    try {
      read = scanner.scan(bytes);
    } catch (error) {
      this.#host.passed(this, this.messages - messages, bytes.length);
      if (!(error instanceof FrameFault)) throw error;
      this.#isBroken = true;
      return this.#host.faulted(this, error);
    }
    this.#host.passed(this, this.messages - messages, bytes.length);
    if (isWithin || this.messages !== messages) this.#host.moved();
    if (this.#isStopped) this.#stop(bytes, read);
    else if (scanner.isOver && !wasOver) this.#host.saidGoodbye(this);
  }

  #stop(bytes: Buffer, read: number): void {
    this.#rest = Buffer.from(bytes.subarray(read));
    this.from.socket.pause();
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal !== undefined) this.#refuse(refusal.error);
  }

  #mayGoOn(): boolean {
    const { charge } = this.#options;
    if (charge === undefined) return true;
    try {
      const charged = charge();
      if (charged === undefined) return true;
      charged.then(
        () => this.#goOn(),
        (error: unknown) => this.#refuse(error),
      );
    } catch (error) {
      // Not before what came ahead of it has travelled on.
      this.#refusal = { error };
    }
    this.#isStopped = true;
    return false;
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return;
    const waitMs = this.#host.refused(error);
    if (waitMs === undefined) return;
    this.#retry = setTimeout(() => this.#askAgain(), waitMs);
  }

  #askAgain(): void {
    if (this.#mayGoOn()) return this.#goOn();
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal !== undefined) this.#refuse(refusal.error);
  }

  #goOn(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    const rest = this.#rest ?? Buffer.alloc(0);
    this.#rest = undefined;
    this.scanner.admit();
    this.#scan(rest);
    if (!this.#isStopped && !this.#isFull) this.from.socket.resume();
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.to.socket.setTimeout(0);
    if (!this.#isStopped) this.from.socket.resume();
  }

  // An end that vanished without a goodbye answers no ping. One that is not read cannot be heard.
  #askForLife(ask: (frame: Buffer) => void): void {
    const isHeard = !this.#isStopped && !this.#isFull;
    if (isHeard && this.#isAsked) return this.#host.vanished(this);
    this.#life?.refresh();
    this.#isAsked = isHeard;
    if (!isHeard || this.from.socket.writableNeedDrain) return void (this.#isAsked = false);
    this.#ping ??= randomBytes(PING_BYTES);
    ask(controlFrame(Opcode.ping, this.#ping, this.name === 'upstream'));
  }
}
