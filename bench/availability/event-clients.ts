import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What an `EventSource` waits for, unless it is told otherwise; less than browsers do. */
const RECONNECT_MS = 200;

/** What clients of event streams have seen. */
export interface EventsSeen {
  /** How streams ended that clients would have listened to: `whole`, or `cut`. An `EventSource` comes back after both. */
  readonly ends: Readonly<Record<string, number>>;
  /** Answers after which an `EventSource` gives up, or none at all. */
  readonly refused: readonly string[];
  readonly opened: number;
  readonly events: number;
  /** Events that came twice, or not at all. */
  readonly gaps: number;
}

/**
 * Clients that each listen to one event stream, and do as the standard has an `EventSource` do when it ends: they come back,
 * with the last event that was whole as `Last-Event-ID`.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
 */
export class EventClients {
  readonly #url: string;
  readonly #agent = new Agent();
  readonly #ends: Record<string, number> = {};
  readonly #refused: string[] = [];
  readonly #open = new Set<IncomingMessage>();
  #opened = 0;
  #events = 0;
  #gaps = 0;
  #isOver = false;
  #running: readonly Promise<void>[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Begins, with so many. */
  start(clients: number): this {
    this.#running = Array.from({ length: clients }, () => this.#listen());
    return this;
  }

  /** How many are open just now. */
  get open(): number {
    return this.#open.size;
  }

  get seen(): EventsSeen {
    const [ends, refused] = [this.#ends, this.#refused];
    return { ends, refused, opened: this.#opened, events: this.#events, gaps: this.#gaps };
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const incoming of this.#open) incoming.destroy();
    await Promise.all(this.#running);
  }

  async #listen(): Promise<void> {
    for (let last = 0; !this.#isOver;) {
      last = await this.#one(last);
      if (!this.#isOver) await sleep(RECONNECT_MS);
    }
  }

  #one(from: number): Promise<number> {
    return new Promise((resolve) => {
      const headers = from === 0 ? {} : { 'last-event-id': String(from) };
      const outgoing = request(this.#url, { agent: this.#agent, headers }, (incoming) =>
        resolve(this.#follow(incoming, from)),
      );
      outgoing.once('error', ({ message }) => {
        this.#refused.push(message);
        resolve(from);
      });
      outgoing.end();
    });
  }

  #follow(incoming: IncomingMessage, from: number): Promise<number> {
    const { statusCode, headers } = incoming;
    if (statusCode !== 200 || !String(headers['content-type']).startsWith('text/event-stream')) {
      this.#refused.push(`${statusCode} ${headers['content-type']}`);
      incoming.resume();
      return Promise.resolve(from);
    }
    this.#opened += 1;
    this.#open.add(incoming);
    let [last, rest] = [from, ''];
    incoming.setEncoding('utf8').on('data', (piece: string) => {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        // A comment is no event.
        if (!/^data:/m.test(block)) continue;
        const id = Number(/^id: (\d+)$/m.exec(block)?.[1]);
        if (id !== last + 1) this.#gaps += 1;
        this.#events += 1;
        last = id;
      }
    });
    return new Promise((resolve) => {
      incoming.on('error', () => undefined);
      incoming.once('close', () => {
        this.#open.delete(incoming);
        const end = incoming.complete ? 'whole' : 'cut';
        if (!this.#isOver) this.#ends[end] = (this.#ends[end] ?? 0) + 1;
        resolve(last);
      });
    });
  }
}
