import { randomUUID } from 'node:crypto';
import type { PubSub } from '../../store/pub-sub.ts';
import type { AnswerStore, Purge } from './answer-store.ts';
import { OwedNews, type Ending } from './owed-news.ts';
import type { SharedAnswers } from './shared-answers.ts';

const CHANNEL = 'cache';
/** How long after a failure it is told again. */
const AGAIN_MS = 500;

/** What one replica tells the others. */
type News = { readonly from: string } & Ending;

/** Where a purge has reached: only this process, because there is no other; all replicas; or not all of them. */
export type Reach = 'here' | 'everywhere' | 'not-everywhere';

/** What there is to tell others by. */
export interface NewsLines {
  /** Through Redis; undefined without one. */
  readonly pubSub: PubSub | undefined;
  /** Answers in Redis, which end before anybody hears of it. */
  readonly shared?: SharedAnswers | undefined;
  readonly owed?: OwedNews | undefined;
}

/**
 * Tells other replicas what is no longer to be given, and hears it of them. What could not be told is told until it is. Who
 * may have missed something gives up all that it has: news may have been a purge of what nobody should see (fails closed).
 */
export class CacheNews {
  readonly store: AnswerStore;
  readonly #id = randomUUID();
  readonly #pubSub: PubSub | undefined;
  readonly #shared: SharedAnswers | undefined;
  readonly #owed: OwedNews;
  readonly #deaf: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #listening = Promise.withResolvers<void>();
  #hasHeard = false;
  #isClosed = false;

  constructor(store: AnswerStore, { pubSub, shared, owed = new OwedNews() }: NewsLines) {
    this.store = store;
    this.#pubSub = pubSub;
    this.#shared = shared;
    this.#owed = owed;
    if (pubSub === undefined) {
      this.#listening.resolve();
      return;
    }
    // Nobody waits for it.
    store.onInvalidated = (uri) => void this.#tell({ changed: uri });
    this.#deaf = pubSub.listen(
      CHANNEL,
      (message) => this.#heard(message),
      () => this.#resumed(),
    );
  }

  /** Resolves once others are heard; at once without any. */
  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  /** Purges here, at once, and then everywhere. @returns how many keys were emptied here at once, and how far it went. */
  async purge(purges: readonly Purge[]): Promise<{ readonly keys: number; readonly reach: Reach }> {
    const keys = purges.reduce((count, one) => count + this.store.purge(one), 0);
    if (this.#pubSub === undefined) return { keys, reach: 'here' };
    const isTold = await this.#tell({ purges });
    return { keys, reach: isTold ? 'everywhere' : 'not-everywhere' };
  }

  /** Hears and tells nothing any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.store.onInvalidated = undefined;
    this.#deaf?.();
  }

  async #tell(ending: Ending): Promise<boolean> {
    if (this.#owed.add(ending)) this.#tellLater();
    const isTold = await this.#told(ending);
    if (isTold) this.#owed.delete(ending);
    else this.#tellLater();
    return isTold;
  }

  // Redis first: who hears of it looks there next.
  async #told(ending: Ending): Promise<boolean> {
    const isEnded = await this.#endShared(ending);
    try {
      const news: News = { from: this.#id, ...ending };
      await this.#pubSub?.publish(CHANNEL, JSON.stringify(news));
      return isEnded;
    } catch {
      return false;
    }
  }

  async #endShared(ending: Ending): Promise<boolean> {
    const shared = this.#shared;
    if (shared?.isUsed !== true) return true;
    if ('changed' in ending) return shared.end(ending.changed);
    const ended = await Promise.all(ending.purges.map((one) => shared.purge(one)));
    return ended.every(Boolean);
  }

  #tellLater(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => void this.#tellAgain(), AGAIN_MS).unref();
  }

  async #tellAgain(): Promise<void> {
    for (const ending of this.#owed.list()) {
      if (!(await this.#told(ending))) break;
      this.#owed.delete(ending);
    }
    this.#timer = undefined;
    if (this.#owed.size > 0) this.#tellLater();
  }

  #resumed(): void {
    // At the start there is nothing that could be wrong.
    if (this.#hasHeard || this.store.usage.keys > 0) this.store.clear();
    this.#hasHeard = true;
    this.#listening.resolve();
  }

  // Whoever can write to Redis can say anything; nothing but less in the store comes of it.
  #heard(message: string): void {
    const news = JSON.parse(message) as News;
    if (news.from === this.#id) return;
    if ('changed' in news) this.store.invalidate(news.changed);
    else for (const one of news.purges) this.store.purge(one);
  }
}
