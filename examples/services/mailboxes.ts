import { EventEmitter, on } from 'node:events';
import type { Notification } from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';

/** How many notifications of a user are kept. */
const MOST_KEPT = 50;

/** What was made for a user since the service started. */
export interface Made {
  readonly count: number;
  /** The newest of them, oldest first. */
  readonly latest: readonly Notification[];
}

const NOTHING: Made = { count: 0, latest: [] };

/** What happens to users, and who waits for it. */
export class Mailboxes {
  readonly #made = new Map<string, Made>();
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  /** The users that somebody watches. */
  get watched(): readonly string[] {
    return this.#arrivals.eventNames().filter((name): name is string => name !== 'error');
  }

  /** How many watch, in all. */
  get watchers(): number {
    return this.watched.reduce((sum, userId) => sum + this.#arrivals.listenerCount(userId), 0);
  }

  madeFor(userId: string): Made {
    return this.#made.get(userId) ?? NOTHING;
  }

  /** Keeps a notification and tells those who watch. */
  put(userId: string, notification: Notification): void {
    const { count, latest } = this.madeFor(userId);
    const made = { count: count + 1, latest: [...latest, notification].slice(-MOST_KEPT) };
    this.#made.set(userId, made);
    this.#arrivals.emit(userId, notification, made.count);
  }

  /** What arrives from now on, each with how many were made with it; throws when the signal is aborted. */
  open(userId: string, signal: AbortSignal): AsyncIterableIterator<[Notification, number]> {
    return on(this.#arrivals, userId, { signal }) as AsyncIterableIterator<[Notification, number]>;
  }
}
