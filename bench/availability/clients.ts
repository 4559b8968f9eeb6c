import { setTimeout as sleep } from 'node:timers/promises';
import { noneFailed, textOf, type Outcome, type Part } from '../chaos/report.ts';
import { took, type World } from '../chaos/world.ts';
import { readAnswer, SteadyLoad, type AnswerHead, type Answered, type Seen } from '../steady-load.ts';
import { EventClients } from './event-clients.ts';
import type { Ending } from './fleet.ts';
import type { Haproxy } from './haproxy.ts';
import { Http2SteadyLoad } from './http2-load.ts';
import { SocketClients } from './socket-clients.ts';

/** Requests a second of each kind, fewer on a machine that has much else to do. */
const PER_SECOND = 15;
const SOCKETS = 12;
const STREAMS = 12;
const BODY = JSON.stringify({ text: 'x'.repeat(4000) });
const WARM_UP = 200;
const BACK_WITHIN_MS = 5000;

/** Clients of every kind at once, all through HAProxy. */
export class Clients {
  readonly #users: string;
  readonly #world: World;
  readonly #loads: ReadonlyMap<string, SteadyLoad>;
  readonly #sockets: SocketClients;
  readonly #events: EventClients;

  constructor(world: World, { origin, http2Origin }: Haproxy) {
    this.#world = world;
    this.#users = `${origin}/users`;
    const get = { perSecond: world.lateness.scaled(PER_SECOND) };
    const headers = (): Record<string, string> => ({ 'content-type': 'application/json' });
    const post = { ...get, body: BODY, headers, read: readReceipt };
    this.#loads = new Map([
      ['HTTP/1.1 GET', new SteadyLoad(`${origin}/users`, get)],
      ['HTTP/1.1 POST', new SteadyLoad(`${origin}/users`, post)],
      ['HTTP/2 GET', new Http2SteadyLoad(`${http2Origin}/users`, get)],
      ['HTTP/2 POST', new Http2SteadyLoad(`${http2Origin}/users`, post)],
    ]);
    this.#sockets = new SocketClients(`${origin}/socket`);
    this.#events = new EventClients(`${origin}/events`);
  }

  /** Begins, and waits until all sockets and streams are open. */
  async start(): Promise<this> {
    await this.#warmUp();
    for (const load of this.#loads.values()) load.start();
    this.#sockets.start(SOCKETS);
    this.#events.start(STREAMS);
    await this.backAfter();
    return this;
  }

  /** How long it takes until all sockets and streams are open, in ms. */
  backAfter(): Promise<number> {
    const areOpen = (): boolean => this.#sockets.open === SOCKETS && this.#events.open === STREAMS;
    return took(areOpen, 2 * BACK_WITHIN_MS);
  }

  /** Ends them. @returns what they saw, and what became of what they were promised. */
  async finish(): Promise<{ readonly parts: readonly Part[]; readonly outcomes: readonly Outcome[] }> {
    await sleep(BACK_WITHIN_MS / 10);
    const since = performance.now();
    const back = await this.backAfter();
    const most = BACK_WITHIN_MS + this.#world.lateness.slackMs(since);
    await Promise.all([...this.#loads.values()].map((load) => load.stop()));
    await this.#sockets.stop();
    await this.#events.stop();
    const parts = [...this.#loads].map(([part, { seen }]) => ({ part, seen }));
    const outcomes = [
      ...parts.map(({ part, seen }) => noneFailed(seen, `${part}: no request fails`)),
      this.#socketsTold(),
      this.#streamsTold(),
      {
        kept: back <= most,
        line: `all sockets and event streams are open again, ${back.toFixed(0)} ms later`,
      },
    ];
    return { parts, outcomes };
  }

  /** What was seen by all that ask, one after the other. */
  get seen(): readonly Seen[] {
    return [...this.#loads.values()].flatMap(({ seen }) => seen);
  }

  /** Code that has never run takes the longest, and says nothing of what is looked at here. */
  async #warmUp(): Promise<void> {
    for (let i = 0; i < WARM_UP; i += 1) await (await fetch(this.#users)).text();
  }

  #socketsTold(): Outcome {
    const { ends, refused, opened, echoed } = this.#sockets.seen;
    const onlyTold = Object.keys(ends).join() === '1012';
    return {
      kept: onlyTold && refused.length === 0 && echoed > 0,
      line: `each WebSocket hears 1012, and none is refused: ended ${textOf(ends)}; ${refused.join(', ') || 'none'} refused of ${opened}; ${echoed} messages came back`,
    };
  }

  #streamsTold(): Outcome {
    const { ends, refused, opened, events, gaps } = this.#events.seen;
    const onlyWhole = Object.keys(ends).join() === 'whole';
    return {
      kept: onlyWhole && refused.length === 0 && gaps === 0 && events > 0,
      line: `event streams end as a whole, after a whole event, and none is refused when it comes back: ended ${textOf(ends)}; ${refused.join(', ') || 'none'} refused of ${opened}; ${gaps} of ${events} events lost or twice`,
    };
  }
}

/** That all have ended by themselves. */
export function allLeft(endings: readonly Ending[]): Outcome {
  const told = endings.map(({ code, signal, ms }) => `${signal ?? code} after ${(ms / 1000).toFixed(1)} s`);
  return {
    kept: endings.length > 0 && endings.every(({ code }) => code === 0),
    line: `each replica ends with 0: ${told.join(', ')}`,
  };
}

function readReceipt(head: AnswerHead, text: string): Answered {
  const answered = readAnswer(head, text);
  if (answered.kind !== '200') return answered;
  const { received } = JSON.parse(text) as { readonly received: number };
  return received === BODY.length ? answered : { ...answered, kind: `200, ${received} bytes have arrived` };
}
