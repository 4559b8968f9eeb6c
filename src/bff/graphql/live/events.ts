import { Problem } from '../../../problems/problem.ts';

/** Channels over which events reach subscriptions; the store implements them. */
export interface EventChannels {
  publish(channel: string, message: string): Promise<void>;
  listen(channel: string, listener: (message: string) => void): () => void;
}

const MAX_WAITING = 100;

/**
 * The events of a channel as a source for a `@Subscription`. Listening ends with the client, at the latest when
 * its socket closes. A client that does not keep up is let go with `upstream-exhausted` once too many events
 * wait for it: it must not cost memory without end, and leaving some out in silence would be worse.
 *
 * @param read makes an event of a message; undefined leaves it out.
 */
export function eventsOf<Event>(
  channels: EventChannels,
  channel: string,
  read: (message: string) => Event | undefined,
  maxWaiting = MAX_WAITING,
): AsyncIterableIterator<Event> {
  return new ChannelEvents(channels, channel, read, maxWaiting);
}

class ChannelEvents<Event> implements AsyncIterableIterator<Event> {
  readonly #waiting: Event[] = [];
  readonly #stop: () => void;
  #wanted: ((result: IteratorResult<Event>) => void) | undefined = undefined;
  #ended = false;
  #overrun = false;

  constructor(
    channels: EventChannels,
    channel: string,
    read: (message: string) => Event | undefined,
    maxWaiting: number,
  ) {
    this.#stop = channels.listen(channel, (message) => {
      const event = read(message);
      if (event === undefined || this.#ended) return;
      if (this.#wanted !== undefined) return this.#deliver({ done: false, value: event });
      if (this.#waiting.push(event) <= maxWaiting) return;
      this.#overrun = true;
      void this.return();
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Event>> {
    if (this.#overrun) {
      this.#overrun = false;
      return Promise.reject(new Problem('upstream-exhausted', { detail: 'The client does not keep up.' }));
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const event = this.#waiting.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    return new Promise((resolve) => (this.#wanted = resolve));
  }

  return(): Promise<IteratorResult<Event>> {
    this.#ended = true;
    this.#stop();
    this.#waiting.length = 0;
    this.#deliver({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  #deliver(result: IteratorResult<Event>): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.(result);
  }
}
