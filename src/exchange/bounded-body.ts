import { Pieces } from './pieces.ts';

/** A body that is held in memory as a whole, up to a bound. */
export class BoundedBody {
  readonly #maxBytes: number;
  readonly #pieces = new Pieces();
  #counted = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts bytes. @returns `false` when they are more than allowed. */
  counts(length: number): boolean {
    this.#counted += length;
    return this.#counted <= this.#maxBytes;
  }

  /** Keeps a copy of bytes that were counted. */
  keep(piece: Buffer): void {
    this.#pieces.push(piece);
  }

  /** All that was kept; to be taken once. */
  whole(): Buffer {
    return this.#pieces.take();
  }
}
