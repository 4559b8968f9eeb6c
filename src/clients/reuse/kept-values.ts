/** A value that was kept, and when it was read. */
export interface Kept<Out> {
  readonly value: Out;
  /** On the clock of the caller, in ms. */
  readonly storedAt: number;
  readonly weight: number;
}

/** How much is kept, and for how long. */
export interface KeptLimits {
  readonly maxEntries: number;
  /** Estimated. */
  readonly maxBytes: number;
  readonly lifetimeMs: number;
}

/** Values by key, bounded in number and memory; the one that was used longest ago goes first. */
export class KeptValues<Out> {
  readonly #limits: KeptLimits;
  readonly #entries = new Map<string, Kept<Out>>();
  #bytes = 0;

  constructor(limits: KeptLimits) {
    this.#limits = limits;
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.size;
  }

  /** Estimated memory of the values, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a key, unless its lifetime is over. */
  get(key: string, now: number): Kept<Out> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (now - entry.storedAt >= this.#limits.lifetimeMs) {
      this.delete(key);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps a value, unless it alone is too large. */
  set(key: string, value: Out, now: number): void {
    this.delete(key);
    const weight = weightOf(key) + weightOf(value);
    if (weight > this.#limits.maxBytes) return;
    this.#entries.set(key, { value, storedAt: now, weight });
    this.#bytes += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.maxEntries && this.#bytes <= this.#limits.maxBytes) return;
      this.delete(oldest);
    }
  }

  /** Forgets a value. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.weight;
  }

  /** Forgets all values. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

const OBJECT_BYTES = 48;
const FIELD_BYTES = 8;

/** Estimates the memory of a value from above: two bytes per character, a header per object, a slot per field. */
function weightOf(value: unknown): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    bytes += FIELD_BYTES;
    if (typeof next === 'string') bytes += OBJECT_BYTES + 2 * next.length;
    else if (ArrayBuffer.isView(next)) bytes += OBJECT_BYTES + next.byteLength;
    else if (typeof next === 'object' && next !== null) {
      bytes += OBJECT_BYTES;
      for (const inner of Object.values(next)) open.push(inner);
    }
  }
  return bytes;
}
