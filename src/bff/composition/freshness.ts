import type { ServedPart } from '../../calls/call.ts';
import type { Exchange } from '../../exchange/exchange.ts';

/** What a part of an answer says about being kept. */
export type FreshPart = Pick<ServedPart, 'freshForMs' | 'scope' | 'source' | 'storable' | 'mayBeStale'>;

/** How {@link Freshness.relayed} reads what parts do not say. */
export interface Relaying {
  /** How long a part is fresh that does not say, in ms; undefined: nobody knows. */
  readonly silentMs: number | undefined;
  /** Whether the answer depends on who asks, whatever its parts say. */
  readonly isPersonal: boolean;
}

/**
 * How long an answer that was made of several calls may be kept: as its strictest part says, whether that is the cache
 * of a call or the answer of a service (RFC 9111).
 */
export class Freshness {
  #parts = 0;
  /** Parts that say how long they are fresh. */
  #saying = 0;
  /** Parts that everybody may see. */
  #open = 0;
  #isPrivate = false;
  #freshForMs = Infinity;
  #isStorable = true;
  #mayBeStale = true;
  #waiting = 0;

  /** Takes note of a call that is being made; it counts as not fresh until it has said how it was served. */
  expect(): void {
    this.#waiting += 1;
  }

  /** Takes note of a call that never says how it was served: it may be for its caller alone, and for a moment. */
  silent(): void {
    this.#parts += 1;
  }

  /** Takes note of how a call was served. */
  hear({ freshForMs, scope, source, storable = true, mayBeStale = true }: FreshPart): void {
    this.#waiting -= 1;
    this.#parts += 1;
    this.#isStorable &&= storable;
    this.#mayBeStale &&= mayBeStale;
    if (scope === 'public') this.#open += 1;
    if (scope === 'principal') this.#isPrivate = true;
    if (freshForMs === undefined) return;
    this.#saying += 1;
    this.#freshForMs = Math.min(this.#freshForMs, source === 'fallback' ? 0 : freshForMs);
  }

  /** Takes in what is known of another part of the answer. */
  add(other: Freshness): void {
    this.#waiting += other.#waiting;
    this.#parts += other.#parts;
    this.#saying += other.#saying;
    this.#open += other.#open;
    this.#isPrivate ||= other.#isPrivate;
    this.#isStorable &&= other.#isStorable;
    this.#mayBeStale &&= other.#mayBeStale;
    this.#freshForMs = Math.min(this.#freshForMs, other.#freshForMs);
  }

  /** Time that the answer may be kept, in whole seconds; 0 when not at all. */
  get seconds(): number {
    // Fails closed: an answer of which something is unknown is not kept, nor one that nothing bounds.
    const isKnown = this.#waiting === 0 && this.#saying === this.#parts && this.#freshForMs !== Infinity;
    return isKnown && this.#isStorable ? Math.floor(this.#freshForMs / 1000) : 0;
  }

  /** Whether everybody may see all of its parts. */
  get isPublic(): boolean {
    return this.#open === this.#parts;
  }

  /**
   * The value of `Cache-Control` (RFC 9111 section 5.2.2) of an answer whose parts speak for themselves; undefined when
   * they say nothing.
   */
  relayed({ silentMs, isPersonal }: Relaying): string | undefined {
    if (!this.#isStorable) return 'no-store';
    const directives: string[] = [];
    if (this.#isPrivate || isPersonal) directives.push('private');
    else if (this.#parts > 0 && this.isPublic) directives.push('public');
    const areAllSaying = this.#saying === this.#parts;
    if (this.#saying > 0 && (areAllSaying || silentMs !== undefined)) {
      const silent = areAllSaying ? Infinity : (silentMs ?? 0);
      directives.push(`max-age=${Math.floor(Math.min(this.#freshForMs, silent) / 1000)}`);
    }
    if (!this.#mayBeStale) directives.push('must-revalidate');
    return directives.length === 0 ? undefined : directives.join(', ');
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
