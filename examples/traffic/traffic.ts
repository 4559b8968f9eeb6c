import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Sending } from './send.ts';
import { keepOpen, STREAMS } from './streams.ts';
import { VisitorHeaders, type Credentials } from './visitors.ts';
import { VISITS, type Visit } from './visits.ts';

/** Two requests a second, on average, a bit more with those that come in a row. */
const BETWEEN_MS: readonly [number, number] = [250, 700];
const STREAM_LIVES_MS: readonly [number, number] = [15_000, 40_000];

/** How traffic is made. */
export interface TrafficOptions extends Credentials {
  /** Addresses of gateways, asked in turn. */
  readonly gateways: () => readonly string[];
  /** Time between two requests in ms: at least and at most. */
  readonly betweenMs?: readonly [number, number];
}

/** A trickle of requests of all kinds, so that whoever looks at the gateway sees it work. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #visitors: VisitorHeaders;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  #running: AbortController | undefined;
  #turn = 0;
  #sent = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#visitors = new VisitorHeaders(options);
  }

  /** Whether it flows. */
  get flows(): boolean {
    return this.#running !== undefined;
  }

  /** How many requests were sent, streams left out. */
  get sent(): number {
    return this.#sent;
  }

  /** Lets it flow; nothing happens if it does. */
  start(): void {
    if (this.#running !== undefined) return;
    const running = (this.#running = new AbortController());
    const { signal } = running;
    void untilAborted(this.#flow(signal), signal);
    for (const stream of STREAMS) {
      const next = (): Sending =>
        this.#to(AbortSignal.any([signal, AbortSignal.timeout(between(STREAM_LIVES_MS))]));
      const pause = (): Promise<void> => sleep(between(this.#between), undefined, { signal });
      void untilAborted(keepOpen(stream, this.#visitors, next, pause), signal);
    }
  }

  /** Ends it, with all that is under way. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#agent.destroy();
  }

  get #between(): readonly [number, number] {
    return this.#options.betweenMs ?? BETWEEN_MS;
  }

  async #flow(signal: AbortSignal): Promise<void> {
    for (;;)
      for (const visit of shuffled(VISITS)) {
        void this.#visit(visit, signal);
        await sleep(between(this.#between), undefined, { signal });
      }
  }

  async #visit(visit: Visit, signal: AbortSignal): Promise<void> {
    const headers = await this.#visitors.of(visit.as);
    const to = this.#to(signal);
    for (let times = visit.times ?? 1; times > 0 && !signal.aborted; times -= 1) {
      this.#sent += 1;
      await send(visit, headers, to);
    }
  }

  #to(signal: AbortSignal): Sending {
    const gateways = this.#options.gateways();
    return { gateway: gateways[(this.#turn += 1) % gateways.length] ?? '', agent: this.#agent, signal };
  }
}

/** Waits for what ends by the signal and by nothing else. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A whole number between both. */
const between = ([least, most]: readonly [number, number]): number =>
  Math.round(least + Math.random() * (most - least));

function shuffled<Item>(items: readonly Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0] as Item);
}
