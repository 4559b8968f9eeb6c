import { PREFIX_BYTES } from './unary-wire.ts';

/** Follows the messages of a stream by the prefixes before them (gRPC over HTTP/2, Length-Prefixed-Message), and keeps nothing. */
export class MessageBounds {
  readonly #maxBytes: number;
  /** How many bytes of the prefix that is under way were seen. */
  #seen = 0;
  #length = 0;
  /** What is left of the message that is under way. */
  #left = 0;

  /** @param maxBytes largest message, as its prefix says; it may be compressed. */
  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the last message is there as a whole. */
  get isBetween(): boolean {
    return this.#seen === 0 && this.#left === 0;
  }

  /** Follows a piece. @returns false when a message is larger than it may be. */
  take(piece: Buffer): boolean {
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, piece.length - at);
        this.#left -= part;
        at += part;
        continue;
      }
      if (this.#seen > 0) this.#length = this.#length * 256 + (piece[at] as number);
      this.#seen += 1;
      at += 1;
      if (this.#seen < PREFIX_BYTES) continue;
      if (this.#length > this.#maxBytes) return false;
      this.#left = this.#length;
      this.#seen = this.#length = 0;
    }
    return true;
  }
}
