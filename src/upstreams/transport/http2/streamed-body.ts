/** How much of a body is kept after it was sent, in bytes, so that it can be sent again. */
export const KEPT_BYTES = 65_536;

/**
 * The body of a request that is sent as it comes. While all that came is small it is kept, and can be sent again from
 * its beginning; of a longer one only what is not sent yet.
 */
export class StreamedBody {
  readonly #pieces: Buffer[] = [];
  /** The piece that is next, and how much of it was taken. */
  #next = 0;
  #at = 0;
  #available = 0;
  #total = 0;
  #isEnded = false;

  /** How many bytes wait to be sent. */
  get available(): number {
    return this.#available;
  }

  /** Whether everything has been said, and taken. */
  get isSpent(): boolean {
    return this.#isEnded && this.#available === 0;
  }

  /** Whether it can begin again. */
  get isKept(): boolean {
    return this.#total <= KEPT_BYTES;
  }

  /** Adds a piece, which is the body's from now on. */
  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#total += piece.length;
    this.#available += piece.length;
    this.#dropTaken();
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#isEnded = true;
  }

  /** Takes at most so many bytes; there are some. */
  take(most: number): Buffer {
    const next = this.#pieces[this.#next] as Buffer;
    const piece = next.subarray(this.#at, this.#at + most);
    this.#at += piece.length;
    this.#available -= piece.length;
    if (this.#at === next.length) {
      this.#next += 1;
      this.#at = 0;
      this.#dropTaken();
    }
    return piece;
  }

  /** Begins again. @returns false when its first bytes are gone. */
  rewind(): boolean {
    if (!this.isKept) return false;
    this.#next = this.#at = 0;
    this.#available = this.#total;
    return true;
  }

  #dropTaken(): void {
    if (this.isKept || this.#next === 0) return;
    this.#pieces.splice(0, this.#next);
    this.#next = 0;
  }
}
