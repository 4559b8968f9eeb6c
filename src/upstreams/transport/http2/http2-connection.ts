import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import { openSocket, type SocketUser } from '../socket.ts';
import { BodySender } from './body-sender.ts';
import type { CarriedStream, StreamCarrier } from './carried-stream.ts';
import type { ConnectionHost, ConnectionOptions } from './connection-host.ts';
import { isAck, lastStreamOf, numberOf, pingOf } from './control-frames.ts';
import { FrameBudget } from './frame-budget.ts';
import { FrameWriter } from './frame-writer.ts';
import { contentOf, FLAG, FRAME, FrameReader, type Frame } from './frames.ts';
import { CONNECTION_WINDOW, greet, STREAM_WINDOW } from './greeting.ts';
import { HeaderAssembly } from './header-assembly.ts';
import { HeaderBlocks } from './header-block.ts';
import { ConnectionLost, ProtocolFault, StreamReset } from './http2-faults.ts';
import { KeepAlive, type Watched } from './keep-alive.ts';
import { OpenStreams } from './open-streams.ts';
import { applySettings } from './peer-settings.ts';

/** Answers to pings and settings that the other side does not read; nobody has to ask for that many. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
const PING_EVERY_MS = 60_000;
const PING_ANSWER_MS = 10_000;
const CLOSE_WITHIN_MS = 1000;

/**
 * A connection of HTTP/2 (RFC 9113) as a client needs it. It keeps no table of header fields in either direction, takes no
 * pushes, and sends all frames of one turn of the loop in one write.
 */
export class Http2Connection implements SocketUser, StreamCarrier, Watched {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #bodies: BodySender;
  readonly #assembly = new HeaderAssembly();
  readonly #blocks = new HeaderBlocks();
  readonly #streams = new OpenStreams();
  readonly #budget: FrameBudget;
  /** Those that came before the socket was connected; they can still be taken back. */
  readonly #early = new Set<CarriedStream>();
  readonly #keepAlive = new KeepAlive(this, PING_EVERY_MS, PING_ANSWER_MS);
  #state: 'open' | 'draining' | 'closed' = 'open';
  #isConnected = false;
  #isGreeted = false;
  #silent: NodeJS.Timeout | undefined = undefined;
  #unreported = 0;

  constructor(options: ConnectionOptions, host: ConnectionHost) {
    this.#host = host;
    this.#budget = new FrameBudget(options.streamWindow !== undefined);
    this.#socket = openSocket(options, this);
    this.#writer = new FrameWriter(this.#socket);
    this.#bodies = new BodySender(this.#writer);
    this.#writer.onDrain(this.#bodies.resume);
    greet(this.#writer, options.streamWindow ?? STREAM_WINDOW);
  }

  /** Whether another stream fits. */
  get hasRoom(): boolean {
    const streams = this.#streams.size + this.#early.size;
    return this.#state === 'open' && streams < this.#streams.limit && this.#streams.hasIds;
  }

  get isBusy(): boolean {
    return this.#streams.size > 0;
  }

  connected(): void {
    this.#isConnected = true;
    // Something may listen there that never speaks.
    this.#silent = setTimeout(
      () => this.lost('the target does not answer in HTTP/2'),
      PING_ANSWER_MS,
    ).unref();
    const early = [...this.#early];
    this.#early.clear();
    for (const stream of early) this.carry(stream);
  }

  /** Sends a request; there has to be room. */
  carry(stream: CarriedStream): void {
    stream.carrier = this;
    if (!this.#isConnected) return void this.#early.add(stream);
    this.#streams.add(stream);
    this.#budget.earn(stream.available);
    this.#bodies.begin(stream);
  }

  sendMore(stream: CarriedStream): void {
    if (this.#early.has(stream)) return;
    this.#budget.earnPiece(stream.available);
    this.#bodies.send(stream);
  }

  widen({ id }: CarriedStream, bytes: number): void {
    this.#writer.numbers(FRAME.windowUpdate, 0, id, bytes);
  }

  forget(stream: CarriedStream, http2ErrorCode: number): void {
    if (this.#early.delete(stream)) return;
    const isGivenUp = http2ErrorCode !== constants.NGHTTP2_NO_ERROR;
    if (isGivenUp) this.#budget.expectStrays();
    if (isGivenUp || !stream.isEndSent) this.#writer.numbers(FRAME.rstStream, 0, stream.id, http2ErrorCode);
    this.#drop(stream);
    this.#settle();
  }

  ping(): void {
    this.#writer.numbers(FRAME.ping, 0, 0, 0, 0);
  }

  retire(): void {
    this.#drain();
    this.#settle();
  }

  lost(why: string): void {
    this.#end(new ConnectionLost(true, why));
    this.#socket.destroy();
  }

  take(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#reader.take(bytes, this.#hear);
    } catch (error) {
      this.#refuse(error);
    }
  }

  closed(_isComplete: boolean, error: NodeJS.ErrnoException | undefined): void {
    this.#end(new ConnectionLost(this.#isConnected, 'the connection was closed', error));
  }

  readonly #hear = (frame: Frame): boolean => {
    if (!this.#isGreeted) {
      if (frame.type !== FRAME.settings) throw protocolFault('a connection without settings');
      this.#isGreeted = true;
      clearTimeout(this.#silent);
    }
    this.#assembly.check(frame);
    this.#budget.spend(frame);
    try {
      this.#handle(frame);
    } catch (error) {
      if (!(error instanceof StreamReset)) throw error;
      const broken = this.#streams.of(frame);
      if (broken !== undefined) this.forget(broken, error.http2ErrorCode);
      broken?.broke(error);
    }
    return this.#state !== 'closed';
  };

  #handle(frame: Frame): void {
    switch (frame.type) {
      case FRAME.data: return this.#onData(frame);
      case FRAME.headers:
      case FRAME.continuation: return this.#onHeaders(frame);
      case FRAME.rstStream: return this.#onReset(frame);
      case FRAME.settings: return this.#onSettings(frame);
      case FRAME.ping: return this.#onPing(frame);
      case FRAME.goaway: return this.#onGoaway(frame);
      case FRAME.windowUpdate: return this.#onWindowUpdate(frame);
      case FRAME.pushPromise: throw protocolFault('a push, which was not allowed');
      default: // Others mean nothing to a client (RFC 9113 section 5.5).
    } // prettier-ignore
  }

  #onData(frame: Frame): void {
    const stream = this.#streams.of(frame);
    // Also what belongs to a stream that is gone has used up the window.
    this.#unreported += frame.payload.length;
    if (this.#unreported >= CONNECTION_WINDOW / 2) {
      this.#writer.numbers(FRAME.windowUpdate, 0, 0, this.#unreported);
      this.#unreported = 0;
    }
    if (stream === undefined) this.#budget.stray(frame);
    else stream.took(contentOf(frame), (frame.flags & FLAG.endStream) !== 0, frame.payload.length);
  }

  #onHeaders(frame: Frame): void {
    const stream = this.#streams.of(frame);
    const block = this.#assembly.take(frame);
    // Nobody waits for a stream that is gone, and no later block depends on this one.
    if (block === undefined || stream === undefined) return;
    let fields;
    try {
      fields = this.#blocks.read(block.bytes);
    } catch (error) {
      throw new ProtocolFault(constants.NGHTTP2_COMPRESSION_ERROR, (error as Error).message);
    }
    stream.heard(fields, block.isEnd);
  }

  #onReset(frame: Frame): void {
    const reason = new StreamReset(numberOf(frame));
    const stream = this.#streams.of(frame);
    if (stream === undefined) return;
    this.#drop(stream);
    if (reason.http2ErrorCode === constants.NGHTTP2_REFUSED_STREAM) this.#host.refused(stream, reason);
    else stream.broke(reason);
    this.#settle();
  }

  #onSettings(frame: Frame): void {
    if (applySettings(frame, this.#bodies, this.#streams)) this.#settle();
    if (!isAck(frame)) this.#reply(FRAME.settings, NOTHING);
  }

  #onPing(frame: Frame): void {
    const bytes = pingOf(frame);
    if (isAck(frame)) this.#keepAlive.answered();
    else this.#reply(FRAME.ping, bytes);
  }

  #onGoaway(frame: Frame): void {
    const last = lastStreamOf(frame);
    this.#drain();
    for (const stream of this.#streams.all()) {
      if (stream.id <= last) continue;
      this.#drop(stream);
      const reason = new StreamReset(constants.NGHTTP2_REFUSED_STREAM, 'the target is closing');
      this.#host.refused(stream, reason);
    }
    this.#settle();
  }

  #onWindowUpdate(frame: Frame): void {
    const by = numberOf(frame);
    const stream = frame.stream === 0 ? undefined : this.#streams.of(frame);
    if (frame.stream === 0 || stream !== undefined) this.#bodies.widen(by, stream);
  }

  #drop(stream: CarriedStream): void {
    this.#streams.delete(stream);
    this.#bodies.drop(stream);
  }

  #drain(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#host.closing(this);
  }

  /** After a stream has gone: there is room for another, or nothing left to wait for. */
  #settle(): void {
    if (this.#state === 'open') this.#host.freed(this);
    else if (!this.isBusy && this.#state === 'draining')
      this.#leave(constants.NGHTTP2_NO_ERROR, new ConnectionLost(true, 'the connection was closed'));
  }

  #reply(type: number, payload: Buffer): void {
    if (this.#writer.unread > MAX_UNREAD_BYTES)
      throw new ProtocolFault(constants.NGHTTP2_ENHANCE_YOUR_CALM, 'the target does not read its answers');
    this.#writer.frame(type, FLAG.ack, 0, payload);
  }

  /** Ends because the other side has sent what it must not. */
  #refuse(error: unknown): void {
    const code = error instanceof ProtocolFault ? error.http2ErrorCode : constants.NGHTTP2_INTERNAL_ERROR;
    const why = this.#isGreeted ? 'the target broke the protocol' : 'the target does not answer in HTTP/2';
    this.#leave(code, new ConnectionLost(true, why, error as Error));
  }

  /** Says farewell and ends. */
  #leave(http2ErrorCode: number, reason: ConnectionLost): void {
    this.#writer.numbers(FRAME.goaway, 0, 0, 0, http2ErrorCode);
    this.#writer.flush();
    this.#end(reason);
  }

  #end(reason: ConnectionLost): void {
    if (this.#state === 'closed') return;
    this.#drain();
    this.#state = 'closed';
    this.#writer.stop();
    this.#keepAlive.stop();
    clearTimeout(this.#silent);
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), CLOSE_WITHIN_MS).unref();
    const streams = [...this.#streams.takeAll(), ...this.#early];
    this.#early.clear();
    for (const stream of streams) stream.broke(reason);
  }
}

const NOTHING = Buffer.alloc(0);

function protocolFault(why: string): ProtocolFault {
  return new ProtocolFault(constants.NGHTTP2_PROTOCOL_ERROR, why);
}
