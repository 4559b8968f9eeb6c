const LARGEST_BLOCK_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Pieces of a body on their way to become a whole. Each is copied, and small ones lie together: a buffer of its own
 * costs more than a hundred bytes, so that a body in pieces of one byte would be held at a hundred times its size. What
 * is held is at most twice what came.
 */
export class Pieces {
  readonly #full: Buffer[] = [];
  #block: Buffer = NOTHING;
  #used = 0;
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Takes a piece; it may be reused afterwards. */
  push(piece: Buffer): void {
    this.#length += piece.length;
    const fitting = piece.copy(this.#block, this.#used);
    this.#used += fitting;
    if (fitting < piece.length) this.#grow(piece.subarray(fitting));
  }

  /** All of them as one, and nothing of them afterwards. */
  take(): Buffer {
    const last = this.#block.subarray(0, this.#used);
    const whole = this.#full.length === 0 ? last : Buffer.concat([...this.#full, last], this.#length);
    this.#full.length = 0;
    this.#block = NOTHING;
    this.#used = 0;
    this.#length = 0;
    return whole;
  }

  // As much again as there is: the first piece, which is mostly the only one, gets exactly what it needs.
  #grow(rest: Buffer): void {
    if (this.#used > 0) this.#full.push(this.#block);
    const more = Math.min(LARGEST_BLOCK_BYTES, this.#length - rest.length);
    this.#block = Buffer.allocUnsafe(Math.max(rest.length, more));
    this.#used = rest.copy(this.#block);
  }
}
