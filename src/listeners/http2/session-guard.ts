import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { SessionEnd } from './session-end.ts';
import type { StreamSocket } from './stream-socket.ts';
import { TokenCount } from './token-count.ts';

/** Streams that may be given up before their answer is out, at once and per second (CVE-2023-44487). */
export const RESETS = { burst: 100, perSecond: 33 } as const;
/** PING frames of a client, at once and per second. */
export const PINGS = { burst: 20, perSecond: 10 } as const;
/** SETTINGS frames of a client, at once and per second. */
export const SETTINGS = { burst: 10, perSecond: 0.4 } as const;
/** How many bytes of frames there may be for one that means something. */
const MOST_OVERHEAD = 8;
/** Bytes of frames that nobody counts. */
const FREE_BYTES = 256 * 1024;
/** The same, for each second: who listens to a stream for days sends pings. */
const FREE_BYTES_PER_SECOND = 64;
/** What a request is worth without its body, in bytes. */
const HEAD_BYTES = 1024;

/** How long a connection that is to end may be at rest, and its client take to hear of it, in ms; most have ended at once. */
const LEAVE_MS = 1000;

/** What the library calls a breach of the protocol, be it by one stream or by the whole connection. */
const PROTOCOL_BREACH = -505;

/** What is limited on a connection, and who hears of its end. */
export interface SessionLimits {
  /** How long the first request may be awaited, in ms. */
  readonly headerTimeMs: number;
  /** How long a connection may be at rest, in ms. */
  readonly keepAliveMs: number;
  /** Hears why a connection was ended. */
  onFlood(socket: Socket, reason: string): void;
}

/**
 * Ends a connection of HTTP/2 whose client makes work for nothing. Node's own limits count in ways that let a thousand
 * requests begin, and do not see what its library answers by itself. Fails closed: a connection goes with everything on it.
 */
export class SessionGuard {
  readonly #session: ServerHttp2Session;
  readonly #limits: SessionLimits;
  readonly #resets = new TokenCount(RESETS.burst, RESETS.perSecond);
  readonly #pings = new TokenCount(PINGS.burst, PINGS.perSecond);
  readonly #settings = new TokenCount(SETTINGS.burst, SETTINGS.perSecond);
  readonly #open = new Set<StreamSocket>();
  #streams = 0;
  readonly #since = performance.now();
  #restingSince = this.#since;
  readonly #end: SessionEnd;
  #bodyBytes = 0;
  /** Breaches that nobody knows the scope of yet, and the streams that were lost to one. */
  #breaches = 0;
  #breached = 0;

  constructor(session: ServerHttp2Session, limits: SessionLimits) {
    this.#session = session;
    this.#limits = limits;
    this.#end = new SessionEnd(session);
    session.on('ping', () => this.#count(this.#pings, 'ping'));
    session.on('remoteSettings', () => this.#count(this.#settings, 'settings'));
    this.#spareOtherStreams();
    session.on('stream', (stream) => {
      // One that was lost in the same read as it began is never seen by anybody else.
      if (stream.session !== undefined || stream.rstCode !== constants.NGHTTP2_PROTOCOL_ERROR) return;
      this.#breached += 1;
      this.#count(this.#resets, 'resets');
    });
    // Whatever breaks a connection ends it; streams tell their exchanges.
    session.on('error', () => {});
  }

  /** How many streams there were. */
  get streams(): number {
    return this.#streams;
  }

  /** Counts a stream, and how it ends. */
  began(stream: ServerHttp2Stream, socket: StreamSocket): void {
    this.#open.add(socket);
    this.#streams += 1;
    stream.once('close', () => {
      this.#open.delete(socket);
      if (stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR) this.#breached += 1;
      this.#restingSince = performance.now();
      this.#bodyBytes += socket.bytesRead;
      // Whoever was answered may leave, and what we have cut off is nobody's fault.
      const isGivenUp = stream.rstCode !== constants.NGHTTP2_NO_ERROR && !stream.writableFinished;
      if (isGivenUp && !socket.isCut) this.#count(this.#resets, 'resets');
    });
  }

  /** Tells the client, once, that the connection ends; it is still served. */
  announce(): void {
    this.#end.announce();
  }

  /** Ends the connection after the streams that it has, and soon where its client is within a head that it never ends. */
  leave(): void {
    if (this.#session.destroyed || this.#end.isLeaving) return;
    this.#restingSince = performance.now();
    this.#end.leave();
  }

  /** Looks at what no event tells; to be called every second or so. */
  look(now: number): void {
    const session = this.#session;
    if (session.destroyed) return;
    if (this.#isOverhead(now)) return this.#endFor('overhead');
    this.#end.look(now, LEAVE_MS);
    if (this.#open.size > 0) return;
    // Also one whose client has begun a head and never ends it: no frame but the rest of it may follow.
    if (now - this.#restingSince >= this.#restMs()) session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
  }

  #restMs(): number {
    if (this.#end.isLeaving) return LEAVE_MS;
    return this.#streams === 0 ? this.#limits.headerTimeMs : this.#limits.keepAliveMs;
  }

  // Frames that are answered or dropped without a word: WINDOW_UPDATE, PRIORITY, empty DATA, heads that are refused.
  #isOverhead(now: number): boolean {
    const { bytesRead, bytesWritten } = this.#session.socket;
    const free = FREE_BYTES + ((now - this.#since) / 1000) * FREE_BYTES_PER_SECOND;
    let worth = this.#bodyBytes + this.#streams * HEAD_BYTES + free;
    for (const socket of this.#open) worth += socket.bytesRead;
    // A client that takes a long answer says so in frames, one for many bytes.
    return bytesRead > worth * MOST_OVERHEAD + bytesWritten;
  }

  // Node ends a connection for a stream of it whose body is longer than it said, which is an error of the stream alone (RFC
  // 9113 section 8.1.1). Its library has reset just that stream by then, and for an error of the connection no stream.
  #spareOtherStreams(): void {
    const session = this.#session;
    const destroy = session.destroy.bind(session);
    session.destroy = (error?: Error, code?: number): void => {
      if ((error as NodeJS.ErrnoException | undefined)?.errno !== PROTOCOL_BREACH)
        return destroy(error, code);
      this.#breaches += 1;
      const before = this.#lost();
      if (this.#breaches > 1) return;
      setImmediate(() => {
        const isOfStreams = this.#lost() - before >= this.#breaches;
        this.#breaches = 0;
        // Fails closed.
        if (!isOfStreams && !session.destroyed) destroy(error, code);
      });
    };
  }

  #lost(): number {
    let lost = this.#breached;
    for (const { stream } of this.#open) if (stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR) lost += 1;
    return lost;
  }

  #count(tokens: TokenCount, reason: string): void {
    if (!tokens.take()) this.#endFor(reason);
  }

  #endFor(reason: string): void {
    if (this.#session.destroyed) return;
    this.#limits.onFlood(this.#session.socket as Socket, reason);
    // As an error: with the code in second place Node says that nothing is wrong.
    this.#session.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM as never);
  }
}
