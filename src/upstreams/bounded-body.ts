const NOTHING = Buffer.alloc(0);

/** A body that is held in memory as a whole, up to a bound. */
export class BoundedBody {
  readonly #maxBytes: number;
  #bytes = 0;
  #only: Buffer | undefined = undefined;
  #more: Buffer[] | undefined = undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts bytes. @returns `false` when they are more than allowed. */
  counts(length: number): boolean {
    this.#bytes += length;
    return this.#bytes <= this.#maxBytes;
  }

  /** Keeps bytes that were counted. */
  keep(chunk: Buffer): void {
    if (this.#only === undefined) this.#only = chunk;
    else (this.#more ??= [this.#only]).push(chunk);
  }

  /** All that was kept. */
  whole(): Buffer {
    return this.#more === undefined ? (this.#only ?? NOTHING) : Buffer.concat(this.#more, this.#bytes);
  }
}
