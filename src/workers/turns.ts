import { write } from 'node:fs';
import type { LineTurns } from '../telemetry/line-buffer.ts';
import type { Channel } from './channel.ts';
import type { News, Orders, Questions, Requests } from './messages.ts';

interface Waiting<Who> {
  readonly who: Who;
  granted(): void;
}

/**
 * Who may write to the output that several processes share, one at a time: writes that a reader is too slow for are torn apart
 * by those of others. That takes two small messages for many lines, where passing the lines on would take each of them twice.
 */
export class Turns<Who> {
  readonly #fd: number;
  #holder: Waiting<Who> | undefined = undefined;
  #queue: Waiting<Who>[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Calls back once it is somebody's turn. */
  take(who: Who, granted: () => void): void {
    this.#queue.push({ who, granted });
    if (this.#holder === undefined) this.#next();
  }

  /** Somebody has written what he had. */
  end(who: Who): void {
    if (this.#holder?.who === who) this.#next();
  }

  /** Somebody is gone. What he may have written half of is ended, so that the next line is whole. */
  leave(who: Who): void {
    this.#queue = this.#queue.filter((waiting) => waiting.who !== who);
    if (this.#holder?.who === who) write(this.#fd, '\n', () => this.#next());
  }

  /** Turns for one of them in this process. */
  of(who: Who): LineTurns {
    return { take: (granted) => this.take(who, granted), end: () => this.end(who) };
  }

  #next(): void {
    this.#holder = this.#queue.shift();
    this.#holder?.granted();
  }
}

/** Turns that the primary gives to this worker. */
export function turnsOver(channel: Channel<Requests, News, Questions, Orders>): LineTurns {
  return {
    // Without a primary this process ends, and writes what it has.
    take: (granted) => void channel.ask('turn', undefined).then(granted, () => undefined),
    end: () => void channel.tell('turnEnds', undefined),
  };
}
