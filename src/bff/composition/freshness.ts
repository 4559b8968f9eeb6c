import type { ServedPart } from '../../clients/call.ts';
import type { Exchange } from '../../exchange/exchange.ts';

/**
 * How long an answer that was made of several calls may be kept. It is as fresh as its least fresh part, and
 * not at all when a part says nothing about it.
 */
export class Freshness {
  #freshForMs = Infinity;
  #isPublic = true;
  #waiting = 0;

  /** Takes note of a call that is being made; it counts as not fresh until it has said how it was served. */
  expect(): void {
    this.#waiting += 1;
  }

  /** Takes note of how a call was served. */
  hear({ freshForMs, scope, source }: Pick<ServedPart, 'freshForMs' | 'scope' | 'source'>): void {
    this.#waiting -= 1;
    this.#isPublic &&= scope === 'public';
    this.#freshForMs = Math.min(this.#freshForMs, source === 'fallback' ? 0 : freshForMs);
  }

  /** Takes in what is known of another part of the answer. */
  add(other: Freshness): void {
    this.#waiting += other.#waiting;
    this.#isPublic &&= other.#isPublic;
    this.#freshForMs = Math.min(this.#freshForMs, other.#freshForMs);
  }

  /** Time that the answer may be kept, in whole seconds; 0 when not at all. */
  get seconds(): number {
    // Fails closed: an answer of which something is unknown is not kept.
    if (this.#waiting > 0 || this.#freshForMs === Infinity) return 0;
    return Math.floor(this.#freshForMs / 1000);
  }

  /** Whether everybody may see all of its parts. */
  get isPublic(): boolean {
    return this.#isPublic;
  }
}

/** What is known of a call that is not kept at all: its answer can never be. */
export const NOT_FRESH = new Freshness();
NOT_FRESH.expect();

/**
 * The value of `Cache-Control` (RFC 9111 section 5.2.2): the minimum of the parts. Whoever has a principal gets
 * `private`, because nobody knows which of the inputs were made of it; this fails closed.
 *
 * @param isGuarded whether what is shown depends on who asks, so that not even what nobody in particular sees is for all.
 */
export function cacheControlOf(freshness: Freshness, exchange: Exchange, isGuarded = false): string {
  const { seconds } = freshness;
  if (seconds === 0) return 'no-store';
  const isPublic = freshness.isPublic && !isGuarded && exchange.principal === undefined;
  return `${isPublic ? 'public' : 'private'}, max-age=${seconds}`;
}
