import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
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
  #bodyBytes = 0;

  constructor(session: ServerHttp2Session, limits: SessionLimits) {
    this.#session = session;
    this.#limits = limits;
    session.on('ping', () => this.#count(this.#pings, 'ping'));
    session.on('remoteSettings', () => this.#count(this.#settings, 'settings'));
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
      this.#restingSince = performance.now();
      this.#bodyBytes += socket.bytesRead;
      // Whoever was answered may leave, and what we have cut off is nobody's fault.
      const isGivenUp = stream.rstCode !== constants.NGHTTP2_NO_ERROR && !stream.writableFinished;
      if (isGivenUp && !socket.isCut) this.#count(this.#resets, 'resets');
    });
  }

  /** Looks at what no event tells; to be called every second or so. */
  look(now: number): void {
    const session = this.#session;
    if (session.destroyed) return;
    if (this.#isOverhead(now)) return this.#end('overhead');
    if (this.#open.size > 0) return;
    const limitMs = this.#streams === 0 ? this.#limits.headerTimeMs : this.#limits.keepAliveMs;
    // Also one whose client has begun a head and never ends it: no frame but the rest of it may follow.
    if (now - this.#restingSince >= limitMs) session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
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

  #count(tokens: TokenCount, reason: string): void {
    if (!tokens.take()) this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#session.destroyed) return;
    this.#limits.onFlood(this.#session.socket as Socket, reason);
    // As an error: with the code in second place Node says that nothing is wrong.
    this.#session.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM as never);
  }
}
