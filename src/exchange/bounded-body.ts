const NOTHING = Buffer.alloc(0);
/** Pieces that come after the first one are gathered in blocks of this size, or as large as what came before them. */
const SMALLEST_BLOCK = 4096;
const LARGEST_BLOCK = 65_536;

/**
 * A body that is held in memory as a whole, up to a bound. Its pieces are copied together: a body in pieces of one byte
 * would otherwise cost a hundred times its size, one object per byte.
 */
export class BoundedBody {
  readonly #maxBytes: number;
  #counted = 0;
  #kept = 0;
  /** All but the last are full. */
  readonly #blocks: Buffer[] = [];
  /** How much of the last one is used. */
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many buffers hold what was kept: one for each {@link LARGEST_BLOCK} bytes, and a few. */
  get blocks(): number {
    return this.#blocks.length;
  }

  /** Counts bytes. @returns `false` when they are more than allowed. */
  counts(length: number): boolean {
    this.#counted += length;
    return this.#counted <= this.#maxBytes;
  }

  /** Keeps a copy of bytes that were counted. */
  keep(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const block = this.#blockFor(piece.length - at);
      const taken = piece.copy(block, this.#used, at);
      this.#used += taken;
      at += taken;
    }
    this.#kept += piece.length;
  }

  /** All that was kept. */
  whole(): Buffer {
    const [first = NOTHING] = this.#blocks;
    return this.#blocks.length < 2 ? first.subarray(0, this.#kept) : Buffer.concat(this.#blocks, this.#kept);
  }

  #blockFor(length: number): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used < last.length) return last;
    // The first piece is most often the only one, and gets what it needs.
    const gathered = Math.min(Math.max(this.#kept, SMALLEST_BLOCK), LARGEST_BLOCK);
    const block = Buffer.allocUnsafe(last === undefined ? length : Math.max(length, gathered));
    this.#blocks.push(block);
    this.#used = 0;
    return block;
  }
}
