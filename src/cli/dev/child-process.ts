import cluster, { type Worker } from 'node:cluster';
import { SPARE, type FromChild, type ToChild } from './messages.ts';

/** How a child has ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One process of a gateway under development. All of them share their listeners, so that nobody is refused while one takes over from another. */
export class DevChild {
  readonly #worker: Worker;
  /** Resolves once it has ended. */
  readonly ended: Promise<ChildEnd>;
  /** Hears what it says. */
  hear: (message: FromChild) => void = () => undefined;
  #isOver = false;

  /** @param isSpare whether it has time to load what it may need. */
  constructor(isSpare: boolean) {
    this.#worker = cluster.fork(isSpare ? { [SPARE]: '1' } : {});
    this.#worker.on('message', (message: FromChild) => this.hear(message));
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', (code: number | null, signal: string | null) => {
        this.#isOver = true;
        resolve({ code, signal });
      });
    });
    // A child that is about to end cannot be told anything; that it has ended is told by itself.
    this.#worker.on('error', () => undefined);
  }

  /** Whether it lives. */
  get lives(): boolean {
    return !this.#isOver;
  }

  /** Tells it something, unless it has ended. */
  tell(message: ToChild): void {
    if (this.lives && this.#worker.isConnected()) this.#worker.send(message);
  }

  /** Ends it without asking. */
  kill(): void {
    if (this.lives) this.#worker.process.kill('SIGKILL');
  }

  /** Has it end by itself, and kills it when it does not. */
  async end(order: Extract<ToChild['is'], 'leave' | 'end'>, limitMs: number): Promise<void> {
    this.tell({ is: order });
    const timer = setTimeout(() => this.kill(), limitMs);
    await this.ended;
    clearTimeout(timer);
  }
}

/** Says how children are made. @param script what they run. */
export function setUpChildren(script: string): void {
  cluster.setupPrimary({ exec: script, args: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
