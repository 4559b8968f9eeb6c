import { ROOT } from '../app/address.ts';
import { life } from './life.ts';

/** What is heard of a stream. */
export interface StreamEvent {
  readonly name: 'hello' | 'dict' | 'rows' | 'mark';
  readonly data: unknown;
}

type Heard = (event: StreamEvent) => void;

const NAMES = ['hello', 'dict', 'rows', 'mark'] as const;
/** How long a page may be out of sight before its stream is closed. */
const HIDDEN_MS = 30_000;

/**
 * Follows a stream. Tabs with the same view share one: whoever holds the lock of its address has the connection, and tells the
 * others. A tab that is out of sight gives it back.
 *
 * @param path below the listener.
 * @returns what ends it.
 */
export function follow(path: string, heard: Heard): () => void {
  let connection: Connection | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => {
    connection?.close();
    connection = undefined;
  };
  const look = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(rest, HIDDEN_MS);
    else connection ??= new Connection(path, heard);
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
    rest();
  };
}

/** One tab's part in a stream: it leads, or hears of whoever leads. */
class Connection {
  readonly #heard: Heard;
  readonly #channel: BroadcastChannel;
  readonly #ended = new AbortController();
  /** The last event of each name, for tabs that come later. */
  readonly #last = new Map<string, StreamEvent>();
  #source: EventSource | undefined;

  constructor(path: string, heard: Heard) {
    this.#heard = heard;
    this.#channel = new BroadcastChannel(`gatehouse ${path}`);
    this.#channel.addEventListener('message', ({ data }: MessageEvent<StreamEvent | 'who leads'>) => {
      if (data !== 'who leads') this.#hear(data);
      else if (this.#source) for (const event of this.#last.values()) this.#tell(event);
    });
    this.#tell('who leads');
    void this.#lead(path);
  }

  async #lead(path: string): Promise<void> {
    const { signal } = this.#ended;
    const ended = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    const held = async (): Promise<void> => {
      if (!signal.aborted) this.#open(path);
      await ended;
    };
    // Pages from other hosts than this one, without TLS, have no locks: each has a stream of its own then.
    if (navigator.locks === undefined) return held();
    await navigator.locks.request(`gatehouse ${path}`, { signal }, held).catch(() => undefined);
  }

  #open(path: string): void {
    this.#source = new EventSource(ROOT + path);
    this.#source.addEventListener('error', () => {
      // What is tried again by itself is told only where it does not work out.
      if (this.#source?.readyState === EventSource.CLOSED) life.lost();
    });
    for (const name of NAMES)
      this.#source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const event: StreamEvent = { name, data: JSON.parse(data) };
        this.#last.set(name, event);
        this.#tell(event);
        this.#hear(event);
      });
  }

  #tell(news: StreamEvent | 'who leads'): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin only.
    this.#channel.postMessage(news);
  }

  #hear(event: StreamEvent): void {
    if (this.#ended.signal.aborted) return;
    life.answered();
    if (life.isAwake()) this.#heard(event);
  }

  close(): void {
    this.#ended.abort();
    this.#source?.close();
    this.#channel.close();
  }
}
