import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const SEND_EVERY_MS = 250;
/** How long a client waits before it comes back, at most: not all of them at once. */
const COME_BACK_WITHIN_MS = 200;

/** What clients of WebSockets have heard. */
export interface SocketsSeen {
  /** Why sockets ended that clients would have kept, by code. */
  readonly ends: Readonly<Record<string, number>>;
  /** Handshakes that came to nothing, by what was said. */
  readonly refused: readonly string[];
  readonly opened: number;
  readonly echoed: number;
}

/** Clients that each keep one WebSocket, on which they say something four times a second, and come back when it ends. */
export class SocketClients {
  readonly #url: string;
  readonly #ends: Record<string, number> = {};
  readonly #refused: string[] = [];
  readonly #open = new Set<WebSocket>();
  #opened = 0;
  #echoed = 0;
  #isOver = false;
  #running: readonly Promise<void>[] = [];

  constructor(url: string) {
    this.#url = url.replace('http:', 'ws:');
  }

  /** Begins, with so many. */
  start(clients: number): this {
    this.#running = Array.from({ length: clients }, () => this.#keep());
    return this;
  }

  /** How many are open just now. */
  get open(): number {
    return this.#open.size;
  }

  get seen(): SocketsSeen {
    return { ends: this.#ends, refused: this.#refused, opened: this.#opened, echoed: this.#echoed };
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const socket of this.#open) socket.close();
    await Promise.all(this.#running);
  }

  async #keep(): Promise<void> {
    while (!this.#isOver) {
      await this.#one();
      if (!this.#isOver) await sleep(Math.random() * COME_BACK_WITHIN_MS);
    }
  }

  async #one(): Promise<void> {
    const socket = new WebSocket(this.#url);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.on('error', ({ message }) => !this.#open.has(socket) && this.#refused.push(message));
    socket.on('message', () => (this.#echoed += 1));
    let timer: NodeJS.Timeout | undefined;
    socket.on('open', () => {
      this.#opened += 1;
      this.#open.add(socket);
      timer = setInterval(() => socket.send('hello'), SEND_EVERY_MS);
    });
    const code = await closed;
    clearInterval(timer);
    if (this.#open.delete(socket) && !this.#isOver) this.#ends[code] = (this.#ends[code] ?? 0) + 1;
  }
}
