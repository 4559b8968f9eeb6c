import { randomUUID } from 'node:crypto';
import type { PubSub } from '../../store/pub-sub.ts';
import type { AnswerStore, Purge } from './answer-store.ts';

const CHANNEL = 'cache';

/** What one replica tells the others. */
type News = { readonly from: string } & (
  { readonly changed: string } | { readonly purges: readonly Purge[] }
);

/** Where a purge has reached: only this process, because there is no other; all replicas; or not all of them. */
export type Reach = 'here' | 'everywhere' | 'not-everywhere';

/**
 * Tells other replicas what is no longer to be given, and hears it of them. What is told while Redis is away is lost
 * (availability, fails open): `ttl` bounds for how long that shows.
 */
export class CacheNews {
  readonly store: AnswerStore;
  readonly #id = randomUUID();
  readonly #pubSub: PubSub | undefined;
  readonly #deaf: (() => void) | undefined;

  /** @param pubSub through Redis; undefined without one. */
  constructor(store: AnswerStore, pubSub: PubSub | undefined) {
    this.store = store;
    this.#pubSub = pubSub;
    if (pubSub === undefined) return;
    // Nobody waits for it.
    store.onInvalidated = (uri) => void this.#tell({ from: this.#id, changed: uri });
    this.#deaf = pubSub.listen(CHANNEL, (message) => this.#heard(message));
  }

  /** Purges here, at once, and then everywhere. @returns how many keys were emptied here at once, and how far it went. */
  async purge(purges: readonly Purge[]): Promise<{ readonly keys: number; readonly reach: Reach }> {
    const keys = purges.reduce((count, one) => count + this.store.purge(one), 0);
    if (this.#pubSub === undefined) return { keys, reach: 'here' };
    const isTold = await this.#tell({ from: this.#id, purges });
    return { keys, reach: isTold ? 'everywhere' : 'not-everywhere' };
  }

  /** Hears and tells nothing any more. */
  close(): void {
    this.store.onInvalidated = undefined;
    this.#deaf?.();
  }

  async #tell(news: News): Promise<boolean> {
    try {
      await this.#pubSub?.publish(CHANNEL, JSON.stringify(news));
      return true;
    } catch {
      return false;
    }
  }

  // Whoever can write to Redis can say anything; nothing but less in the store comes of it.
  #heard(message: string): void {
    const news = JSON.parse(message) as News;
    if (news.from === this.#id) return;
    if ('changed' in news) this.store.invalidate(news.changed);
    else for (const one of news.purges) this.store.purge(one);
  }
}
