import { LRUCache } from 'lru-cache';

/** A value that was kept, and when it was read. */
export interface Kept<Out> {
  readonly value: Out;
  /** On the clock of the caller, in ms. */
  readonly storedAt: number;
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
  readonly #maxEntries: number;
  readonly #lifetimeMs: number;
  readonly #entries: LRUCache<string, Kept<Out>>;

  constructor({ maxEntries, maxBytes, lifetimeMs }: KeptLimits) {
    this.#lifetimeMs = lifetimeMs;
    this.#maxEntries = maxEntries;
    // Not with `max`, for which it would set places aside at once: every call has a cache of its own.
    this.#entries = new LRUCache({ maxSize: maxBytes });
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.size;
  }

  /** Estimated memory of the values, in bytes. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** The value of a key, unless its lifetime is over. */
  get(key: string, now: number): Kept<Out> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now - entry.storedAt < this.#lifetimeMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  /** Keeps a value, unless it alone is too large. */
  set(key: string, value: Out, now: number): void {
    this.#entries.set(key, { value, storedAt: now }, { size: weightOf(key) + weightOf(value) });
    if (this.#entries.size > this.#maxEntries) this.#entries.pop();
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets all values. */
  clear(): void {
    this.#entries.clear();
  }
}

const OBJECT_BYTES = 48;
const FIELD_BYTES = 8;

/**
 * Estimates the memory of a value from above: two bytes per character, those of names too, a header per object, a slot per
 * field.
 */
function weightOf(value: unknown): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    bytes += FIELD_BYTES;
    if (typeof next === 'string') bytes += OBJECT_BYTES + 2 * next.length;
    else if (ArrayBuffer.isView(next)) bytes += OBJECT_BYTES + next.byteLength;
    else if (typeof next === 'object' && next !== null) {
      bytes += OBJECT_BYTES + namesWeight(next);
      for (const inner of Object.values(next)) open.push(inner);
    }
  }
  return bytes;
}

// Whoever keeps what a service answers as it came keeps names that nobody has bounded.
function namesWeight(value: object): number {
  if (Array.isArray(value)) return 0;
  return Object.keys(value).reduce((bytes, name) => bytes + 2 * name.length, 0);
}
