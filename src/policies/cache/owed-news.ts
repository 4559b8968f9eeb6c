import type { Purge } from './answer-store.ts';

/** What ends answers: a URI has changed, or somebody purges. */
export type Ending = { readonly changed: string } | { readonly purges: readonly Purge[] };

const MOST_OWED = 10_000;
const EVERYTHING: Ending = { purges: [{ by: 'prefix', value: '' }] };

/** What was ended here, and others have not been told yet, or nobody knows that they have. */
export class OwedNews {
  readonly #endings = new Set<Ending>();
  readonly #changed = new Map<string, number>();
  #purges = 0;

  /** Takes note of one; of too many only that everything has ended. @returns whether it was one too many. */
  add(ending: Ending): boolean {
    const isTooMany = this.#endings.size >= MOST_OWED;
    if (isTooMany) for (const one of this.#endings) this.delete(one);
    this.#add(isTooMany ? EVERYTHING : ending);
    return isTooMany;
  }

  #add(ending: Ending): void {
    this.#endings.add(ending);
    if ('purges' in ending) this.#purges += 1;
    else this.#changed.set(ending.changed, (this.#changed.get(ending.changed) ?? 0) + 1);
  }

  /** It is owed no more. */
  delete(ending: Ending): void {
    if (!this.#endings.delete(ending)) return;
    if ('purges' in ending) this.#purges -= 1;
    else {
      const left = (this.#changed.get(ending.changed) ?? 1) - 1;
      if (left > 0) this.#changed.set(ending.changed, left);
      else this.#changed.delete(ending.changed);
    }
  }

  /** Whether answers of a URI may have ended that others still have. */
  covers(uri: string): boolean {
    return this.#purges > 0 || this.#changed.has(uri);
  }

  /** How many there are. */
  get size(): number {
    return this.#endings.size;
  }

  /** All of them, the oldest first. */
  list(): readonly Ending[] {
    return [...this.#endings];
  }
}
