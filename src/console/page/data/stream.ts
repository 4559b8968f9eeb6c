import { pathAsked, ROOT } from '../app/address.ts';
import { life } from './life.ts';
import { storeOf } from './store.ts';

/** What is heard of a stream. */
export interface StreamEvent {
  readonly name: 'hello' | 'dict' | 'rows' | 'mark';
  readonly data: unknown;
}

type Heard = (event: StreamEvent) => void;

const NAMES = ['hello', 'dict', 'rows', 'mark'] as const;
/** How long a page may be out of sight before its stream is closed. */
const HIDDEN_MS = 30_000;
/** When a stream that was refused is asked for again: what the listener says with its 429 and 503. */
const AGAIN_MS = 10_000;

/** Whether the last stream was refused, so that what is shown is asked for instead, and less often. */
export const isStreamLost = storeOf(false);

/** Why, in the words of the listener; empty where it has said nothing. */
export const streamRefusal = storeOf('');

// What a browser does not tell of a stream that it was refused.
async function learnRefusal(path: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(ROOT + path, { signal });
  // There is a place again: the next try takes it.
  if (answer.ok) return answer.body?.cancel();
  const { error = '' } = (await answer.json()) as { readonly error?: string };
  streamRefusal.set(error);
}

/**
 * Follows a stream. Tabs with the same view share one: whoever holds the lock of its address has the connection, and tells the
 * others. A tab that is out of sight gives it back.
 *
 * @param below the listener.
 * @returns what ends it.
 */
export function follow(below: string, heard: Heard): () => void {
  const path = pathAsked(below);
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
  #again: ReturnType<typeof setTimeout> | undefined;

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
    const source = (this.#source = new EventSource(ROOT + path));
    source.addEventListener('open', () => isStreamLost.set(false));
    source.addEventListener('error', () => {
      // A browser tries again by itself what was cut off, and never what was refused.
      if (source.readyState !== EventSource.CLOSED || this.#ended.signal.aborted) return;
      isStreamLost.set(true);
      streamRefusal.set('');
      void learnRefusal(path, this.#ended.signal).catch(() => undefined);
      life.lost();
      this.#again = setTimeout(() => this.#open(path), AGAIN_MS);
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
    clearTimeout(this.#again);
    this.#source?.close();
    this.#channel.close();
  }
}
