import { LRUCache } from 'lru-cache';
import { slotOf } from './tag-slots.ts';

/** What the URIs take that are remembered one by one, in bytes. */
const MAX_BYTES = 2 * 2 ** 20;
const OVERHEAD_BYTES = 64;
/** Prefixes that are remembered one by one. */
const MAX_PREFIXES = 128;
/** Power of two. Those that are forgotten share slots, so that few others are taken for changed. */
const SLOTS = 65_536;

/**
 * Remembers what has ended lately, so that an answer that was asked for before is not kept after. It is bounded, however many
 * URIs change: the latest are known one by one, and of those before it is known only when the last one of a slot ended. Too
 * much counts as ended at worst (fails closed), and with a flood of changes only what shares a slot with them.
 */
export class RecentChanges {
  readonly #recent: LRUCache<string, number>;
  /** When the last one of each slot ended that is not known by its URI any more. */
  readonly #forgotten = new Float64Array(SLOTS);
  #prefixes: { readonly prefix: string; readonly at: number }[] = [];
  /** When everything has ended, or a prefix that is not known any more. */
  #all = 0;
  #count = 0;

  /** @param maxBytes what the URIs take that are known one by one. */
  constructor(maxBytes = MAX_BYTES) {
    this.#recent = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (_, uri) => uri.length + OVERHEAD_BYTES,
      dispose: (at, uri, reason) => {
        if (reason === 'evict') this.#forget(uri, at);
      },
    });
  }

  /** The moment that it is, as a number that grows with each change. */
  get now(): number {
    return this.#count;
  }

  /** Takes note that answers of a URI have ended. */
  changed(uri: string): void {
    this.#count += 1;
    this.#recent.set(uri, this.#count);
    // Too long to be remembered by itself.
    if (!this.#recent.has(uri)) this.#forget(uri, this.#count);
  }

  /** Takes note that answers of all URIs that begin so have ended. */
  endedBelow(prefix: string): void {
    this.#count += 1;
    this.#prefixes = this.#prefixes.filter((one) => !one.prefix.startsWith(prefix));
    this.#prefixes.push({ prefix, at: this.#count });
    const forgotten = this.#prefixes.length > MAX_PREFIXES ? this.#prefixes.shift() : undefined;
    if (forgotten !== undefined) this.#all = forgotten.at;
  }

  /** Takes note that everything has ended. */
  endedAll(): void {
    this.#count += 1;
    this.#all = this.#count;
  }

  /** Whether answers of a URI may have ended since a moment. */
  hasEnded(uri: string, since: number): boolean {
    if (since === this.#count) return false;
    if (this.#all > since || (this.#recent.peek(uri) ?? 0) > since) return true;
    if ((this.#forgotten[slotOf(uri, SLOTS)] ?? 0) > since) return true;
    return this.#prefixes.some(({ prefix, at }) => at > since && uri.startsWith(prefix));
  }

  #forget(uri: string, at: number): void {
    const slot = slotOf(uri, SLOTS);
    this.#forgotten[slot] = Math.max(this.#forgotten[slot] ?? 0, at);
  }
}
