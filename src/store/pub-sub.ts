import type { Redis } from 'ioredis';
import { closeRedis, duplicateRedis } from './redis.ts';

type Listener = (message: string) => void;

const PREFIX = 'gatehouse:events:';
/** A connection that only listens does not notice by itself that the other end is gone. */
const HEARTBEAT_MS = 500;

/**
 * Messages on named channels, to everybody who listens at that moment: in this process, or through Redis to all
 * replicas. Nothing is kept for those who come later. A listener that throws harms nobody else.
 */
export class PubSub {
  readonly #redis: Redis | undefined;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Those who want to know when they may have missed something. */
  readonly #resuming = new Map<Listener, () => void>();
  #subscriber: Redis | undefined = undefined;
  #heartbeat: NodeJS.Timeout | undefined = undefined;

  constructor(redis: Redis | undefined) {
    this.#redis = redis;
  }

  /** How many channels somebody listens to. */
  get channels(): number {
    return this.#listeners.size;
  }

  /** @throws {Error} of Redis, when the message could not be handed over. */
  async publish(channel: string, message: string): Promise<void> {
    if (this.#redis === undefined) this.#deliver(channel, message);
    else await this.#redis.publish(PREFIX + channel, message);
  }

  /**
   * Listens until the returned function is called; calling it twice does no harm.
   *
   * @param resumed is called each time that it is listened again, and at first: what was said before may not have been heard.
   */
  listen(channel: string, listener: Listener, resumed?: () => void): () => void {
    let listeners = this.#listeners.get(channel);
    if (listeners === undefined) {
      this.#listeners.set(channel, (listeners = new Set()));
      this.#open(channel);
    }
    listeners.add(listener);
    if (resumed !== undefined) this.#resuming.set(listener, resumed);
    return () => {
      this.#resuming.delete(listener);
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#subscriber?.unsubscribe(PREFIX + channel).catch(ignore);
    };
  }

  /** Ends the connection; listeners hear nothing any more. */
  close(): void {
    this.#listeners.clear();
    this.#resuming.clear();
    clearInterval(this.#heartbeat);
    if (this.#subscriber !== undefined) closeRedis(this.#subscriber);
  }

  #open(channel: string): void {
    if (this.#redis === undefined) return;
    const subscriber = (this.#subscriber ??= this.#connect(this.#redis));
    // A connection that is not there yet subscribes to everything once it is.
    if (subscriber.status === 'ready') subscriber.subscribe(PREFIX + channel).catch(ignore);
  }

  #connect(redis: Redis): Redis {
    const subscriber = duplicateRedis(redis, { autoResubscribe: false });
    this.#heartbeat = setInterval(() => {
      if (subscriber.status === 'ready') subscriber.ping().catch(ignore);
    }, HEARTBEAT_MS).unref();
    subscriber.on('error', ignore);
    subscriber.on('ready', () => {
      const channels = [...this.#listeners.keys()].map((channel) => PREFIX + channel);
      if (channels.length === 0) return;
      subscriber.subscribe(...channels).then(() => this.#resumed(), ignore);
    });
    subscriber.on('message', (channel: string, message: string) =>
      this.#deliver(channel.slice(PREFIX.length), message),
    );
    return subscriber;
  }

  #resumed(): void {
    for (const resumed of this.#resuming.values()) resumed();
  }

  #deliver(channel: string, message: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(message);
      } catch {
        // The others still hear it.
      }
    }
  }
}

// The connection says by itself when it is up or down; a failed command is repeated when it is up again.
function ignore(): void {}
