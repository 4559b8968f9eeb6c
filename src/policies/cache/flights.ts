import type { Exchange } from '../../exchange/exchange.ts';

/**
 * What became of the request that others waited for: its answer is `stored`; it is `refused` to be, because nobody else may
 * have it; the upstream has `failed`; or the one who asked has `left`.
 */
export type Landing = 'stored' | 'refused' | 'failed' | 'left';

/** Who waits at once, in all; more go on by themselves. */
const MAX_WAITING = 100_000;
/** Keys whose answers were not to be kept, so that nobody waits for the next one. */
const MAX_REFUSED = 10_000;
const REFUSED_MS = 10_000;
/** Requests that go on for others although their clients have left: each may hold a connection to a service. */
const MAX_OUTLIVING = 128;

/** One request that is under way for all that ask the same. */
class Flight {
  readonly #waiting = new Set<(landing: Landing) => void>();
  /** Ends the one who asks, whose client has left. */
  end: (() => void) | undefined = undefined;

  get size(): number {
    return this.#waiting.size;
  }

  join(exchange: Exchange): Promise<Landing> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      // Its place is free for others at once, and nothing holds on to it.
      exchange.onCancel(() => {
        this.#waiting.delete(resolve);
        resolve('left');
      });
    });
  }

  land(landing: Landing): void {
    for (const resolve of this.#waiting) resolve(landing);
    this.#waiting.clear();
    this.end?.();
  }
}

/**
 * Has one request at a time ask the upstream for an answer that several want and may share; never longer than they would
 * wait. Keys are those of the store: who would not be given each other's answers does not meet here.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #refused = new Map<string, number>();
  #outliving = 0;
  #waiting = 0;

  /** Waits for the request that is under way under a key; undefined without one, and where too many wait already. */
  wait(key: string, exchange: Exchange): Promise<Landing> | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined || this.#waiting >= MAX_WAITING) return undefined;
    this.#waiting += 1;
    return flight.join(exchange).finally(() => (this.#waiting -= 1));
  }

  /** Whether a request is under way for a key. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * Has the request that others wait for go on without its client, until it lands, and no longer than they wait.
   *
   * @returns false where nobody waits, or too many go on already.
   */
  outlive(key: string, end: () => void): boolean {
    const flight = this.#flights.get(key);
    if (flight === undefined || flight.size === 0 || this.#outliving >= MAX_OUTLIVING) return false;
    this.#outliving += 1;
    flight.end = () => {
      this.#outliving -= 1;
      end();
    };
    return true;
  }

  /**
   * Has a request be the one that others wait for, if there is none under the key and answers to it were kept lately.
   *
   * @param longestMs how long anybody waits for it.
   * @returns what tells them how it ended, once; undefined when nobody will wait.
   */
  lead(key: string, longestMs: number): ((landing: Landing) => void) | undefined {
    if (this.#flights.has(key) || this.#isRefused(key)) return undefined;
    const flight = new Flight();
    this.#flights.set(key, flight);
    const land = (landing: Landing): void => {
      clearTimeout(timer);
      if (this.#flights.get(key) !== flight) return;
      this.#flights.delete(key);
      // Else each burst would first wait, only to go on by itself.
      if (landing === 'refused') this.#refuse(key);
      flight.land(landing);
    };
    const timer = setTimeout(() => land('refused'), longestMs).unref();
    return land;
  }

  #isRefused(key: string): boolean {
    const until = this.#refused.get(key);
    if (until === undefined) return false;
    if (until > Date.now()) return true;
    this.#refused.delete(key);
    return false;
  }

  #refuse(key: string): void {
    this.#refused.delete(key);
    this.#refused.set(key, Date.now() + REFUSED_MS);
    if (this.#refused.size <= MAX_REFUSED) return;
    for (const oldest of this.#refused.keys()) return void this.#refused.delete(oldest);
  }
}
