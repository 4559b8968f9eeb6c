interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
  /** Whether it was asked for since the last look; spares it once. */
  used: boolean;
}

/**
 * Keeps values by text within a number of bytes. What was not used for longest goes first, told apart by a
 * second chance instead of a reordering, so that a hit costs one look-up and nothing else.
 */
export class DocumentCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** What they cost, in estimated bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value for a text. */
  get(text: string): Value | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** Keeps a value; one that is larger than the whole cache is not kept. */
  set(text: string, value: Value, bytes: number): void {
    if (bytes > this.#maxBytes || this.#entries.has(text)) return;
    this.#entries.set(text, { value, bytes, used: false });
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) this.#evict(text);
  }

  /** Counts what a value that is kept costs more than it did; it goes when it has become larger than the whole cache. */
  grow(text: string, bytes: number): void {
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    this.#entries.delete(text);
    this.#bytes -= entry.bytes;
    this.set(text, entry.value, entry.bytes + bytes);
  }

  #evict(newest: string): void {
    for (const [text, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      if (text === newest) continue;
      this.#entries.delete(text);
      if (entry.used) {
        // Goes to the end of the line; the walk meets it again if there is still too much.
        entry.used = false;
        this.#entries.set(text, entry);
      } else this.#bytes -= entry.bytes;
    }
  }
}
