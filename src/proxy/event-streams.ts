import { Inject, Injectable, Optional, type OnModuleDestroy } from '@nestjs/common';
import type { Environment } from '../config/env.schema.ts';
import { ENVIRONMENT } from '../config/tokens.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { fieldOf } from '../exchange/field-list.ts';
import type { ResponseHead } from '../policies/stage.ts';
import { EventStream, type EventAnswer } from './event-stream.ts';

const EVENTS = /^\s*text\/event-stream\s*(?:;|$)/i;
/** Over how long clients are sent away, in ms: as those of WebSockets are. */
const DRAIN_MS = 2000;
/** Says why a stream ends to whoever looks at it; clients pass over it. */
export const GOODBYE = Buffer.from(': the gateway restarts\n\n');

interface Open {
  readonly stream: EventStream;
  /** Hears when it is over. */
  whenOver: (() => void) | undefined;
}

/** The streams of events between services and clients, which end before a gateway that leaves would cut them off. */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  readonly #open = new Set<Open>();
  readonly #overMs: number;
  #isLeaving = false;

  constructor(@Optional() @Inject(ENVIRONMENT) environment?: Environment) {
    // What waits for the end of its event, and for its client, has as long again.
    this.#overMs = Math.min(DRAIN_MS, (environment?.shutdownTimeoutMs ?? Infinity) / 2);
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether an answer is a stream of events that anybody could follow: what is coded by its service nobody here can read. */
  isOne({ headers }: ResponseHead): boolean {
    const type = fieldOf(headers, 'content-type');
    return type !== undefined && EVENTS.test(type) && fieldOf(headers, 'content-encoding') === undefined;
  }

  /** Follows one until its exchange closes. */
  follow(exchange: Exchange, answer: EventAnswer): EventStream {
    const one: Open = { stream: new EventStream(answer), whenOver: undefined };
    this.#open.add(one);
    exchange.onClosed(() => {
      this.#open.delete(one);
      one.whenOver?.();
    });
    if (this.#isLeaving) setImmediate(() => one.stream.leave());
    return one.stream;
  }

  /** Has all end over a time, so that their clients do not all come back at once. */
  async onModuleDestroy(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all(Array.from(this.#open, (one) => this.#sendAway(one)));
  }

  #sendAway(one: Open): Promise<void> {
    return new Promise((resolve) => {
      const goodbye = setTimeout(() => {
        one.stream.leave();
        resolve();
      }, Math.random() * this.#overMs);
      one.whenOver = () => {
        clearTimeout(goodbye);
        resolve();
      };
    });
  }
}
