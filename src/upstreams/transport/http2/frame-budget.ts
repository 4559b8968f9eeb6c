import { constants } from 'node:http2';
import { contentOf, FRAME, type Frame } from './frames.ts';
import { STREAM_WINDOW } from './greeting.ts';
import { ProtocolFault } from './http2-faults.ts';

/** What a new connection may say at once beyond what it is asked for. */
const AT_FIRST = 1000;
/** What may be saved up. */
const MOST = 10_000;
/** What each request is good for: its heads, window updates and pings to measure the line, with room to spare. */
const PER_REQUEST = 20;
/** Some servers widen the windows after every piece that they have read. */
const BODY_BYTES_PER_FRAME = 1024;
/** What a connection may say of its own accord, at length. */
const PER_SECOND = 20;
/** Pieces of a body below this are talk: nobody cuts a body that small, but to make it expensive to read. */
const TINY_PIECE_BYTES = 16;
const SETTING_BYTES = 6;
/** What each piece of a body that streams is good for: its window updates, and a ping to measure the line. */
const PER_PIECE = 2;

/**
 * How much a target may say on one connection besides the bodies of answers: settings, pings, window updates, resets,
 * heads, empty and tiny pieces, frames that mean nothing. Each costs us as much as it costs the target, and most of them
 * need no answer, so that no window holds them back (RFC 9113 section 10.5). Requests give credit, and time gives a little.
 */
export class FrameBudget {
  /** Pieces of answers below this are talk. */
  readonly #tinyBytes: number;
  #left = AT_FIRST;
  #filledAt = performance.now();
  #strayBytes = 0;

  /** @param areStreamed whether answers are messages of a stream, which may be as small as they like. */
  constructor(areStreamed = false) {
    this.#tinyBytes = areStreamed ? 1 : TINY_PIECE_BYTES;
  }

  /** Gives credit for a piece of a request that streams. @param bytes its length. */
  earnPiece(bytes: number): void {
    this.#left = Math.min(MOST, this.#left + PER_PIECE + Math.floor(bytes / BODY_BYTES_PER_FRAME));
  }

  /** Gives credit for a request. @param bodyBytes length of its body. */
  earn(bodyBytes: number): void {
    this.#left = Math.min(MOST, this.#left + PER_REQUEST + Math.floor(bodyBytes / BODY_BYTES_PER_FRAME));
  }

  /** Takes the price of a frame. @throws {ProtocolFault} when there is no credit left. */
  spend(frame: Frame): void {
    const { type, payload } = frame;
    // What is in it, not what is around it: bodies bound that, and nothing bounds padding.
    if (type === FRAME.data && contentOf(frame).length >= this.#tinyBytes) return;
    // Each setting may move the windows of all streams.
    this.#left -= type === FRAME.settings ? 1 + payload.length / SETTING_BYTES : 1;
    if (this.#left >= 0) return;
    // The clock is only looked at here: whoever says little never gets so far.
    const now = performance.now();
    this.#left += Math.min(AT_FIRST, Math.floor(((now - this.#filledAt) * PER_SECOND) / 1000));
    this.#filledAt = now;
    if (this.#left < 0) throw tooMuch('the target talks too much');
  }

  /** A stream is given up: as much as its window may still come for it. */
  expectStrays(): void {
    this.#strayBytes += STREAM_WINDOW;
  }

  /** Takes what came for a stream that is gone. @throws {ProtocolFault} when nothing of the kind can be under way any more. */
  stray({ payload }: Frame): void {
    this.#strayBytes -= payload.length;
    if (this.#strayBytes < 0) throw tooMuch('the target sends what nobody waits for');
  }
}

function tooMuch(why: string): ProtocolFault {
  return new ProtocolFault(constants.NGHTTP2_ENHANCE_YOUR_CALM, why);
}
